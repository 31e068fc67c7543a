"""
The command `tries`: what k tries come to, case by case, from a log.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reliability.cli.output import echo_json
from reliability.errors import UsageError

if TYPE_CHECKING:
    from reliability.run_result import RunResult


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--k", default=3, show_default=True, metavar="N", help="How many tries.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def tries(log: Path, k: int, as_json: bool) -> None:
    """
    Say from LOG what K tries of each case come to.

    pass@k: at least one of them passes. pass^k: all of them do. With exact bounds for
    each case, the mean over cases, and whether a case is proven to be mixed. Also
    percentiles of the time that trials took. It judges nothing: exit code 0.
    """
    from reliability.gate import EARLY_STOP
    from reliability.results import read_result

    result = read_result(log)
    try:
        rows = [_row(result, at, k) for at in range(len(result.cases))]
    except ValueError as error:
        raise UsageError(
            f"{log.name}: {error}.", remedy="Ask for a smaller k, or run more loops."
        ) from None
    notes = []
    if result.stopped_by == EARLY_STOP:
        notes.append("The run was stopped early, which biases these numbers.")
    if as_json:
        document = {"k": k, "cases": rows, "mean": _means(rows), "notes": notes}
        echo_json(document)
        return
    _show(result, rows, k, notes)


def _row(result: RunResult, at: int, k: int) -> dict[str, Any]:
    from reliability.stats.passes import all_of, any_of, steadiness

    case, confidence = result.cases[at], result.confidence
    passed, measured = case.tally.passed, case.tally.measured
    try:
        one = any_of(passed, measured, k, confidence=confidence)
        every = all_of(passed, measured, k, confidence=confidence)
    except ValueError as error:
        raise ValueError(f"case {case.plan.name}: {error}") from None
    return {
        "name": case.plan.name,
        "pass_at_k": one._asdict(),
        "pass_hat_k": every._asdict(),
        "steadiness": steadiness(passed, measured, confidence=confidence),
    }


def _means(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {
        name: sum(row[name]["estimate"] for row in rows) / len(rows)
        for name in ("pass_at_k", "pass_hat_k")
    }


def _show(
    result: RunResult, rows: list[dict[str, Any]], k: int, notes: list[str]
) -> None:
    from reliability.escape import console_text

    for row in rows:
        click.echo(console_text(row["name"]))
        for label, name in ((f"pass@{k}", "pass_at_k"), (f"pass^{k}", "pass_hat_k")):
            found = row[name]
            ends = f"at least {found['lower']:.1%}, at most {found['upper']:.1%}"
            click.echo(f"  {label:<9} {found['estimate']:.1%} ({ends})")
        click.echo(f"  {'':<9} {row['steadiness']}")
    if len(rows) > 1:
        means = _means(rows)
        each = f"pass@{k} {means['pass_at_k']:.1%}, pass^{k} {means['pass_hat_k']:.1%}"
        click.echo(f"Mean over {len(rows)} cases: {each}")
    for line in _times(result):
        click.echo(line)
    for line in _cost(result):
        click.echo(line)
    for note in notes:
        click.echo(f"Note: {note}")


def _times(result: RunResult) -> list[str]:
    """
    Return percentiles of the times that trials took.
    """
    import math

    from reliability.report.trial_times import times_by_case
    from reliability.stats.percentile import enough_for, percentile

    groups = times_by_case(result.trials).values()
    times = [seconds for group in groups for seconds in group]
    if not times:
        return []
    lines = []
    for share in (0.5, 0.9, 0.95):
        found = percentile(times, share)
        longest = f"> {found.most:.2f} s"
        why = "not enough trials"
        if found.size >= enough_for(share):
            why = "some met their time limit"
        upper = f"{found.upper:.2f} s" if found.upper < math.inf else longest
        lower = f"{found.lower:.2f} s" if found.lower < math.inf else longest
        point = f"{found.point:.2f} s" if found.point < math.inf else longest
        ends = f"{lower} to {upper}"
        if found.upper == math.inf:
            ends += f", {why}"
        lines.append(f"Time p{100 * share:g}: {point} ({ends}; {found.size} trials)")
    return lines


def _cost(result: RunResult) -> list[str]:
    """
    Return what a success costs, where the price of every trial is known.
    """
    from reliability.model import Outcome
    from reliability.stats.expense import success_cost

    if result.simulated or result.cost_usd is None:
        return []
    # What could not be measured was paid for too.
    known = [
        (trial.cost_usd or 0.0, trial.outcome is Outcome.PASS)
        for trial in result.trials
    ]
    label = "Cost a success"
    if result.priced < result.attempts:
        label += f", at least (priced: {result.priced} of {result.attempts} attempts)"
    found = success_cost(known)
    if found is None:
        return [f"Cost: ${result.cost_usd:.4f}, and no success"]
    if found.lower == found.upper:
        return [f"{label}: ${found.usd:.4f}"]
    ends = f"${found.lower:.4f} to ${found.upper:.4f}"
    return [f"{label}: ${found.usd:.4f} ({ends})"]
