"""
A moment on the monotonic clock after which nothing is waited for.

A time-out that is given to each wait anew lets a slow peer live for ever; a deadline is
given once and each wait gets what is left of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reliability.clock import Clock


class Deadline:
    """
    A moment after which nothing is waited for.

    Args:
        timeout_s: From now on.
    """

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._end_mono_s = clock.monotonic_s() + timeout_s
        self.timeout_s = timeout_s

    def left_s(self) -> float:
        """
        Return the seconds left, more than 0.

        Raises:
            TimeoutError: when there are none.
        """
        left_s = self._end_mono_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def sooner(self, timeout_s: float) -> Deadline:
        """
        Return this deadline, or one *timeout_s* from now when that comes first.
        """
        new = Deadline(self._clock, timeout_s)
        return new if new._end_mono_s < self._end_mono_s else self
