"""
Whether a run can show what it is asked to show, before it costs anything.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from reliability.choices import GateRule
from reliability.errors import UsageError
from reliability.gate import Gate
from reliability.stats import chances_of, lower_bound, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.suite import Suite

_TRUE_RATES = (0.8, 0.9, 0.95, 0.99)


class _Claim(NamedTuple):
    """
    A rate below 1 that some trials are to show.
    """

    whose: str
    rate: float
    trials: int
    cases: int


def require_reachable(suite: Suite) -> tuple[str, ...]:
    """
    Refuse a run that cannot pass, whatever comes; return what the user let pass.

    Raises:
        UsageError: naming for each claim how many loops could show it.
    """
    gate = Gate.of(suite)
    if gate.compares:
        return ()
    problems = tuple(
        _sentence(claim, gate)
        for claim in _claims(suite, gate)
        if claim.rate**claim.trials > gate.alpha
    )
    if problems and not suite.settings.allow_unreachable:
        raise UsageError(
            list(problems),
            remedy="Give more loops, or ask for a lower rate, or say "
            "allow-unreachable to run even so.",
        )
    return problems


def _claims(suite: Suite, gate: Gate) -> Iterator[_Claim]:
    cases = len(suite.cases)
    is_mean = gate.rule is GateRule.MEAN and cases > 1
    if is_mean:
        yield _Claim("The mean", gate.min_pass_rate, suite.trials, cases)
    for case in suite.cases:
        rate = case.settings.min_pass_rate
        if rate >= 1 or (is_mean and rate == gate.min_pass_rate):
            continue
        whose = f"Case {case.name}" if cases > 1 else "The agent"
        yield _Claim(whose, rate, case.settings.loops, 1)


def _sentence(claim: _Claim, gate: Gate) -> str:
    """
    Say what is out of reach, what would not be, and what that would bring.
    """
    most = lower_bound(claim.trials, claim.trials, gate.confidence)
    needed = math.ceil(math.log(gate.alpha) / math.log(claim.rate))
    loops = math.ceil(needed / claim.cases)
    chances = "; ".join(
        _chance(true_rate, loops * claim.cases, claim.rate, gate)
        for true_rate in _TRUE_RATES
    )
    sure = percent(gate.confidence)
    return (
        f"{claim.whose} can never show a pass rate of {claim.rate:g} in "
        f"{claim.trials} trials: even if all pass, {most:.1%} is what they show, "
        f"{sure} sure. From {loops} loops on it can be shown; with so many, {chances}."
    )


def _chance(true_rate: float, trials: int, rate: float, gate: Gate) -> str:
    found = chances_of(trials, rate, true_rate, gate=gate)
    return (
        f"an agent of {true_rate:.0%} is passed by {found.passes:.0%} of the runs, "
        f"failed by {found.fails:.0%}, and {found.inconclusive:.0%} show neither"
    )
