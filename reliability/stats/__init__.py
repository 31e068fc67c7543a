"""
What the counts prove: pure functions on numbers, no I/O.
"""

from __future__ import annotations

from reliability.stats.interval import lower_bound, upper_bound
from reliability.stats.verdict import CONFIDENCE, decide, decide_cases, total

__all__ = [
    "CONFIDENCE",
    "decide",
    "decide_cases",
    "lower_bound",
    "total",
    "upper_bound",
]
