"""
A rate learnt from refusals alone, for agents whose limits cannot be seen.

A child process or a gateway tells no allowance, only "too many" now and then. What is
known then: at a refusal the service's bucket was empty. So between two refusals it let
through just what was filled in, and their number over the time is the rate. The first
refusal tells less: a short `retry-after` is about the time that one request takes to be
filled in; a long one is a pause and tells no rate; without one, half of what went
through so far is a beginning.

The rate grows again with every attempt that goes through: it doubles while it is far
below the last rate that was known to work, and then takes small steps, larger ones the
longer nothing is refused: a limit may have been shared with somebody who has gone.
"""

from __future__ import annotations

import math

_SHORT_RETRY_AFTER_S = 2.0
_CAUTION = 0.97  # A little below what is known, so that a stock builds up.
_FIRST_STEP = 0.0025
_STEP_DOUBLES_AFTER = 20
_MOST_STEP = 0.1
_ENOUGH = 3  # Fewer that went through tell of bad luck, not of a rate.


class Cadence:
    """
    Spaces the starts; until the first refusal not at all.
    """

    def __init__(self) -> None:
        self.per_s = math.inf
        self._empty_mono_s: float | None = None
        self._began_mono_s: float | None = None
        self._cut_mono_s = -math.inf
        self._last_start_mono_s = -math.inf
        self._worked_per_s = math.inf
        self._passed = 0

    def wait_s(self, now_mono_s: float) -> float:
        """
        Return seconds until the next attempt may start.
        """
        return max(0.0, self._last_start_mono_s + 1 / self.per_s - now_mono_s)

    def started(self, now_mono_s: float) -> None:
        """
        Note a start.
        """
        self._last_start_mono_s = now_mono_s
        if self._began_mono_s is None:
            self._began_mono_s = now_mono_s

    def passed(self, sent_mono_s: float) -> None:
        """
        Note that an attempt was let through.
        """
        if sent_mono_s < self._cut_mono_s:
            return
        self._passed += 1
        if self.per_s < self._worked_per_s / 2:
            self.per_s *= 2
            return
        step = _FIRST_STEP * 2 ** min(16, self._passed // _STEP_DOUBLES_AFTER)
        self.per_s *= 1 + min(step, _MOST_STEP)

    def refused(
        self, sent_mono_s: float, now_mono_s: float, retry_after_s: float | None
    ) -> bool:
        """
        Cut the rate, and tell whether it was cut.

        Attempts that were under way at the last cut say nothing new.
        """
        if sent_mono_s < self._cut_mono_s:
            return False
        since_s = self._empty_mono_s
        if since_s is None:
            since_s = now_mono_s if self._began_mono_s is None else self._began_mono_s
        # None at all in that time is fewer than one.
        measured = max(1, self._passed) / max(1.0, now_mono_s - since_s)
        is_sure = self._passed >= _ENOUGH
        if self._empty_mono_s is not None:
            known = measured
        elif retry_after_s and retry_after_s <= _SHORT_RETRY_AFTER_S:
            known, is_sure = 1 / retry_after_s, True
        elif retry_after_s:
            known = math.inf
        else:
            known = measured / 2
        if is_sure:
            self._worked_per_s = known
        self.per_s = min(self.per_s, known) * _CAUTION
        self._empty_mono_s = self._cut_mono_s = now_mono_s
        self._passed = 0
        return True
