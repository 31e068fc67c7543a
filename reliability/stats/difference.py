"""
The bounds of a difference of two rates (Newcombe, Statistics in Medicine 17, 1998).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reliability.stats.interval import quantile

if TYPE_CHECKING:
    from reliability.stats.tables import Arm


def difference_bounds(base: Arm, head: Arm, confidence: float) -> tuple[float, float]:
    """
    Return the bounds of head's rate minus base's, each one-sided (Newcombe, method 10).
    """
    low_b, high_b = wilson(base, confidence)
    low_h, high_h = wilson(head, confidence)
    rate_b, rate_h = rate_of(base), rate_of(head)
    difference = rate_h - rate_b
    lower = difference - math.hypot(rate_h - low_h, high_b - rate_b)
    upper = difference + math.hypot(high_h - rate_h, rate_b - low_b)
    return max(-1.0, lower), min(1.0, upper)


def wilson(arm: Arm, confidence: float) -> tuple[float, float]:
    """
    Return the score bounds of one rate, each one-sided (Wilson, 1927).
    """
    z, n, rate = quantile(confidence), arm.measured, rate_of(arm)
    middle = rate + z * z / (2 * n)
    spread = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def rate_of(arm: Arm) -> float:
    """
    Return passed of measured, of which there must be some.
    """
    return arm.passed / arm.measured
