"""
What the counts prove: pure functions on numbers, no I/O.
"""

from __future__ import annotations

from reliability.stats.interval import lower_bound, percent, upper_bound
from reliability.stats.judged import Judged
from reliability.stats.planning import chances_of, trials_for
from reliability.stats.referee import Referee
from reliability.stats.verdict import decide, total

__all__ = [
    "Judged",
    "Referee",
    "chances_of",
    "decide",
    "lower_bound",
    "percent",
    "total",
    "trials_for",
    "upper_bound",
]
