"""
What k tries come to: at least one passes (pass@k), or all of them do (pass^k).

Unbiased for one case (Chen et al., arXiv 2107.03374; Yao et al., arXiv 2406.12045), as
means over cases for a suite, and with the exact interval of one case: both rise with
the pass rate, so they turn its bounds into theirs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from reliability.stats.interval import lower_bound, upper_bound


class Tries(NamedTuple):
    """
    An estimate with its one-sided bounds.
    """

    estimate: float
    lower: float
    upper: float


def any_of(passed: int, measured: int, k: int, *, confidence: float = 0.95) -> Tries:
    """
    Return pass@k: the chance that at least one of *k* tries passes.

    Raises:
        ValueError: when fewer than *k* were measured, which says nothing about k.
    """
    _require(measured, k)
    none = math.comb(measured - passed, k) / math.comb(measured, k)
    lower = lower_bound(passed, measured, confidence)
    upper = upper_bound(passed, measured, confidence)
    return Tries(1 - none, 1 - (1 - lower) ** k, 1 - (1 - upper) ** k)


def all_of(passed: int, measured: int, k: int, *, confidence: float = 0.95) -> Tries:
    """
    Return pass^k: the chance that all of *k* tries pass.

    Raises:
        ValueError: when fewer than *k* were measured, which says nothing about k.
    """
    _require(measured, k)
    estimate = math.comb(passed, k) / math.comb(measured, k)
    lower = lower_bound(passed, measured, confidence)
    upper = upper_bound(passed, measured, confidence)
    return Tries(estimate, lower**k, upper**k)


def steadiness(passed: int, measured: int, *, confidence: float = 0.95) -> str:
    """
    Return what so many passes say of how steady a case is, in a phrase.

    One pass and one failure prove that it is mixed; nothing proves that it is not.
    """
    if not measured:
        return "nothing measured"
    if 0 < passed < measured:
        return f"mixed: {passed} of {measured} passed, so it is not deterministic"
    most = 1 - (1 - confidence) ** (1 / measured)
    what = "failures" if passed else "passes"
    return (
        f"all {measured} {'passed' if passed else 'failed'}: {what} at most {most:.1%}"
    )


def _require(measured: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"k is {k}: it must be at least 1")
    if measured < k:
        raise ValueError(f"k is {k}, and only {measured} trials were measured")
