"""
What a success costs, and whether one arm takes longer than the other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from reliability.stats.interval import quantile

if TYPE_CHECKING:
    from collections.abc import Sequence


class SuccessCost(NamedTuple):
    """
    Dollars a success, failed trials paid for.

    Args:
        lower, upper: Of both together, by the delta method on the logarithm; equal to
            the estimate where one trial leaves no spread to go by.
    """

    usd: float
    lower: float
    upper: float


def success_cost(
    trials: Sequence[tuple[float, bool]], *, confidence: float = 0.95
) -> SuccessCost | None:
    """
    Return what a success costs; None when there was none, which no number tells.

    Args:
        trials: Cost in dollars and whether it passed, of each.
        confidence: Of both bounds together.
    """
    count = len(trials)
    passed = sum(success for _, success in trials)
    if not passed:
        return None
    cost = math.fsum(spent for spent, _ in trials) / passed
    rate = passed / count
    errors = [(spent - cost * success) / rate for spent, success in trials]
    if count < 2 or not cost:
        return SuccessCost(cost, cost, cost)
    mean = math.fsum(errors) / count
    spread = math.fsum((one - mean) ** 2 for one in errors) / (count - 1)
    reach = quantile((1 + confidence) / 2) * math.sqrt(spread / count) / cost
    return SuccessCost(cost, cost * math.exp(-reach), cost * math.exp(reach))


def slower(strata: Sequence[tuple[Sequence[float], Sequence[float]]]) -> float:
    """
    Return the p that head's times are no longer than base's (Mann and Whitney, 1947).

    Stratified by case: ranks are given within each, and their sums and variances are
    added. Normal approximation with a correction for ties and for continuity, so meant
    for some ten times an arm or more; 1 when nothing can be told.

    Args:
        strata: Times of base and of head, of each case; infinite ones are longest.
    """
    surplus = variance = 0.0
    for base, head in strata:
        if not base or not head:
            continue
        first, second = len(base), len(head)
        ranks, ties = _ranked([*base, *head])
        total = math.fsum(ranks[first:])
        surplus += total - second * (second + 1) / 2 - first * second / 2
        both = first + second
        tied = ties / (both * (both - 1)) if both > 1 else 0.0
        variance += first * second / 12 * (both + 1 - tied)
    if variance <= 0:
        return 1.0
    from statistics import NormalDist

    return 1 - NormalDist().cdf((surplus - 0.5) / math.sqrt(variance))


def _ranked(values: Sequence[float]) -> tuple[list[float], float]:
    """
    Return mean ranks from 1, and the sum of t^3 - t over groups of equal values.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, ties = [0.0] * len(values), 0.0
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        size = end - at
        ties += size**3 - size
        for place in order[at:end]:
            ranks[place] = (at + 1 + end) / 2
        at = end
    return ranks, ties
