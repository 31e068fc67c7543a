"""
Time as an argument: whatever needs the time takes a `Clock`, so no test sleeps.

The wall clock is for people and may jump; durations come from the monotonic clock;
order comes from the log's `seq`, never from either.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """
    The two clocks of a run.
    """

    def now_utc(self) -> datetime:
        """
        Return the wall-clock time, aware, in UTC.
        """

    def monotonic_s(self) -> float:
        """
        Return seconds on a clock that never goes back; only differences mean anything.
        """


class SystemClock:
    """
    The machine's own clocks.
    """

    def now_utc(self) -> datetime:
        """
        Return the machine's wall-clock time in UTC.
        """
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """
        Return the machine's monotonic seconds.
        """
        return time.monotonic()


def iso_ms(moment_utc: datetime) -> str:
    """
    Format as `2026-11-23T17:40:59.123Z`: RFC 3339, UTC, milliseconds.
    """
    if moment_utc.tzinfo is not UTC:
        moment_utc = moment_utc.astimezone(UTC)
    stamp = moment_utc.isoformat(timespec="milliseconds")
    return f"{stamp[: -len('+00:00')]}Z"
