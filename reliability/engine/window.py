"""
How many attempts may be in flight at a service that is overloaded now and then.

A single overload is chance and costs nothing but another attempt. When most of the last
attempts met one, the window is cut by a factor, once for all attempts that were under
way, and every full window of answers lets it grow by one.
"""

from __future__ import annotations

import math
from collections import deque

_CUT = 0.7
_SIGHT = 10  # Recent attempts that say whether the service is overloaded.


class Window:
    """
    Begins as wide as it may ever be.

    Args:
        ceiling: Most attempts in flight.
    """

    def __init__(self, *, ceiling: int) -> None:
        self._ceiling = ceiling
        self._width = float(ceiling)
        self._recent: deque[bool] = deque(maxlen=_SIGHT)
        self._cut_mono_s = -math.inf

    @property
    def width(self) -> int:
        """
        Attempts that may be in flight, at least 1.
        """
        return int(self._width)

    def answered(self) -> bool:
        """
        Note an answer; tell whether the window grew by one.
        """
        self._recent.append(False)
        if self._width >= self._ceiling:
            return False
        before = self.width
        self._width = min(float(self._ceiling), self._width + 1 / self._width)
        return self.width != before

    def overloaded(self, sent_mono_s: float, now_mono_s: float) -> bool:
        """
        Note an overload; tell whether the window was cut.
        """
        self._recent.append(True)
        if len(self._recent) < _SIGHT or 2 * sum(self._recent) <= _SIGHT:
            return False
        if sent_mono_s < self._cut_mono_s:
            return False
        self._width = max(1.0, self._width * _CUT)
        self._cut_mono_s = now_mono_s
        return True
