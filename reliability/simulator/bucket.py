"""
A token bucket: the rate limits of the Messages API, of requests and of tokens.

As the API describes it, the bucket is refilled all the time, not at the start of each
minute, and its capacity allows a burst.

Whoever asks for more than the bucket can hold gets it when the bucket is full, and the
level then is below zero: the debt is paid off before anybody else is served. So a large
request is late and not impossible, and the rate holds even so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reliability.clock import Clock

# A refill that is due this instant may come out a rounding error short; of a bucket of
# a million tokens, or one that is filled by thousands a second, the error is larger.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    The bucket's reply to one request.

    Args:
        allowed: False: the bucket holds less than was asked for.
        remaining: Whole units left in the bucket.
        wait_s: Seconds until the bucket holds as much as was asked for again; 0: it
            does.
        full_at_utc: When the bucket will be full if nobody asks.
    """

    allowed: bool
    remaining: int
    wait_s: float
    full_at_utc: datetime


class TokenBucket:
    """
    Allows *burst* units at once and *per_minute* of them in the long run.

    Args:
        per_minute: Refill rate in units per minute, above 0.
        burst: Capacity, above 0; the bucket begins full.
        clock: Refills by its monotonic time; headers show its UTC time.
    """

    def __init__(self, *, per_minute: int, burst: int, clock: Clock) -> None:
        self.per_minute = per_minute
        self._rate_per_s = per_minute / 60.0
        self._burst = burst
        self._clock = clock
        self._level = float(burst)
        self._filled_mono_s = clock.monotonic_s()

    def take(self, amount: int = 1) -> Grant:
        """
        Take *amount* units out of the bucket, if it holds them.
        """
        (grant,) = take_from_all([(self, amount)])
        return grant

    def holds(self, amount: int) -> bool:
        """
        Fill up what is due, and tell whether *amount* may be taken.
        """
        now_mono_s = self._clock.monotonic_s()
        gained = (now_mono_s - self._filled_mono_s) * self._rate_per_s
        self._level = min(self._burst, self._level + gained)
        self._filled_mono_s = now_mono_s
        return self._missing(amount) <= 0.0

    def draw(self, amount: int) -> None:
        """
        Take *amount* out, which it `holds`.
        """
        level = self._level - amount
        self._level = 0.0 if 0.0 > level > -self._tolerance else level

    def grant(self, amount: int, *, allowed: bool) -> Grant:
        """
        Return how the bucket stands for whoever asked for *amount*.
        """
        full_in_s = (self._burst - self._level) / self._rate_per_s
        return Grant(
            allowed=allowed,
            remaining=max(0, int(self._level + self._tolerance)),
            wait_s=self._missing(amount) / self._rate_per_s,
            full_at_utc=self._clock.now_utc() + timedelta(seconds=full_in_s),
        )

    @property
    def _tolerance(self) -> float:
        """
        What may be missing by rounding.
        """
        return _ROUNDING * max(1.0, self._burst, self._rate_per_s)

    def _missing(self, amount: int) -> float:
        """
        Return how much is missing before *amount* may be taken.
        """
        missing = min(amount, self._burst) - self._level
        return missing if missing > self._tolerance else 0.0


def take_from_all(asked: Sequence[tuple[TokenBucket, int]]) -> list[Grant]:
    """
    Take from every bucket what is asked of it, or nothing from any when one lacks it.

    Returns:
        For each bucket, whether it holds what is asked, and how it stands now.
    """
    held = [bucket.holds(amount) for bucket, amount in asked]
    if all(held):
        for bucket, amount in asked:
            bucket.draw(amount)
    return [
        bucket.grant(amount, allowed=allowed)
        for (bucket, amount), allowed in zip(asked, held, strict=True)
    ]


def whole_seconds(wait_s: float) -> int:
    """
    Return *wait_s* for a `retry-after` header: whole seconds, rounded up, at least 1.
    """
    return max(1, math.ceil(wait_s))
