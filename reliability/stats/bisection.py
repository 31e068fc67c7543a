"""
Which of a row of commits lowered a pass rate: noisy bisection, by Bayes' rule.

The first place of a row is GOOD, the last one BAD. One hypothesis for each place: it is
the first that passes at the bad rate, and all before it pass at the good one. A first
place that is bad means that GOOD is bad already; one beyond the row, that BAD is good
still. All of them are as likely at the beginning. Every trial, wherever it was made,
moves all of them; a search is its counts and nothing else, so it can be gone on with.

A rate that is not told is one that no trial has told yet: every pair whose good rate is
the higher one is as likely, and the trials at the ends and between them decide.

The next trial is made where it is expected to tell most about the hypotheses (Lindley,
Ann. Math. Statist. 27, 1956); for equal errors that is the median of Horstein's noisy
search (IEEE Trans. Inf. Theory 9, 1963). Told by the trials themselves when it is
enough, a search may stop after any of them. That the named commit is the right one with
a probability of *confidence* holds on the average over the places where it may be, if
the rate falls once and stays; `docs/bisect.md` has what simulation says of each place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_POINTS = 40
"""Rates that an untold one may be: the middles of so many parts of 0 to 1."""

_NOTHING = 1e-12
"""What rounding alone can tell, in nats."""


class Counts(NamedTuple):
    """
    Trials of one commit that passed and that failed.
    """

    passed: int = 0
    failed: int = 0

    @property
    def trials(self) -> int:
        """
        How many there are.
        """
        return self.passed + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """
    How likely each hypothesis is, and the rates that it goes with.

    Args:
        shares: At place i, that i is the first bad one; one more than there are
            places, for none. They add up to 1.
        good_rates, bad_rates: The mean rates that the trials leave to each.
    """

    shares: tuple[float, ...]
    good_rates: tuple[float, ...]
    bad_rates: tuple[float, ...]

    @property
    def no_drop(self) -> float:
        """
        How likely it is that nothing between GOOD and BAD lowered the rate.
        """
        return self.shares[0] + self.shares[-1]

    @property
    def good_rate(self) -> float:
        """
        The rate before the drop, over all hypotheses.
        """
        return _dot(self.shares, self.good_rates)

    @property
    def bad_rate(self) -> float:
        """
        The rate from the drop on, over all hypotheses.
        """
        return _dot(self.shares, self.bad_rates)


def believe(
    row: Sequence[Counts],
    *,
    good_rate: float | None = None,
    bad_rate: float | None = None,
) -> Belief:
    """
    Return what the trials of a row of commits say.

    Args:
        row: From GOOD to BAD, at least these two; in the order of their history.
        good_rate, bad_rate: Told rates, above 0 and below 1, the bad one lower; None
            for one that is not known.
    """
    passed = [0, *accumulate(one.passed for one in row)]
    failed = [0, *accumulate(one.failed for one in row)]
    prior = _prior(good_rate, bad_rate)
    found = [
        prior.evidence(
            Counts(passed[first], failed[first]),
            Counts(passed[-1] - passed[first], failed[-1] - failed[first]),
        )
        for first in range(len(row) + 1)
    ]
    highest = max(one.log_likelihood for one in found)
    weights = [math.exp(one.log_likelihood - highest) for one in found]
    total = math.fsum(weights)
    return Belief(
        shares=tuple(weight / total for weight in weights),
        good_rates=tuple(one.good_rate for one in found),
        bad_rates=tuple(one.bad_rate for one in found),
    )


def groups_of(places: int, closed: Collection[int]) -> list[range]:
    """
    Return the places that only a commit without trials keeps apart, as ranges.

    The first range is GOOD alone, and no range has the hypothesis of no bad commit.

    Args:
        closed: Places at which no trial can be made, between GOOD and BAD.
    """
    groups, first = [], 0
    for place in range(places):
        if place not in closed:
            groups.append(range(first, place + 1))
            first = place + 1
    return groups


def next_place(belief: Belief, open_places: Collection[int]) -> int | None:
    """
    Return the place whose next trial tells most; None when none tells anything.

    Args:
        open_places: Where a trial may be made.
    """
    told = _information(belief)
    best = max(sorted(open_places), key=lambda place: told[place], default=None)
    return None if best is None or told[best] <= _NOTHING else best


def _information(belief: Belief) -> list[float]:
    """
    Return for each place what its next trial is expected to tell, in nats.
    """
    shares, good, bad = belief.shares, belief.good_rates, belief.bad_rates
    passes_bad = [share * rate for share, rate in zip(shares, bad, strict=True)]
    passes_good = [share * rate for share, rate in zip(shares, good, strict=True)]
    unsure_bad = [s * _entropy(r) for s, r in zip(shares, bad, strict=True)]
    unsure_good = [s * _entropy(r) for s, r in zip(shares, good, strict=True)]
    passes, unsure = math.fsum(passes_good), math.fsum(unsure_good)
    told = []
    for place in range(len(shares) - 1):
        # Those whose first bad place is this one or before it see a bad commit here.
        passes += passes_bad[place] - passes_good[place]
        unsure += unsure_bad[place] - unsure_good[place]
        told.append(_entropy(min(1.0, max(0.0, passes))) - unsure)
    return told


def _entropy(rate: float) -> float:
    if rate <= 0 or rate >= 1:
        return 0.0
    return -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(one * other for one, other in zip(left, right, strict=True))


class _Evidence(NamedTuple):
    """
    How well a hypothesis foretold the trials, and the rates that they leave it.
    """

    log_likelihood: float
    good_rate: float
    bad_rate: float


class _Prior:
    """
    Pairs of rates, each as likely as every other, whose good one is the higher.
    """

    def __init__(self, good: Sequence[float], bad: Sequence[float]) -> None:
        self._good = [(r, math.log(r), math.log1p(-r)) for r in good]
        self._bad = [(r, math.log(r), math.log1p(-r)) for r in bad]
        # For each good rate, how many of the bad ones are below it.
        self._below = [sum(low < high for low in bad) for high in good]

    def evidence(self, before: Counts, after: Counts) -> _Evidence:
        """
        Weigh the trials before the drop and those from it on.
        """
        good = [before.passed * p + before.failed * f for _, p, f in self._good]
        bad = [after.passed * p + after.failed * f for _, p, f in self._bad]
        most_good, most_bad = max(good), max(bad)
        good_weights = [math.exp(one - most_good) for one in good]
        bad_weights = [math.exp(one - most_bad) for one in bad]
        below = [0.0, *accumulate(bad_weights)]
        sums = [
            0.0,
            *accumulate(
                w * r for w, (r, _, _) in zip(bad_weights, self._bad, strict=True)
            ),
        ]
        pairs = [w * below[n] for w, n in zip(good_weights, self._below, strict=True)]
        total = math.fsum(pairs)
        rates = [r for r, _, _ in self._good]
        lows = [w * sums[n] for w, n in zip(good_weights, self._below, strict=True)]
        if not total:
            return _Evidence(-math.inf, rates[-1], self._bad[0][0])
        return _Evidence(
            most_good + most_bad + math.log(total),
            _dot(pairs, rates) / total,
            math.fsum(lows) / total,
        )


@lru_cache(maxsize=16)
def _prior(good_rate: float | None, bad_rate: float | None) -> _Prior:
    parts = [(part + 0.5) / _POINTS for part in range(_POINTS)]
    least, most = bad_rate or 0.0, good_rate or 1.0
    untold = [least + part * (most - least) for part in parts]
    return _Prior(
        untold if good_rate is None else [good_rate],
        untold if bad_rate is None else [bad_rate],
    )
