"""
What a number of trials can show, for `reliability plan --min-pass-rate`.

On numbers alone: nothing is called, and no suite is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.gate import Gate

_SIZES = (10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1_000)
_RATES = (0.5, 0.8, 0.99)
_MOST = 10_000
_POWER = 0.8


class Means(NamedTuple):
    """
    What is known of one trial; None for what is not.
    """

    cost_usd: float | None
    duration_s: float | None
    calls: float


class Wish(NamedTuple):
    """
    What the user asks the plan for.

    Args:
        true_rate: What the agent is thought to have; None when nothing is said.
        budget_usd, minutes, per_minute: Caps; None for none.
        trials: A number that the user has chosen; None lets the plan choose.
    """

    gate: Gate
    true_rate: float | None
    budget_usd: float | None
    minutes: float | None
    per_minute: int | None
    trials: int | None


def means_of(
    log: Path | None, cost_usd: float | None, duration_s: float | None
) -> Means:
    """
    Return what one trial takes: as given, else as in a log.
    """
    calls = 1.0
    if log is not None:
        from reliability.results import read_result

        result = read_result(log)
        ran = max(1, len(result.trials))
        if cost_usd is None and result.cost_usd is not None and not result.simulated:
            cost_usd = result.cost_usd / ran
        duration_s = duration_s or (result.worked_s / ran) or None
        calls = max(1.0, result.attempts / ran)
    return Means(cost_usd, duration_s, calls)


def show_numbers(wish: Wish, means: Means) -> None:
    """
    Print the plan: loops, chances, cost and time, a table, and what stays open.
    """
    gate = wish.gate
    click.echo(_question(wish))
    click.echo()
    for label, text in _rows(wish, means):
        click.echo(f"  {label:<10} {text}")
    click.echo()
    rates = sorted({*_RATES, gate.min_pass_rate, wish.true_rate or gate.min_pass_rate})
    for line in _table(gate, rates, _sizes(wish)):
        click.echo(f"  {line}")
    click.echo()
    click.echo(f"  {_undecidable(wish)}")


def _question(wish: Wish) -> str:
    from reliability.stats import percent

    gate = wish.gate
    sure = percent(gate.confidence)
    how = "stopping as soon as that is certain" if gate.early_stop else "all trials run"
    return f"Is the pass rate at least {gate.min_pass_rate:g}? {sure} sure, {how}."


def _sizes(wish: Wish) -> list[int]:
    chosen = _chosen(wish)
    return sorted({*_SIZES, *([chosen] if chosen else [])})


def _chosen(wish: Wish) -> int | None:
    """
    Return the number of trials: the user's, or what the true rate needs.
    """
    from reliability.stats import trials_for

    if wish.trials is not None or wish.true_rate is None:
        return wish.trials
    return trials_for(
        wish.gate.min_pass_rate,
        wish.true_rate,
        gate=wish.gate,
        power=_POWER,
        most=_MOST,
    )


def _rows(wish: Wish, means: Means) -> list[tuple[str, str]]:
    """
    Return label and text of what the plan comes to.
    """
    from reliability.stats import chances_of

    gate, trials = wish.gate, _chosen(wish)
    if trials is None:
        if wish.true_rate is None:
            text = "say --true-rate, what the agent is thought to have, or --loops"
        elif wish.true_rate <= gate.min_pass_rate:
            text = "none: an agent that is no better than the rate asked cannot pass"
        else:
            text = f"more than {_MOST:,}: the two rates are too close"
        return [("Loops", text)]
    rows = []
    used = float(trials)
    if wish.true_rate is None:
        rows.append(("Loops", f"{trials}, as you say"))
    else:
        found = chances_of(trials, gate.min_pass_rate, wish.true_rate, gate=gate)
        used = found.mean_trials
        verdicts = (
            f"an agent of {wish.true_rate:g} is passed by {found.passes:.0%} of the "
            f"runs, failed by {found.fails:.0%}, and {found.inconclusive:.0%} show "
            "neither"
        )
        rows.append(("Loops", f"{trials}: {verdicts}"))
        rows.append(("Used", f"{used:.0f} trials on average"))
    return [*rows, *_expenses(wish, means, trials, used)]


def _expenses(
    wish: Wish, means: Means, trials: int, used: float
) -> list[tuple[str, str]]:
    """
    Return label and text of money, workers and time, as far as they are known.
    """
    from reliability.report.words import duration

    rows: list[tuple[str, str]] = []
    if means.cost_usd is None:
        rows.append(("Cost", "not known: give --cost-usd of a trial, or --log"))
    else:
        text = f"about ${used * means.cost_usd:.2f}, ${trials * means.cost_usd:.2f}"
        text += " if all are run"
        if wish.budget_usd is not None:
            most = int(wish.budget_usd / means.cost_usd) if means.cost_usd else trials
            verb = "is enough for" if most >= trials else "is enough only for"
            text += f"; ${wish.budget_usd:g} {verb} {most} trials"
        rows.append(("Cost", text))
    if means.duration_s is None:
        rows.append(("Time", "not known: give --seconds of a trial, or --log"))
        return rows
    # A limit on requests bounds how many are worth having at once (Little's law).
    pace = wish.per_minute / means.calls if wish.per_minute else None
    needed = trials
    if wish.minutes is not None:
        needed = -(-int(trials * means.duration_s) // max(1, int(60 * wish.minutes)))
    if pace is not None:
        needed = min(needed, max(1, round(pace * means.duration_s / 60)))
    workers = max(1, min(needed, trials))
    total_s = used * means.duration_s / workers
    if pace is not None:
        total_s = max(total_s, 60 * used / pace)
    text = f"about {duration(total_s)} with {workers} at once"
    if wish.minutes is not None and total_s > 60 * wish.minutes:
        text += f"; more than {wish.minutes:g} minutes, which the limit does not allow"
    return [*rows, ("Time", text)]


def _table(gate: Gate, rates: list[float], sizes: list[int]) -> list[str]:
    """
    Return a table of pass / fail / mean trials by loops and true rate.
    """
    from reliability.stats import chances_of

    lines = ["Chance of pass / fail, and trials used, by loops and true rate:"]
    lines.append(" loops" + "".join(f"{rate:>17g}" for rate in rates))
    for size in sizes:
        cells = []
        for rate in rates:
            found = chances_of(size, gate.min_pass_rate, rate, gate=gate)
            cell = f"{found.passes:.0%} / {found.fails:.0%}, {found.mean_trials:.0f}"
            cells.append(f"{cell:>17}")
        lines.append(f"{size:>6}{''.join(cells)}")
    return lines


def _undecidable(wish: Wish) -> str:
    """
    Say which true rates get no verdict in most of the runs.
    """
    from reliability.stats import chances_of

    gate = wish.gate
    trials = _chosen(wish) or _SIZES[5]
    open_rates = [
        rate / 1000
        for rate in range(5, 1000, 5)
        if chances_of(trials, gate.min_pass_rate, rate / 1000, gate=gate).inconclusive
        > 0.5
    ]
    if not open_rates:
        return f"With {trials} loops most runs have a verdict, whatever the true rate."
    return (
        f"With {trials} loops most runs stay inconclusive for a true rate from "
        f"{open_rates[0]:g} to {open_rates[-1]:g}."
    )
