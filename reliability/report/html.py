"""
The report as one HTML page that opens offline: no script, no font, no image from afar.

Trials that did not pass come first, the first of them open; then all trials in their
order. Each trial stands in one place, and every mark of the strip leads there. Of a
long run only some trials stand here, and the page says how many are left out.

All text goes through `html_text`; the page's own policy forbids whatever could load.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reliability.escape import html_text
from reliability.model import Outcome
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
    from collections.abc import Iterator

    from reliability.run_result import RunResult, TrialResult

MAX_TRIALS = 1_000
"""How many trials the page shows, and how many more of those that did not pass: a
browser is slow with tens of thousands, and nobody reads them there."""

MAX_OPEN = 20
_STYLE = Path(__file__).with_name("report.css")


def page(result: RunResult) -> Iterator[str]:
    """
    Yield the whole page, one trial at a time.
    """
    name = html_text(title(result))
    word = VERDICT_WORDS[result.verdict]
    label = f"{word} (simulated)" if result.simulated else word
    simulated = f'<p class="simulated">{SIMULATED}</p>' if result.simulated else ""
    yield f"""<!doctype html>
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
"""
    yield from _strip(result)
    yield f"""<table class="facts"><tbody>
{_fact_rows(result)}
</tbody></table>
{_notes(result)}
"""
    yield from _not_passed(result)
    yield from _trials(result)
    yield f"""<h2>Prompt</h2>
<pre>{html_text(result.prompt)}</pre>
<footer>Run {html_text(result.run_id)}, started {html_text(result.started_utc)}. \
{_log(result)}</footer>
</main>
</body>
</html>
"""


def _shown(result: RunResult) -> Iterator[TrialResult]:
    """
    Yield the trials that stand on the page.

    They are the first ones, and of the later ones some that did not pass.
    """
    trials = result.trials
    yield from trials[:MAX_TRIALS]
    if len(trials) > MAX_TRIALS:
        last = trials[MAX_TRIALS - 1].number
        bad = noteworthy(result)[:MAX_TRIALS]
        yield from (trial for trial in bad if trial.number > last)


def _strip(result: RunResult) -> Iterator[str]:
    """
    Draw one mark a trial, in order: what a reader sees before any number.
    """
    yield '<ol class="strip" aria-label="Outcome of each trial">'
    for trial in _shown(result):
        yield (
            f'<li><a class="{trial.outcome}" href="#trial-{trial.number}" '
            f'title="trial {trial.number}: {trial.outcome}">'
            f"{SYMBOLS[trial.outcome]}</a></li>"
        )
    yield "</ol>\n"


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


def _not_passed(result: RunResult) -> Iterator[str]:
    """
    Yield the trials that did not pass, the first of them open; nothing without any.
    """
    trials = noteworthy(result)
    if not trials:
        return
    yield "<h2>Trials that did not pass</h2>\n"
    for count, trial in enumerate(trials[:MAX_TRIALS]):
        yield _trial(trial, opened=count < MAX_OPEN)
    if len(trials) > MAX_TRIALS:
        yield _left_out(len(trials) - MAX_TRIALS, "more that did not pass")


def _trials(result: RunResult) -> Iterator[str]:
    """
    Yield the trials in order; those that stand further up are only pointed to.
    """
    yield f"<h2>{_heading(result)}</h2>\n"
    shown = 0
    for trial in _shown(result):
        shown += 1
        # The first trials hold no more that did not pass than stand further up.
        passed = trial.outcome is Outcome.PASS
        yield _trial(trial) if passed else _pointer(trial)
    if shown < len(result.trials):
        yield _left_out(len(result.trials) - shown, "more")


def _heading(result: RunResult) -> str:
    """
    Say which trials follow.
    """
    if len(result.trials) <= MAX_TRIALS:
        return "All trials"
    bad = ", and later ones that did not pass" if noteworthy(result) else ""
    return f"The first {MAX_TRIALS} trials{bad}"


def _left_out(count: int, which: str) -> str:
    """
    Say how many trials do not stand on the page, and where they do.
    """
    return f"<p>{count} {which} are in results.json and in the log.</p>\n"


def _trial(trial: TrialResult, *, opened: bool = False) -> str:
    """
    Return a trial that unfolds to its answer.
    """
    reason = f" {html_text(why(trial))}" if why(trial) else ""
    again = f", {trial.attempts} attempts" if trial.attempts != 1 else ""
    cut = f'\n<p class="cut">{ANSWER_CUT}</p>' if trial.answer_cut else ""
    place = f'id="trial-{trial.number}" class="trial {trial.outcome}"'
    return f"""<details {place}{" open" if opened else ""}>
<summary><b>{SYMBOLS[trial.outcome]} {trial.number}</b> <span>{trial.outcome}, \
{duration(trial.duration_s)}{again}.{reason}</span></summary>
<pre>{html_text(trial.answer) or "(no answer)"}</pre>{cut}
</details>
"""


def _pointer(trial: TrialResult) -> str:
    """
    Return a line that leads to a trial further up.
    """
    return (
        f'<p class="trial {trial.outcome}"><a href="#trial-{trial.number}">'
        f"<b>{SYMBOLS[trial.outcome]} {trial.number}</b> "
        f"{trial.outcome}: above</a></p>\n"
    )


def _log(result: RunResult) -> str:
    """
    Name the log, and the hash that it was locked with.
    """
    name = html_text(result.log.rsplit("/", 1)[-1])
    if result.log_sha256:
        return f"Log {name}, locked, SHA-256 <code>{result.log_sha256}</code>."
    return f"Log {name}, <b>not locked</b>."
