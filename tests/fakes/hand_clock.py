"""
A clock that tests move by hand.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

BEGAN_UTC = datetime(2026, 11, 23, 17, 40, tzinfo=UTC)


class HandClock:
    """
    A clock that stands still until it is moved.
    """

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def now_utc(self) -> datetime:
        """
        Return the time of day.
        """
        return BEGAN_UTC + timedelta(seconds=self.elapsed_s)

    def monotonic_s(self) -> float:
        """
        Return the seconds that count.
        """
        return 1000.0 + self.elapsed_s
