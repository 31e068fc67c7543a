"""
A token bucket: the rate limit of the Messages API.

As the API describes it, the bucket is refilled all the time, not at the start of each
minute, and its capacity allows a burst.

Only requests are limited. The headers about tokens state a limit that no request can
reach, so that a client which obeys them is not slowed by a limit that is not there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reliability.clock import Clock

# Larger than any request that the server accepts, for each request of a minute.
TOKENS_PER_REQUEST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    The bucket's reply to one request.

    Args:
        allowed: False: the request is to be refused with a 429.
        remaining: Whole requests left in the bucket.
        wait_s: Seconds until the bucket holds a whole request again; 0: it does.
        full_at_utc: When the bucket will be full if nobody asks.
    """

    allowed: bool
    remaining: int
    wait_s: float
    full_at_utc: datetime


class TokenBucket:
    """
    Allows *burst* requests at once and *per_minute* of them in the long run.

    Args:
        per_minute: Refill rate in requests per minute, above 0.
        burst: Capacity; the bucket begins full.
        clock: Refills by its monotonic time; headers show its UTC time.
    """

    def __init__(self, *, per_minute: int, burst: int, clock: Clock) -> None:
        self.per_minute = per_minute
        self._rate_per_s = per_minute / 60.0
        self._burst = burst
        self._clock = clock
        self._level = float(burst)
        self._filled_mono_s = clock.monotonic_s()

    def take(self) -> Grant:
        """
        Take one request out of the bucket, if it holds a whole one.
        """
        now_mono_s = self._clock.monotonic_s()
        gained = (now_mono_s - self._filled_mono_s) * self._rate_per_s
        self._level = min(self._burst, self._level + gained)
        self._filled_mono_s = now_mono_s
        # A refill that is due this instant may come out a rounding error short.
        allowed = self._level >= 1.0 - 1e-9
        if allowed:
            self._level = max(0.0, self._level - 1.0)
        missing = max(0.0, 1.0 - self._level)
        full_in_s = (self._burst - self._level) / self._rate_per_s
        return Grant(
            allowed=allowed,
            remaining=int(self._level + 1e-9),
            wait_s=missing / self._rate_per_s,
            full_at_utc=self._clock.now_utc() + timedelta(seconds=full_in_s),
        )


def limit_headers(per_minute: int, grant: Grant, *, input_tokens: int) -> str:
    """
    Return the `anthropic-ratelimit-*` header lines, each with its line end.

    Args:
        per_minute: The limit that the headers state.
        grant: The reply that they describe.
        input_tokens: Tokens of this request, taken off what remains of them.
    """
    reset = grant.full_at_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    token_limit = per_minute * TOKENS_PER_REQUEST
    rows = (
        ("requests", per_minute, grant.remaining),
        ("input-tokens", token_limit, max(0, token_limit - input_tokens)),
        ("output-tokens", token_limit, token_limit),
    )
    return "".join(
        f"anthropic-ratelimit-{name}-limit: {limit}\r\n"
        f"anthropic-ratelimit-{name}-remaining: {remaining}\r\n"
        f"anthropic-ratelimit-{name}-reset: {reset}\r\n"
        for name, limit, remaining in rows
    )


def whole_seconds(wait_s: float) -> int:
    """
    Return *wait_s* for a `retry-after` header: whole seconds, rounded up, at least 1.
    """
    return max(1, math.ceil(wait_s))
