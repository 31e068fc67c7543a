"""
The verdict table for a terminal of any width: plain text, colour if wanted.

Lines break between words and hang under their text; only a word that is longer than
its column is broken. Widths are counted in characters: a text in wide characters (such
as Chinese) can still reach beyond the edge, where the terminal wraps it.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.escape import ELLIPSIS, inline
from reliability.model import Verdict
from reliability.report.words import (
    SIMULATED,
    SYMBOLS,
    VERDICT_WORDS,
    duration,
    facts,
    notes,
    noteworthy,
    why,
)

if TYPE_CHECKING:
    from reliability.run_result import RunResult

MAX_TRIALS = 20
_LEAST_COLUMNS = 40
_COLUMNS_FOR_WHY = 70  # With fewer, the reason stands below its row.
_WHY_LINES = 3
_TEXT_WIDTH = 400
_PATH_WIDTH = 100_000  # Longer than any path with all of it escaped.
_COLOURS = {
    Verdict.PASS: "32;1",
    Verdict.FAIL: "31;1",
    Verdict.INCONCLUSIVE: "33;1",
    Verdict.INVALID: "35;1",
}
_FIRST_FILES = ("report", "results", "summary", "junit", "readable")


def verdict_table(result: RunResult, *, colour: bool, columns: int = 100) -> str:
    """
    Return the whole table, ending with a newline.

    Args:
        columns: Most characters of a line; fewer than 40 are taken for 40.
    """
    columns = max(columns, _LEAST_COLUMNS)
    lines = [""]
    if result.simulated:
        lines += [_paint(line, "36", colour) for line in _hung("", SIMULATED, columns)]
        lines.append("")
    lines += [*_headline(result, colour, columns), ""]
    rows = facts(result)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        lines += _hung(f"{name:<{width}}  ", value, columns)
    lines += _trial_lines(result, columns)
    for note in notes(result):
        lines += ["", *_hung("Note: ", note, columns)]
    return "\n".join(lines) + "\n"


def file_list(paths: dict[str, Path]) -> str:
    """
    Return the files that were written, one a line, as seen from the current folder.

    What a person opens comes first, the log last; no path is cut.
    """
    here = Path.cwd()
    width = max(len(name) for name in paths)
    first = [name for name in _FIRST_FILES if name in paths]
    rest = [name for name in paths if name not in {*first, "log"}]
    names = [*first, *rest, *(["log"] if "log" in paths else [])]
    rows = [
        f"  {name:<{width}}  {inline(_near(paths[name], here), width=_PATH_WIDTH)}"
        for name in names
    ]
    return "\n".join(["", *rows]) + "\n"


def _near(path: Path, here: Path) -> str:
    """
    Return a path as it is written in the folder *here*.
    """
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _headline(result: RunResult, colour: bool, columns: int) -> list[str]:
    """
    Return verdict and reason; the reason hangs under itself where there is room.
    """
    word = VERDICT_WORDS[result.verdict]
    label = f"{word} (simulated)" if result.simulated else word
    first, *rest = _hung(f"{label}  ", result.reason, columns)
    start = 2 + len(label)
    return [
        f"  {_paint(label, _COLOURS[result.verdict], colour)}{first[start:]}",
        *rest,
    ]


def _hung(label: str, text: str, columns: int) -> list[str]:
    """
    Make untrusted text safe and wrap it after *label*, all of it indented by two.
    """
    start = f"  {label}"
    deep = len(start) if len(start) <= columns // 2 else 4
    return textwrap.wrap(
        inline(text, width=_TEXT_WIDTH),
        columns,
        initial_indent=start,
        subsequent_indent=" " * deep,
        break_on_hyphens=False,
    ) or [start.rstrip()]


def _trial_lines(result: RunResult, columns: int) -> list[str]:
    """
    Return a table of the trials that did not pass, the first of them.
    """
    trials = noteworthy(result)
    if not trials:
        return []
    beside = columns >= _COLUMNS_FOR_WHY
    head = f"  Trial  {'Outcome':<9}  Attempts  {'Time':>10}"
    lines = ["", f"{head}  Why" if beside else head]
    indent = len(head) + 2 if beside else 9
    for trial in trials[:MAX_TRIALS]:
        outcome = f"{SYMBOLS[trial.outcome]} {trial.outcome}"
        took = duration(trial.duration_s)
        row = f"  {trial.number:>5}  {outcome:<9}  {trial.attempts:>8}  {took:>10}"
        because = _wrapped(why(trial), columns - indent)
        if not beside:
            lines.append(row)
        elif because:
            lines.append(f"{row}  {because.pop(0)}")
        else:
            lines.append(row)
        lines += [" " * indent + line for line in because]
    if len(trials) > MAX_TRIALS:
        lines.append(f"  ... and {len(trials) - MAX_TRIALS} more in the reports")
    return lines


def _wrapped(reason: str, width: int) -> list[str]:
    """
    Return a reason as a few lines of that width; the end of the last says if it is cut.
    """
    return textwrap.wrap(
        inline(reason, width=_TEXT_WIDTH),
        width,
        max_lines=_WHY_LINES,
        placeholder=f" {ELLIPSIS}",
        break_on_hyphens=False,
    )


def _paint(text: str, code: str, colour: bool) -> str:
    """
    Colour a text, if wanted.
    """
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
