"""
Decides how many attempts may be in flight and when the next may start.

One gate stands in front of every attempt, first or repeated. It holds the ceiling, the
gap between loops in sequential mode, and one pause for all when the service names a
time: after "retry after 20 seconds" nobody knocks for 20 seconds, instead of every
worker finding out by itself. Only the scheduler's thread calls it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.engine.retry import RETRY_AFTER_CAP_S

if TYPE_CHECKING:
    from reliability.model import Reply


class Governor:
    """
    The gate of one run.

    Args:
        ceiling: Most attempts in flight.
        gap_s: Seconds from the end of one attempt to the start of the next trial.
    """

    def __init__(self, *, ceiling: int, gap_s: float) -> None:
        self._ceiling = ceiling
        self._gap_s = gap_s
        self._next_trial_mono_s = float("-inf")
        self._paused_until_mono_s = float("-inf")
        self.in_flight = 0

    def wait_s(self, now_mono_s: float, *, first_attempt: bool) -> float | None:
        """
        Return seconds until an attempt may start, 0 for now; None until one has ended.
        """
        if self.in_flight >= self._ceiling:
            return None
        opens_mono_s = self._paused_until_mono_s
        if first_attempt:
            opens_mono_s = max(opens_mono_s, self._next_trial_mono_s)
        return max(0.0, opens_mono_s - now_mono_s)

    def paused_s(self, now_mono_s: float) -> float:
        """
        Return seconds that the pause for all still lasts; 0 when there is none.
        """
        return max(0.0, self._paused_until_mono_s - now_mono_s)

    def started(self) -> None:
        """
        Note that an attempt has started.
        """
        self.in_flight += 1

    def ended(self, reply: Reply, now_mono_s: float) -> None:
        """
        Note that an attempt has ended, and what the service said.
        """
        self.in_flight -= 1
        self._next_trial_mono_s = now_mono_s + self._gap_s
        trouble = reply.trouble
        if trouble is not None and trouble.retry_after_s is not None:
            pause_s = min(trouble.retry_after_s, RETRY_AFTER_CAP_S)
            self._paused_until_mono_s = max(
                self._paused_until_mono_s, now_mono_s + pause_s
            )
