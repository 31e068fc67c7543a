"""
The limit of the lean server: a bucket of requests that may be closed once to everybody.

It is closed for a while when so many requests were let through, as when a limit is
reached for another reason than this client: whoever asks then is refused, and told with
`retry-after` when it opens.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.simulator.profile import Profile


class Limit:
    """
    A bucket of requests, and at most one time when it is closed to everybody.

    Args:
        close_after: Requests let through before it closes; 0: it never does.
        closed_s: How long it stays closed.
        monotonic_s: The clock.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        close_after: int,
        closed_s: float,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._per_minute = profile.requests_per_minute
        self._burst = profile.burst
        self._tells = profile.retry_after_s is not None
        self._level = float(profile.burst)
        self._monotonic_s = monotonic_s
        self._filled_s = monotonic_s()
        self._let_through = 0
        self._close_after = close_after
        self._closed_s = closed_s
        self._opens_s = 0.0

    def ask(self) -> tuple[bool, str]:
        """
        Return whether a request may pass, and the header lines that go with it.
        """
        if not self._per_minute:
            return True, ""
        now_s = self._monotonic_s()
        rate_per_s = self._per_minute / 60
        gained = (now_s - self._filled_s) * rate_per_s
        self._level = min(self._burst, self._level + gained)
        self._filled_s = now_s
        if self._close_after and self._let_through >= self._close_after:
            self._close_after = 0
            self._opens_s = now_s + self._closed_s
        closed_s = self._opens_s - now_s
        allowed = closed_s <= 0 and self._level >= 1
        if allowed:
            self._level -= 1
            self._let_through += 1
        lines = self._lines(0 if closed_s > 0 else int(self._level))
        if not allowed and self._tells:
            wait_s = max(closed_s, (1 - self._level) / rate_per_s)
            lines += f"retry-after: {max(1, ceil(wait_s))}\r\n"
        return allowed, lines

    def _lines(self, remaining: int) -> str:
        """
        Return the limit's own header lines.
        """
        full_in_s = (self._burst - self._level) * 60 / self._per_minute
        full_utc = datetime.now(UTC) + timedelta(seconds=full_in_s)
        name = "anthropic-ratelimit-requests"
        return (
            f"{name}-limit: {self._per_minute}\r\n"
            f"{name}-remaining: {remaining}\r\n"
            f"{name}-reset: {full_utc:%Y-%m-%dT%H:%M:%SZ}\r\n"
        )
