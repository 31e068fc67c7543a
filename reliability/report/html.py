"""
The report as one HTML page that opens offline: no script, no font, no image from afar.

All text goes through `html_text`; the page's own policy forbids whatever could load.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reliability.escape import html_text
from reliability.report.words import (
    SIMULATED,
    SYMBOLS,
    VERDICT_WORDS,
    duration,
    facts,
    notes,
    title,
)

if TYPE_CHECKING:
    from reliability.model import RunResult, TrialResult

MAX_TRIALS = 5_000
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
<h2>Trials</h2>
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
        f'<li class="{trial.outcome}" title="trial {trial.number}: {trial.outcome}">'
        f"<span>{SYMBOLS[trial.outcome]}</span></li>"
        for trial in result.trials[:MAX_TRIALS]
    )
    return f'<ol class="strip" aria-label="Outcome of each trial">{marks}</ol>'


def _fact_rows(result: RunResult) -> str:
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


def _trials(result: RunResult) -> str:
    shown = result.trials[:MAX_TRIALS]
    more = len(result.trials) - len(shown)
    rest = f"<p>{more} more trials are in results.json and in the log.</p>"
    return "\n".join(map(_trial, shown)) + (rest if more else "")


def _trial(trial: TrialResult) -> str:
    reason = f" {html_text(trial.reason)}" if trial.reason else ""
    again = f", {trial.attempts} attempts" if trial.attempts != 1 else ""
    return f"""<details class="trial {trial.outcome}">
<summary><b>{SYMBOLS[trial.outcome]} {trial.number}</b> {trial.outcome}, \
{duration(trial.duration_s)}{again}.{reason}</summary>
<pre>{html_text(trial.answer) or "(no answer)"}</pre>
</details>"""


def _log(result: RunResult) -> str:
    name = html_text(result.log.rsplit("/", 1)[-1])
    if result.log_sha256:
        return f"Log {name}, locked, SHA-256 <code>{result.log_sha256}</code>."
    return f"Log {name}, <b>not locked</b>."
