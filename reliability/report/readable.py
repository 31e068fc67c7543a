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

Everything that comes from the log is untrusted, also the words that this program would
write there, since a log may be crafted. Texts are indented, line by line; what stands
in a line of our own is folded into it. Control characters are shown. So nothing can
forge a header or a runner's command, or move the cursor of whoever reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reliability.escape import console_lines, inline
from reliability.journal.schema import (
    FIELD_ERRORS,
    malformed_error,
    no_beginning_error,
    read_run_events,
)
from reliability.report.words import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reliability.journal import Event

_INDENT = "  "
_LINE_WIDTH = 1_000
_NO_END = "=== The run never ended: it was killed, or is still under way ==="


def readable_log(path: Path) -> Iterator[str]:
    """
    Yield the readable form of the log at *path*, line by line.

    Raises:
        JournalError: as `readable_blocks` does.
    """
    for block in readable_blocks(path):
        yield from block.split("\n")


def readable_blocks(path: Path) -> Iterator[str]:
    """
    Yield the same in blocks of whole lines, without the last newline of each.

    Only one event is in memory at a time. A text is one block: a long log has millions
    of lines, and handing on each costs more than making it.

    Raises:
        JournalError: when the log is damaged, not one of ours, or of a later schema;
            the lines before that have been yielded by then.
    """
    reading = _Reading()
    try:
        for event in read_run_events(path):
            if not reading.began and event.event != "run_started":
                raise no_beginning_error(path)
            yield from reading.blocks(event)
    except FIELD_ERRORS as error:
        raise malformed_error(path, error) from None
    if not reading.ended:
        yield _NO_END


class _Reading:
    """
    What must be remembered from earlier events.
    """

    def __init__(self) -> None:
        self.began = False
        self.ended = False
        self._prompt = ""
        self._loops = 0
        self._loop_of: dict[int, Any] = {}

    def blocks(self, event: Event) -> Iterator[str]:
        """
        Yield the blocks of one event; kinds that are not known have none.
        """
        fields = event.fields
        match event.event:
            case "run_started":
                self.began = True
                self._prompt, self._loops = str(fields["prompt"]), fields["loops"]
                if fields["simulated"]:
                    yield SIMULATED
            case "trial_started":
                self._loop_of[fields["trial"]] = fields["loop"]
            case "attempt_finished":
                yield self._header(event)
                yield from _attempt_lines(self._prompt, fields)
            case "trial_finished":
                self._loop_of.pop(fields["trial"], None)
                yield from _outcome_lines(fields)
            case "trial_reused":
                yield from self._reused_lines(fields)
            case "run_finished":
                self.ended = True
                yield _line(
                    f"=== Verdict: {fields['verdict']} - {fields['reason']} ==="
                )

    def _header(self, event: Event) -> str:
        """
        Return the line that an attempt begins with.
        """
        loop = self._loop_of.get(event.fields["trial"], "?")
        attempt = event.fields["attempt"]
        again = f" (attempt {attempt})" if attempt > 1 else ""
        moment = f"{event.time[:19].replace('T', ' ')} UTC"
        return _line(f"=== Loop {loop}/{self._loops}{again} - {moment} ===")

    def _reused_lines(self, fields: Mapping[str, Any]) -> Iterator[str]:
        """
        Yield what another run found, where it is from, and how it ended.
        """
        label = ", measured under other conditions" if fields["changed"] else ""
        source = f"reused from run {fields['from_run']}{label}"
        yield _line(f"=== Loop {fields['loop']}/{self._loops} - {source} ===")
        yield _body("Response", str(fields["answer"]))
        yield f"Execution time: {fields['duration_s']:.3f} s"
        yield "---"
        yield from _outcome_lines(fields)


def _attempt_lines(prompt: str, fields: Mapping[str, Any]) -> Iterator[str]:
    """
    Yield what was asked, what came, and how long it took.
    """
    errors = [str(fields[name]) for name in ("reason", "errors") if fields[name]]
    yield _body("Prompt", prompt)
    yield _body("Response", str(fields["answer"]))
    yield _body("Errors", "\n".join(errors))
    yield f"Execution time: {fields['duration_s']:.3f} s"
    if fields["retry_in_s"] is not None:
        yield f"Next attempt in: {fields['retry_in_s']:.3f} s"
    yield "---"


def _outcome_lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """
    Yield how a trial ended, and why.
    """
    yield _line(f"Outcome of loop {fields['loop']}: {fields['outcome']}")
    if fields["reason"]:
        yield "\n".join(console_lines(str(fields["reason"]), prefix=_INDENT))
    yield ""


def _body(name: str, text: str) -> str:
    """
    Return a text under its name, indented.
    """
    if not text.strip():
        return f"{name}: (none)"
    return "\n".join([f"{name}:", *console_lines(text, prefix=_INDENT)])


def _line(text: str) -> str:
    """
    Return one line of our own, in which no part acts.
    """
    return inline(text, width=_LINE_WIDTH)
