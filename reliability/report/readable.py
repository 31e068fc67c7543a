"""
The log for a person, in the classic form: one block for each attempt.

    === Loop 3/20 - 2026-11-23 17:40:59 UTC ===
    Prompt:
      ...
    Response:
      ...
    Errors: (none)
    Execution time: 1.204 s
    ---

Bodies are indented and their control characters shown, so no answer can forge a header
or move the cursor of whoever reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reliability.escape import console_lines
from reliability.journal import read_whole_events
from reliability.report.words import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_INDENT = "  "


def readable_log(path: Path) -> Iterator[str]:
    """
    Yield the readable form of the log at *path*, line by line.

    Raises:
        JournalError: when the log is damaged.
    """
    start: Mapping[str, Any] = {}
    loops: dict[int, int] = {}
    for event in read_whole_events(path):
        fields = event.fields
        match event.event:
            case "run_started":
                start = fields
                if fields["simulated"]:
                    yield SIMULATED
            case "trial_started":
                loops[fields["trial"]] = fields["loop"]
            case "attempt_finished":
                loop = f"{loops.get(fields['trial'], '?')}/{start.get('loops', '?')}"
                again = (
                    f" (attempt {fields['attempt']})" if fields["attempt"] > 1 else ""
                )
                moment = f"{event.time[:19].replace('T', ' ')} UTC"
                yield f"=== Loop {loop}{again} - {moment} ==="
                yield from _attempt_lines(str(start.get("prompt", "")), fields)
            case "trial_finished":
                yield from _outcome_lines(fields)
            case "run_finished":
                verdict, reason = fields["verdict"], fields["reason"]
                yield f"=== Verdict: {verdict} - {reason} ==="


def _attempt_lines(prompt: str, fields: Mapping[str, Any]) -> Iterator[str]:
    yield from _body("Prompt", prompt)
    yield from _body("Response", str(fields["answer"]))
    errors = "\n".join(filter(None, (fields["reason"], fields["errors"])))
    yield from _body("Errors", errors)
    yield f"Execution time: {fields['duration_s']:.3f} s"
    if fields["retry_in_s"] is not None:
        yield f"Next attempt in: {fields['retry_in_s']:.3f} s"
    yield "---"


def _outcome_lines(fields: Mapping[str, Any]) -> Iterator[str]:
    yield f"Outcome of loop {fields['loop']}: {fields['outcome']}"
    if fields["reason"]:
        yield from console_lines(str(fields["reason"]), prefix=_INDENT)
    yield ""


def _body(name: str, text: str) -> Iterator[str]:
    if not text.strip():
        yield f"{name}: (none)"
        return
    yield f"{name}:"
    yield from console_lines(text, prefix=_INDENT)
