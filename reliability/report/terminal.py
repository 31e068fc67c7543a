"""
The verdict table for a terminal: plain text, at most 100 columns, colour if wanted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reliability.escape import inline
from reliability.model import Verdict
from reliability.report.words import (
    SIMULATED,
    SYMBOLS,
    VERDICT_WORDS,
    duration,
    facts,
    notes,
    noteworthy,
)

if TYPE_CHECKING:
    from reliability.model import RunResult

MAX_TRIALS = 20
_REASON_WIDTH = 64
_COLOURS = {
    Verdict.PASS: "32;1",
    Verdict.FAIL: "31;1",
    Verdict.INCONCLUSIVE: "33;1",
    Verdict.INVALID: "35;1",
}


def verdict_table(result: RunResult, *, colour: bool) -> str:
    """
    Return the whole table, ending with a newline.
    """
    lines = [""]
    if result.simulated:
        lines += [f"  {_paint(SIMULATED, '36', colour)}", ""]
    word = VERDICT_WORDS[result.verdict]
    label = f"{word} (simulated)" if result.simulated else word
    lines.append(
        f"  {_paint(label, _COLOURS[result.verdict], colour)}  {result.reason}"
    )
    lines.append("")
    rows = facts(result)
    width = max(len(name) for name, _ in rows)
    lines += [f"  {name:<{width}}  {inline(value, width=200)}" for name, value in rows]
    lines += _trial_lines(result)
    lines += [f"\n  Note: {inline(note, width=300)}" for note in notes(result)]
    return "\n".join(lines) + "\n"


def file_list(paths: dict[str, Path]) -> str:
    """
    Return the files that were written, one a line, as seen from the current folder.
    """
    here = Path.cwd()
    width = max(len(name) for name in paths)
    rows = [
        f"  {name:<{width}}  {inline(_near(path, here), width=300)}"
        for name, path in paths.items()
    ]
    return "\n".join(["", *rows]) + "\n"


def _near(path: Path, here: Path) -> str:
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _trial_lines(result: RunResult) -> list[str]:
    trials = noteworthy(result)
    if not trials:
        return []
    lines = ["", "  Trial     Outcome   Attempts    Time  Why"]
    for trial in trials[:MAX_TRIALS]:
        why = inline(trial.reason, width=_REASON_WIDTH)
        took = duration(trial.duration_s)
        outcome = f"{SYMBOLS[trial.outcome]} {trial.outcome}"
        lines.append(
            f"  {trial.number:>5}     {outcome:<9} {trial.attempts:>8} {took:>7}  {why}"
        )
    if len(trials) > MAX_TRIALS:
        lines.append(f"  ... and {len(trials) - MAX_TRIALS} more in the reports")
    return lines


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
