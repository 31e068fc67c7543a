"""
What the counts prove: pure functions on numbers, no I/O.
"""

from __future__ import annotations

from reliability.stats.interval import lower_bound, upper_bound
from reliability.stats.verdict import CONFIDENCE, decide

__all__ = ["CONFIDENCE", "decide", "lower_bound", "upper_bound"]
