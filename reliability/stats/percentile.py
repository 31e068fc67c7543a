"""
Percentiles of few values, with bounds that hold for every distribution.

The point is a value that was measured (nearest rank), and its bounds are order
statistics whose ranks follow from the binomial law alone. With too few values there is
no finite upper end, and none is made up.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from reliability.stats.interval import tail

if TYPE_CHECKING:
    from collections.abc import Sequence


class Percentile(NamedTuple):
    """
    A quantile of what was measured.

    Args:
        share: Which one, between 0 and 1.
        point: Nearest rank; infinite when that trial never ended in time.
        lower: 0 when there are too few values for a bound.
        upper: Infinite when there are too few values, or those beyond have no end.
        most: The largest value that has an end.
        size: How many values there are.
    """

    share: float
    point: float
    lower: float
    upper: float
    most: float
    size: int


def percentile(
    values: Sequence[float], share: float, *, confidence: float = 0.95
) -> Percentile:
    """
    Return a quantile with its bounds.

    Args:
        values: Not empty; infinite ones are such as had no end.
        confidence: Of both bounds together.

    Raises:
        ValueError: when there are no values.
    """
    if not values:
        raise ValueError("there is nothing to take a percentile of")
    ranked = sorted(values)
    count, half = len(ranked), (1 - confidence) / 2
    rank = min(count, max(1, math.ceil(share * count - 1e-12)))
    low, high = ranks(count, share, half)
    finite = [value for value in ranked if value < math.inf]
    return Percentile(
        share=share,
        point=ranked[rank - 1],
        lower=ranked[low - 1] if low else 0.0,
        upper=ranked[high - 1] if high else math.inf,
        most=finite[-1] if finite else 0.0,
        size=count,
    )


def ranks(count: int, share: float, half: float) -> tuple[int, int]:
    """
    Return the ranks of both bounds, each missed with *half* at most; 0 for none.
    """
    places = range(1, count + 1)
    high = 1 + bisect_left(
        places, True, key=lambda rank: tail(rank, count, share) <= half
    )
    # P(Bin(n, q) <= i - 1) is 1 - P(Bin >= i).
    low = bisect_left(
        places, True, key=lambda rank: 1 - tail(rank, count, share) > half
    )
    return low, high if high <= count else 0


def enough_for(share: float, *, confidence: float = 0.95) -> int:
    """
    Return the fewest values that give a quantile an upper end.
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log(share) - 1e-12)
