"""
The scheduler wakes when something can happen, and no later.
"""

from __future__ import annotations

from itertools import pairwise

from fakes.virtual_time import VirtualTime, play, right


class HastyTime(VirtualTime):
    """
    A clock on which time passes between any two readings.
    """

    def monotonic_s(self) -> float:
        self.now_s += 0.01
        return self.now_s


def test_no_time_is_lost_when_the_gate_opens_between_two_readings() -> None:
    """
    Only the budget makes an open gate wait for a reply.
    """
    minutes = {"max_minutes": 10.0}  # Never in the way.
    script = {n: [right(0.3 + n * 0.0037)] for n in range(1, 41)}

    story = play(
        script, trials=40, workers=40, per_minute=600, caps=minutes, time=HastyTime()
    )
    starts_s = [at_s for _, _, at_s in story.asked]

    assert 40 == len(starts_s)
    assert max(b - a for a, b in pairwise(starts_s)) < 0.2
