"""
When a run may stop: after each trial, the counts that settle the verdict.

A design is fixed before the first trial. It has for each n the fewest passes that mean
`pass` and the most that mean `fail`; a run that reaches neither by its last trial is
inconclusive. Both lists never fall, and rise by at most one a trial. So one more
success can never make a verdict worse, and what unknown trials can still change is
found by filling them all with failures and all with successes.

`sequential_design` spends the probability of a wrong verdict evenly over the trials (a
linear spending function: Lan and DeMets, Biometrika 70, 1983), exactly, by dynamic
programming at the rate that is asked. P(some n crosses the upper list) grows with the
rate, as crossing is an increasing event, so no rate below the one asked is passed more
often than alpha; the lower list is its mirror. Each list ignores the other, which only
makes both safer.

`fixed_design` is the exact binomial test after all trials, ended when its verdict can
no longer change. It has no such cost for long runs, and serves where the other's
dynamic programming, quadratic in the trials, would take too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from reliability.stats.interval import tail

MOST_SEQUENTIAL = 2_000
"""Trials up to which a run is stopped by the sequential design."""


@dataclass(frozen=True, slots=True)
class Design:
    """
    The counts that settle a verdict, by the number of trials seen.

    Args:
        uppers: At place n the fewest passes of n trials that mean `pass`; more than n
            when none do. Place 0 is not used.
        lowers: At place n the most passes of n trials that mean `fail`; -1 for none.
        has_order: The verdict depends on the order of the trials; else on their counts.
    """

    uppers: tuple[int, ...]
    lowers: tuple[int, ...]
    has_order: bool = True

    @property
    def trials(self) -> int:
        """
        How many trials it plans at most.
        """
        return len(self.uppers) - 1

    @property
    def can_pass(self) -> bool:
        """
        Whether any course of the trials passes; it does if one without a failure does.
        """
        return any(upper <= n for n, upper in enumerate(self.uppers) if n)


def design_of(
    trials: int, rate: float, *, alpha_pass: float, alpha_fail: float
) -> Design:
    """
    Return the design of a run that may stop early.

    Args:
        trials: At least 1.
        rate: What the agent must reach, above 0 to 1; 1 is the plain rule, by which
            the first failure settles it.
        alpha_pass, alpha_fail: Most probability of a wrong verdict of either kind.
    """
    if rate >= 1:
        never = trials + 1
        uppers = (*[never] * trials, trials)
        return Design(uppers, (-1, *range(trials)), has_order=False)
    if trials <= MOST_SEQUENTIAL:
        return sequential_design(trials, rate, alpha_pass, alpha_fail)
    return fixed_design(trials, rate, alpha_pass, alpha_fail)


@lru_cache(maxsize=64)
def sequential_design(
    trials: int, rate: float, alpha_pass: float, alpha_fail: float
) -> Design:
    """
    Return the exact sequential design with linear spending, quadratic in *trials*.

    Args:
        rate: Above 0 and below 1.
    """
    uppers = _spent(trials, rate, alpha_pass)
    # Failures are the successes of the mirrored test.
    mirrored = _spent(trials, 1 - rate, alpha_fail)
    lowers = tuple(n - fails for n, fails in enumerate(mirrored))
    return Design(tuple(uppers), lowers)


def _spent(trials: int, rate: float, alpha: float) -> list[int]:
    """
    Return for each n the fewest successes that end it, spending *alpha* evenly.
    """
    uppers = [1] * (trials + 1)
    alive = [1.0]  # alive[s]: probability of s successes without having ended before.
    spent = 0.0
    lose = 1 - rate
    floor = 0  # The last n's count: a lower one later would undo the monotony.
    for n in range(1, trials + 1):
        grown = [alive[0] * lose]
        grown += [
            here * lose + below * rate
            for here, below in zip(alive[1:], alive, strict=False)
        ]
        grown.append(alive[-1] * rate)
        alive = grown
        budget = alpha * n / trials
        while len(alive) > max(floor, 1) and spent + alive[-1] <= budget:
            spent += alive.pop()
        floor = uppers[n] = len(alive)
    return uppers


@lru_cache(maxsize=64)
def fixed_design(
    trials: int, rate: float, alpha_pass: float, alpha_fail: float
) -> Design:
    """
    Return the exact binomial test, ended when its verdict can no longer change.

    Args:
        rate: Above 0 and below 1.
    """
    fewest = _fewest(trials, rate, alpha_pass)
    most = trials - _fewest(trials, 1 - rate, alpha_fail)
    lowers = (max(-1, most - (trials - n)) for n in range(trials + 1))
    return Design((fewest,) * (trials + 1), tuple(lowers), has_order=False)


def _fewest(trials: int, rate: float, alpha: float) -> int:
    """
    Return the fewest successes that are as rare as *alpha* at *rate*.
    """
    low, high = 0, trials + 1
    while low < high:
        middle = (low + high) // 2
        if middle > trials or tail(middle, trials, rate) <= alpha:
            high = middle
        else:
            low = middle + 1
    return low
