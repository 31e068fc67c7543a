"""
The report as one HTML page that opens offline: no script, no font, no image from afar.

Trials that did not pass come first, the first of them open; then all trials in their
order. Each trial stands in one place, and every mark of the strip leads there.

All text goes through `html_text`; the page's own policy forbids whatever could load.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reliability.escape import html_text
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
)

if TYPE_CHECKING:
    from reliability.run_result import RunResult, TrialResult

MAX_TRIALS = 5_000
MAX_OPEN = 20
_STYLE = Path(__file__).with_name("report.css")


def page(result: RunResult) -> str:
    """
    Return the whole page.
    """
    name = html_text(title(result))
    word = VERDICT_WORDS[result.verdict]
    label = f"{word} (simulated)" if result.simulated else word
    simulated = f'<p class="simulated">{SIMULATED}</p>' if result.simulated else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'">
<title>Reliability of {name}: {label}</title>
<style>
{_STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<h1>Reliability of {name}</h1>
{simulated}
<p class="verdict {result.verdict}"><strong>{label}</strong> \
{html_text(result.reason)}</p>
{_strip(result)}
<table class="facts"><tbody>
{_fact_rows(result)}
</tbody></table>
{_notes(result)}
{_not_passed(result)}
<h2>All trials</h2>
{_trials(result)}
<h2>Prompt</h2>
<pre>{html_text(result.prompt)}</pre>
<footer>Run {html_text(result.run_id)}, started {html_text(result.started_utc)}. \
{_log(result)}</footer>
</main>
</body>
</html>
"""


def _strip(result: RunResult) -> str:
    """
    Draw one mark a trial, in order: what a reader sees before any number.
    """
    marks = "".join(
        f'<li><a class="{trial.outcome}" href="#trial-{trial.number}" '
        f'title="trial {trial.number}: {trial.outcome}">'
        f"{SYMBOLS[trial.outcome]}</a></li>"
        for trial in result.trials[:MAX_TRIALS]
    )
    return f'<ol class="strip" aria-label="Outcome of each trial">{marks}</ol>'


def _fact_rows(result: RunResult) -> str:
    """
    Return the facts and the versions of all programs as rows of a table.
    """
    rows = [
        *facts(result),
        *((f"Version of {name}", version) for name, version in result.versions.items()),
    ]
    return "\n".join(
        f'<tr><th scope="row">{html_text(name)}</th><td>{html_text(value)}</td></tr>'
        for name, value in rows
    )


def _notes(result: RunResult) -> str:
    items = "".join(f"<li>{html_text(note)}</li>" for note in notes(result))
    return f'<ul class="notes">{items}</ul>' if items else ""


def _not_passed(result: RunResult) -> str:
    """
    Return the trials that did not pass, the first of them open; empty without any.
    """
    trials = noteworthy(result)[:MAX_TRIALS]
    if not trials:
        return ""
    parts = [_trial(trial, opened=n < MAX_OPEN) for n, trial in enumerate(trials)]
    return "\n".join(["<h2>Trials that did not pass</h2>", *parts])


def _trials(result: RunResult) -> str:
    """
    Return all trials in order; those that stand further up are only pointed to.
    """
    above = {trial.number for trial in noteworthy(result)[:MAX_TRIALS]}
    shown = result.trials[:MAX_TRIALS]
    more = len(result.trials) - len(shown)
    rest = f"<p>{more} more trials are in results.json and in the log.</p>"
    rows = [_pointer(one) if one.number in above else _trial(one) for one in shown]
    return "\n".join(rows) + (rest if more else "")


def _trial(trial: TrialResult, *, opened: bool = False) -> str:
    """
    Return a trial that unfolds to its answer.
    """
    reason = f" {html_text(trial.reason)}" if trial.reason else ""
    again = f", {trial.attempts} attempts" if trial.attempts != 1 else ""
    cut = f'\n<p class="cut">{ANSWER_CUT}</p>' if trial.answer_cut else ""
    place = f'id="trial-{trial.number}" class="trial {trial.outcome}"'
    return f"""<details {place}{" open" if opened else ""}>
<summary><b>{SYMBOLS[trial.outcome]} {trial.number}</b> <span>{trial.outcome}, \
{duration(trial.duration_s)}{again}.{reason}</span></summary>
<pre>{html_text(trial.answer) or "(no answer)"}</pre>{cut}
</details>"""


def _pointer(trial: TrialResult) -> str:
    """
    Return a line that leads to a trial further up.
    """
    return (
        f'<p class="trial {trial.outcome}"><a href="#trial-{trial.number}">'
        f"<b>{SYMBOLS[trial.outcome]} {trial.number}</b> {trial.outcome}: above</a></p>"
    )


def _log(result: RunResult) -> str:
    """
    Name the log, and the hash that it was locked with.
    """
    name = html_text(result.log.rsplit("/", 1)[-1])
    if result.log_sha256:
        return f"Log {name}, locked, SHA-256 <code>{result.log_sha256}</code>."
    return f"Log {name}, <b>not locked</b>."
