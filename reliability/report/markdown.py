"""
The summary as GitHub-flavoured Markdown: for the step summary and for `summary.md`.

Verdict and numbers come first, then the trials that did not pass, then the prompt. It
stays below its budget by leaving out whole trials, and says how many: GitHub drops a
step summary over 1 MiB altogether.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.escape import markdown_block, markdown_cell
from reliability.model import Verdict
from reliability.report.words import (
    ANSWER_CUT,
    SIMULATED,
    SYMBOLS,
    VERDICT_WORDS,
    duration,
    facts,
    notes,
    noteworthy,
    title,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reliability.run_result import RunResult, TrialResult

BUDGET_BYTES = 800 * 1024
MAX_ROWS = 1_000
MAX_ANSWERS = 10
_ANSWER_CAP_BYTES = 4 * 1024
_PROMPT_CAP_BYTES = 8 * 1024
_ICONS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.INCONCLUSIVE: "⚠️",
    Verdict.INVALID: "🚫",
}


def summary(result: RunResult) -> str:
    """
    Return the summary, ending with a newline.
    """
    name = markdown_cell(title(result), width=80)
    label = " (simulated)" if result.simulated else ""
    word = f"{_ICONS[result.verdict]} {VERDICT_WORDS[result.verdict]}{label}"
    parts = [f"## Reliability of {name}: {word}", f"**{result.reason}**"]
    if result.simulated:
        parts.append(f"> {SIMULATED}")
    parts.append(_fact_table(result))
    parts += [f"- {markdown_cell(note, width=400)}" for note in notes(result)]
    size_bytes = sum(len(part.encode()) for part in parts)
    parts += _trial_parts(noteworthy(result), BUDGET_BYTES - size_bytes)
    prompt = markdown_block(result.prompt, cap_bytes=_PROMPT_CAP_BYTES)
    parts.append(_details("Prompt", prompt))
    parts.append(_log_line(result))
    return "\n\n".join(parts) + "\n"


def _fact_table(result: RunResult) -> str:
    """
    Return the facts as a table without a header.
    """
    rows = ["| | |", "|---|---|"]
    for name, value in facts(result):
        rows.append(f"| {name} | {markdown_cell(value, width=300)} |")
    return "\n".join(rows)


def _trial_parts(trials: Sequence[TrialResult], budget_bytes: int) -> list[str]:
    """
    Return the table of *trials* and some of their answers, as far as the budget goes.
    """
    if not trials:
        return []
    rows = ["| Trial | Outcome | Attempts | Time | Why |", "|--:|---|--:|--:|---|"]
    answers: list[str] = []
    shown = 0
    for trial in trials[:MAX_ROWS]:
        row = (
            f"| {trial.number} | {SYMBOLS[trial.outcome]} {trial.outcome} "
            f"| {trial.attempts} | {duration(trial.duration_s)} "
            f"| {markdown_cell(why(trial), width=300)} |"
        )
        answer = _answer(trial) if len(answers) < MAX_ANSWERS else ""
        budget_bytes -= len(row.encode()) + len(answer.encode()) + 4
        if budget_bytes < 0:
            break
        shown += 1
        rows.append(row)
        answers += [answer] if answer else []
    parts = ["### Trials that did not pass", "\n".join(rows)]
    if shown < len(trials):
        parts.append(f"_{len(trials) - shown} more are in the artifact._")
    return parts + answers


def _answer(trial: TrialResult) -> str:
    """
    Return the folded answer of a trial; empty when it has none.
    """
    if not trial.answer:
        return ""
    block = markdown_block(trial.answer, cap_bytes=_ANSWER_CAP_BYTES)
    if trial.answer_cut:
        block += f"\n_{ANSWER_CUT}_\n"
    return _details(f"Answer of trial {trial.number}", block)


def _details(name: str, block: str) -> str:
    return f"<details><summary>{name}</summary>\n\n{block}\n</details>"


def _log_line(result: RunResult) -> str:
    """
    Name the log, and the hash that it was locked with.
    """
    log = markdown_cell(result.log.rsplit("/", 1)[-1], width=200)
    if result.log_sha256:
        return f"Log {log}, locked, SHA-256 <code>{result.log_sha256}</code>"
    return f"Log {log}, **not locked**"
