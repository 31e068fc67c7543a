"""
The command `compare`: two logs, one finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reliability.cli.output import echo_json
from reliability.errors import EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_OK
from reliability.exits import leave

if TYPE_CHECKING:
    from reliability.compare import Compared
    from reliability.run_result import RunResult

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("base", type=_PATH)
@click.argument("candidate", type=_PATH)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="How much lower the pass rate may be and still count as not worse. Default: "
    "0.1 under 200 trials a side, else 0.05.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="How sure each claim must be.",
)
@click.option(
    "--allow-changed", is_flag=True, help="Compare cases that ask or check otherwise."
)
@click.option(
    "--on-inconclusive",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="Whether that ends with exit code 4 or 0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the finding as JSON.")
def compare(
    base: Path,
    candidate: Path,
    margin: float | None,
    confidence: float,
    allow_changed: bool,
    on_inconclusive: str,
    as_json: bool,
) -> None:
    """
    Say whether the agent of log CANDIDATE is worse than that of log BASE.

    Either may be a results.json beside its log. Exact test, stratified by case; the
    smallest drop that so many trials could have seen is always said.

    Exit codes: 0 not worse, or a drop inside the margin; 1 worse; 2 the logs ask or
    check different things, or one was stopped early; 3 a log cannot be read, or nothing
    was measured in both; 4 inconclusive.
    """
    from reliability.compare import compare_logs
    from reliability.stats.comparison import Finding

    found = compare_logs(
        base,
        candidate,
        margin=margin,
        confidence=confidence,
        allow_changed=allow_changed,
    )
    if as_json:
        document = {**found.comparison.as_json(), "notes": list(found.notes)}
        echo_json(document)
    else:
        _show(found)
    match found.comparison.finding:
        case Finding.REGRESSED:
            leave(EXIT_FAIL)
        case Finding.INCONCLUSIVE if on_inconclusive == "fail":
            leave(EXIT_INCONCLUSIVE)
    leave(EXIT_OK)


def _show(found: Compared) -> None:
    from reliability.escape import console_text
    from reliability.report.arms import arm_rows

    click.echo(f"{found.comparison.finding.upper()}: {found.comparison.reason}\n")
    rows = [*arm_rows(found.comparison.as_json()), *_resources(found)]
    rows += [("Note", text) for text in found.notes]
    for label, text in rows:
        click.echo(f"  {label:<11} {console_text(text)}")


def _resources(found: Compared) -> list[tuple[str, str]]:
    """
    Return label and text of time and money of both, as far as they are known.
    """
    from reliability.report.words import duration

    rows = []
    times = [_typical_s(run) for run in (found.base, found.head)]
    if all(times):
        ratio = times[1] / times[0]
        text = f"{duration(times[0])} to {duration(times[1])} a trial in the median"
        p = _slower(found)
        rows.append(("Time", f"{text} ({ratio:.2f} times; p = {p:.2g} for slower)"))
    costs = [_success_usd(run) for run in (found.base, found.head)]
    if costs[0] and costs[1]:
        text = f"${costs[0]:.4f} to ${costs[1]:.4f} a success"
        rows.append(("Cost", f"{text} ({costs[1] / costs[0]:.2f} times)"))
    return rows


def _slower(found: Compared) -> float:
    """
    Return the chance of such times if head were no slower, stratified by case.
    """
    from reliability.report.trial_times import times_by_case
    from reliability.stats.expense import slower

    base, head = (times_by_case(run.trials) for run in (found.base, found.head))
    return slower([(base[case], head[case]) for case in head if case in base])


def _typical_s(run: RunResult) -> float:
    from math import inf
    from statistics import median

    from reliability.report.trial_times import times_by_case

    groups = times_by_case(run.trials).values()
    times = [seconds for group in groups for seconds in group]
    middle = median(times) if times else 0.0
    return middle if middle < inf else 0.0


def _success_usd(run: RunResult) -> float | None:
    is_known = run.priced == run.attempts
    if run.simulated or run.cost_usd is None or not run.tally.passed or not is_known:
        return None
    return run.cost_usd / run.tally.passed
