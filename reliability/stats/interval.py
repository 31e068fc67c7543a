"""
Exact one-sided bounds of a pass rate (Clopper and Pearson, Biometrika 26, 1934).

The lower bound is the rate at which as many passes or more would be seen with a
probability of just 1 - confidence; the upper bound is its mirror. They never promise
more than their confidence, which the usual approximations do for few trials.
"""

from __future__ import annotations

import math

_HALVINGS = 60
"""Bisection steps; a double has no more digits than 2**-53."""


def lower_bound(passed: int, measured: int, confidence: float) -> float:
    """
    Return the rate that the agent has at least, with *confidence*; 0 when none passed.

    Args:
        confidence: One-sided, between 0 and 1.
    """
    if passed == 0:
        return 0.0
    alpha = 1 - confidence
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if tail(passed, measured, middle) < alpha:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def upper_bound(passed: int, measured: int, confidence: float) -> float:
    """
    Return the rate that the agent has at most, with *confidence*; 1 when none failed.
    """
    return 1.0 - lower_bound(measured - passed, measured, confidence)


def tail(successes: int, trials: int, rate: float) -> float:
    """
    Return the probability of *successes* or more in *trials* at *rate*.
    """
    if successes <= 0:
        return 1.0
    if rate <= 0 or rate >= 1:
        return float(rate >= 1)
    if successes > trials * rate:
        return _sum_upwards(successes, trials, rate)
    return 1.0 - _sum_upwards(trials - successes + 1, trials, 1 - rate)


def _sum_upwards(first: int, trials: int, rate: float) -> float:
    """
    Add the probabilities from *first*, beyond the mean, until they no longer count.
    """
    if first > trials:
        return 0.0
    term = math.exp(
        math.lgamma(trials + 1)
        - math.lgamma(first + 1)
        - math.lgamma(trials - first + 1)
        + first * math.log(rate)
        + (trials - first) * math.log1p(-rate)
    )
    total = term
    odds = rate / (1 - rate)
    for count in range(first, trials):
        term *= (trials - count) / (count + 1) * odds
        total += term
        if term < total * 1e-17:
            break
    return min(1.0, total)


def percent(share: float) -> str:
    """
    Return a share as people say it: "95%", "99.9%".
    """
    return f"{100 * share:.6g}%"


def quantile(share: float) -> float:
    """
    Return below which value that share of the standard normal law lies.
    """
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)
