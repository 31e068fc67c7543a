"""
How much of one limit is left now, by what the service said last and how it refills.

A service that limits requests or tokens keeps a bucket which is refilled all the time.
Each reply says what was left in it; the attempts that were sent after the one that the
reply is to, and so may not be counted in it yet, are taken off here. Between replies
the level grows at the stated rate. The bucket's size is never stated: the most that was
ever seen in it stands for it, so that after a long pause no more is believed to be
there than was there before. One attempt's worth is kept in reserve, where the bucket
has room for it: an attempt reaches the service a little later or earlier than believed,
and a stock that is never used costs no time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reliability.engine.retry import RETRY_AFTER_CAP_S

if TYPE_CHECKING:
    from reliability.limits import Allowance

_BLIND_WAIT_S = 1.0  # The service says that nothing is left, and not for how long.
_ROOMY = 4  # A bucket for so many attempts has room for a reserve.
_ROUNDING = 1e-9


class Meter:
    """
    One limit; without any news it holds nothing back.

    Args:
        per_minute: The rate of refill; None while it is not known.
        capacity: The most that the bucket is believed to hold; it begins full.
    """

    def __init__(
        self, *, per_minute: float | None = None, capacity: float = math.inf
    ) -> None:
        self.per_minute = per_minute
        self._seen = capacity if per_minute is not None else 0.0
        self._level = capacity
        self._at_mono_s = 0.0
        self._news_mono_s = -math.inf
        self._full_mono_s = -math.inf

    def hear(
        self,
        allowance: Allowance,
        *,
        sent_mono_s: float,
        own_cost: float,
        later_cost: float,
    ) -> None:
        """
        Take in what a reply said; news of an attempt sent before the last one is old.

        Args:
            sent_mono_s: When the attempt was sent that this is the reply to.
            own_cost: What that attempt took.
            later_cost: What the attempts sent after it took.
        """
        if sent_mono_s < self._news_mono_s:
            return
        self._news_mono_s = self._at_mono_s = sent_mono_s
        if allowance.per_minute is not None:
            self.per_minute = float(allowance.per_minute)
        if allowance.full_in_s is not None:
            self._full_mono_s = sent_mono_s + allowance.full_in_s
        self._seen = max(self._seen, allowance.remaining + own_cost)
        self._level = allowance.remaining - later_cost

    def wait_s(self, cost: float, now_mono_s: float) -> float:
        """
        Return seconds until *cost* is there; 0 when it is.

        More than the bucket ever held is asked for as all of it: the service decides.
        It is asked again ten minutes after the last start or news, whatever it said.
        """
        most_s = max(0.0, self._at_mono_s + RETRY_AFTER_CAP_S - now_mono_s)
        return min(most_s, self._stated_wait_s(cost, now_mono_s))

    def take(self, cost: float, now_mono_s: float) -> None:
        """
        Note that an attempt which takes *cost* has been sent.
        """
        self._level = self._level_at(now_mono_s) - cost
        self._at_mono_s = now_mono_s

    def _stated_wait_s(self, cost: float, now_mono_s: float) -> float:
        needed = 2 * cost if self._seen >= _ROOMY * cost else min(cost, self._seen)
        missing = (needed if self._seen else cost) - self._level_at(now_mono_s)
        if missing <= _ROUNDING:
            return 0.0
        if self.per_minute:
            return missing * 60 / self.per_minute
        left_s = self._full_mono_s - now_mono_s
        return left_s if left_s > 0 else self._blind_wait_s(now_mono_s)

    def _blind_wait_s(self, now_mono_s: float) -> float:
        return max(0.0, self._at_mono_s + _BLIND_WAIT_S - now_mono_s)

    def _level_at(self, now_mono_s: float) -> float:
        if not self.per_minute or self._level == math.inf:
            return self._level
        gained = (now_mono_s - self._at_mono_s) * self.per_minute / 60
        return min(max(self._seen, self._level), self._level + gained)
