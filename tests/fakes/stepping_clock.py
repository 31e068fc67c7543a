"""
Clocks that tests move.
"""

from __future__ import annotations

from datetime import UTC, datetime


class SteppingClock:
    """
    A clock that goes on by *step_s* each time somebody looks.
    """

    def __init__(self, step_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def now_utc(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic_s(self) -> float:
        self.now_s += self.step_s
        return self.now_s
