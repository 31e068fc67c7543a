"""
One trial, whole, for a person at a terminal: what was asked, done, said and graded.

Everything here but our own words may come from an agent: lines are escaped, and what a
text says stands indented below a heading of ours, so that it can forge none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reliability.errors import UsageError
from reliability.escape import console_text
from reliability.journal import read_whole_events
from reliability.report.words import duration
from reliability.transcript import Step, StepKind, read_logged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CUT_LINES = 12
"""Of each text, unless all of it is asked for."""

_BOLD, _RED, _GREEN, _DIM, _END = (
    "\033[1m",
    "\033[31m",
    "\033[32m",
    "\033[2m",
    "\033[0m",
)
_OF_A_TRIAL = frozenset({"attempt_finished", "question_finished", "trial_finished"})


def trial_lines(
    log: Path, number: int, *, colour: bool = False, full: bool = False
) -> Iterator[str]:
    """
    Yield the lines that tell trial *number* of a log.

    Args:
        full: Cut no text.

    Raises:
        UsageError: when there is no such trial.
        JournalError: when the log cannot be read.
    """
    paint = _Paint(colour=colour, full=full)
    prompts: dict[str, str] = {}
    last = 0
    found = False
    for event in read_whole_events(log):
        fields = event.fields
        if event.event == "run_started":
            prompts = {case["name"]: case["prompt"] for case in fields["cases"]}
        if event.event not in {"trial_started", "trial_reused", *_OF_A_TRIAL}:
            continue
        last = max(last, fields["trial"])
        if fields["trial"] != number:
            continue
        found = True
        if event.event in {"trial_started", "trial_reused"}:
            yield paint.heading(f"Trial {number}: {fields['case']}, {fields['loop']}")
            yield from paint.block("Prompt", prompts.get(fields["case"], ""))
        yield from _event_lines(event.event, fields, paint)
    if not found:
        known = f"its trials are 1 to {last}" if last else "it has no trial"
        raise UsageError(f"There is no trial {number} in {log}: {known}.")


class _Paint:
    """
    Puts text into lines, in colour or not.
    """

    def __init__(self, *, colour: bool, full: bool) -> None:
        self._colour = colour
        self._full = full

    def heading(self, text: str) -> str:
        """
        Return a line of ours, in bold.
        """
        return self._in(_BOLD, console_text(text))

    def verdict(self, text: str, *, good: bool) -> str:
        """
        Return a line that says well or ill.
        """
        return self._in(_GREEN if good else _RED, console_text(text))

    def block(self, label: str, text: str, *, depth: int = 1) -> Iterator[str]:
        """
        Yield a label and a text below it; nothing for an empty text.
        """
        margin = "  " * depth
        if not text.strip():
            return
        yield f"{margin}{self._in(_DIM, console_text(label))}"
        lines = text.splitlines()
        shown = lines if self._full else lines[:CUT_LINES]
        for line in shown:
            yield f"{margin}  {console_text(line)}"
        if len(shown) < len(lines):
            more = f"... {len(lines) - len(shown)} more lines; --full shows them"
            yield f"{margin}  {self._in(_DIM, more)}"

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_END}" if self._colour else text


def _event_lines(event: str, fields: Mapping[str, Any], paint: _Paint) -> Iterator[str]:
    if event == "attempt_finished":
        yield from _attempt_lines(fields, paint)
    elif event == "question_finished":
        label = f"Judge {fields['model']}".rstrip()
        yield from paint.block(label, fields["answer"] or fields["reason"])
    elif event in {"trial_finished", "trial_reused"}:
        if event == "trial_reused":
            yield from paint.block("Answer", fields["answer"])
        yield from _end_lines(fields, paint)


def _attempt_lines(fields: Mapping[str, Any], paint: _Paint) -> Iterator[str]:
    spent = [duration(fields["duration_s"])]
    if fields["turns"] is not None:
        spent.append(f"{fields['turns']} turns")
    if fields["cost_usd"]:
        spent.append(f"${fields['cost_usd']:.4f}")
    yield paint.heading(f"Attempt {fields['attempt']}: {', '.join(spent)}")
    steps = read_logged(fields.get("transcript", ()))
    for step in steps:
        yield from _step_lines(step, paint)
    if not steps:
        yield from paint.block("Answer", fields["answer"])
    if fields["reason"]:
        trouble = f"{fields['kind']}: {fields['reason']}"
        yield f"  {paint.verdict(trouble, good=False)}"
    yield from paint.block("Errors", fields["errors"])


def _step_lines(step: Step, paint: _Paint) -> Iterator[str]:
    depth = 2 if step.by else 1
    who = step.by or "agent"
    if step.kind is StepKind.CALL:
        asked = json.dumps(step.input, ensure_ascii=False)
        yield from paint.block(f"{who} calls {step.tool}", asked, depth=depth)
        return
    said = "says"
    if step.kind is StepKind.RETURN:
        said = "is told of an error" if step.is_error else "is told"
    text = step.text
    if step.cut_bytes:
        text += f"\n[{step.cut_bytes} more bytes were not kept]"
    yield from paint.block(f"{who} {said}", text, depth=depth)


def _end_lines(fields: Mapping[str, Any], paint: _Paint) -> Iterator[str]:
    """
    Yield what the checks said and how the trial ended.
    """
    for check in fields["checks"]:
        passed = check["passed"]
        score = check.get("score")
        stated = f" (score {score:g})" if score is not None else ""
        reason = "" if passed else f": {check['reason']}"
        sign = "✓" if passed else "✗"
        line = f"{sign} {check['check']}{stated}{reason}"
        yield f"  {paint.verdict(line, good=passed)}"
        for vote in check.get("details", {}).get("votes", ()):
            yield f"      {console_text(f'vote {vote}')}"
    outcome = str(fields["outcome"])
    reason = f": {fields['reason']}" if fields["reason"] else ""
    spent = f"{fields['attempts']} attempts, {duration(fields['duration_s'])}"
    yield paint.verdict(f"{outcome}{reason} ({spent})", good=outcome == "pass")
