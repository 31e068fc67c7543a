"""
Exact tests of two arms, base and head: was head's pass rate lowered?

`stratified` is conditional: given how many passes each case had in both arms together,
head's share of them is hypergeometric if nothing changed, and the sum over cases is a
convolution. It is exact for any number of cases and unequal trials; for one case it is
Fisher's test. `boschloo` is the unconditional test of one case, which finds more at the
same error: the largest chance, over all common rates, of a table as extreme by Fisher's
p (Boschloo, Statistica Neerlandica 24, 1970).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BOSCHLOO = 200
"""Trials an arm beyond which Fisher's test stands for it: they agree by then."""

_GRID = 400
_REFINED = 60
_TIE = 1 + 1e-9  # Two tables whose chances differ by rounding alone are as extreme.


class Arm(NamedTuple):
    """
    What was measured of a case in one arm.
    """

    passed: int
    measured: int


class Chance(NamedTuple):
    """
    How likely so few passes of head are when nothing changed.

    Args:
        p: Of so few or fewer.
        mid_p: Counting half of the chance of just as many; less conservative.
    """

    p: float
    mid_p: float


def stratified(cases: Sequence[tuple[Arm, Arm]]) -> Chance:
    """
    Return the exact conditional chance over all cases.

    Args:
        cases: Base and head of each.
    """
    law = [1.0]
    least = seen = 0
    for base, head in cases:
        low, weights = _hypergeometric(base, head)
        law = _convolved(law, weights)
        least += low
        seen += head.passed
    at = seen - least
    below, here = math.fsum(law[:at]), law[at]
    return Chance(min(1.0, below + here), min(1.0, below + here / 2))


def boschloo(base: Arm, head: Arm) -> float:
    """
    Return the unconditional p that head's rate is not below base's.

    Quadratic in the trials; meant for `MOST_BOSCHLOO` an arm at most.
    """
    if not base.measured or not head.measured:
        return 1.0
    limit = stratified([(base, head)]).p * _TIE
    most = _most_extreme(base.measured, head.measured, limit)

    def chance(rate: float) -> float:
        """
        Sum the tables that are as extreme, at a common rate.
        """
        tail = _cumulated(_binomial(head.measured, rate))
        weights = _binomial(base.measured, rate)
        pairs = zip(weights, most, strict=True)
        return math.fsum(one * tail[count] for one, count in pairs if count >= 0)

    rates = [step / _GRID for step in range(_GRID + 1)]
    best = max(rates, key=chance)
    low, high = max(0.0, best - 1 / _GRID), min(1.0, best + 1 / _GRID)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(_REFINED):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if chance(left) < chance(right):
            low = left
        else:
            high = right
    return min(1.0, max(chance(best), chance((low + high) / 2)))


def lowered(base: Arm, head: Arm) -> float:
    """
    Return the p of one case, by the stronger test that is within reach.
    """
    if max(base.measured, head.measured) <= MOST_BOSCHLOO:
        return boschloo(base, head)
    return stratified([(base, head)]).p


def holm(chances: Sequence[float]) -> list[float]:
    """
    Return p values corrected for their number (Holm, 1979), in their order.
    """
    order = sorted(range(len(chances)), key=chances.__getitem__)
    corrected = [0.0] * len(chances)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, chances[place] * (len(chances) - rank)))
        corrected[place] = worst
    return corrected


def _hypergeometric(base: Arm, head: Arm) -> tuple[int, list[float]]:
    """
    Return the least passes that head can have, and the chances from there on.
    """
    passed = base.passed + head.passed
    low, high = max(0, passed - base.measured), min(passed, head.measured)
    logs = [
        _log_choose(head.measured, count)
        + _log_choose(base.measured, passed - count)
        - _log_choose(base.measured + head.measured, passed)
        for count in range(low, high + 1)
    ]
    weights = [math.exp(log) for log in logs]
    total = math.fsum(weights)
    return low, [weight / total for weight in weights]


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _convolved(one: list[float], other: list[float]) -> list[float]:
    total = [0.0] * (len(one) + len(other) - 1)
    for at, weight in enumerate(one):
        if weight:
            for step, more in enumerate(other):
                total[at + step] += weight * more
    return total


def _most_extreme(base: int, head: int, limit: float) -> list[int]:
    """
    Return for each count of base the most passes of head that are as extreme.

    More passes of base leave room for more of head, so the search only goes up.
    """
    found, count = [], -1
    for passed in range(base + 1):
        while count < head:
            more = Arm(count + 1, head)
            if stratified([(Arm(passed, base), more)]).p > limit:
                break
            count += 1
        found.append(count)
    return found


def _binomial(trials: int, rate: float) -> list[float]:
    if rate <= 0 or rate >= 1:
        certain = trials if rate >= 1 else 0
        return [float(count == certain) for count in range(trials + 1)]
    log, other = math.log(rate), math.log1p(-rate)
    return [
        math.exp(_log_choose(trials, count) + count * log + (trials - count) * other)
        for count in range(trials + 1)
    ]


def _cumulated(weights: Sequence[float]) -> list[float]:
    sums, total = [], 0.0
    for weight in weights:
        total += weight
        sums.append(min(1.0, total))
    return sums
