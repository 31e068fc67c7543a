"""
How often two trials give the same answer, and what follows from the counts.

Agreement is the chance that two trials, drawn without putting back, have the same
normalised answer: unbiased, where the square of shares is not. Its error is the
jackknife's over trials; both need the counts alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


class Agreement(NamedTuple):
    """
    What the counts of distinct answers say.

    Args:
        rate: Chance that two trials agree.
        error: Its standard error; None for fewer than three trials.
        effective: Number of equally frequent answers with the same agreement; None
            when no two trials agree.
        modal_share: Share of the most frequent answer.
        entropy_bits: With the correction of Miller and Madow.
        distinct, trials: How many answers, of how many trials.
    """

    rate: float
    error: float | None
    effective: float | None
    modal_share: float
    entropy_bits: float
    distinct: int
    trials: int


def agreement(counts: Collection[int]) -> Agreement:
    """
    Return the agreement of answers that came *counts* times each.

    Raises:
        ValueError: for fewer than two trials.
    """
    trials = sum(counts)
    if trials < 2:
        raise ValueError("agreement needs two trials at least")
    pairs = trials * (trials - 1)
    same = sum(count * (count - 1) for count in counts)
    rate = same / pairs
    plain = -sum(c / trials * math.log2(c / trials) for c in counts if c)
    correction = (len(counts) - 1) / (2 * trials * math.log(2))
    return Agreement(
        rate=rate,
        error=_jackknife(counts, same, trials),
        effective=1 / rate if rate else None,
        modal_share=max(counts) / trials,
        entropy_bits=plain + correction,
        distinct=len(counts),
        trials=trials,
    )


def _jackknife(counts: Collection[int], same: int, trials: int) -> float | None:
    """
    Return the error of the agreement, leaving out one trial at a time.
    """
    if trials < 3:
        return None
    pairs = (trials - 1) * (trials - 2)
    left = [(count, (same - 2 * (count - 1)) / pairs) for count in counts]
    mean = sum(count * rate for count, rate in left) / trials
    squares = sum(count * (rate - mean) ** 2 for count, rate in left)
    return math.sqrt((trials - 1) / trials * squares)
