"""
The limit of the benchmarks' server, by a clock that is turned by hand.
"""

from __future__ import annotations

import pytest

from benchmarks.side_by_side.limit import Limit
from benchmarks.side_by_side.scenario import BY_NAME
from reliability.simulator.profile import Profile


def test_limit_lets_through_what_the_ideal_says() -> None:
    """
    A client that asks all the time gets its last answer when the ideal has it.
    """
    scenario = BY_NAME["C-closed"]
    now_s = 0.0
    limit = Limit(
        Profile.parse(scenario.profile),
        close_after=scenario.calls // 2,
        closed_s=scenario.closed_s,
        monotonic_s=lambda: now_s,
    )
    let_through = 0
    while let_through < scenario.calls:
        allowed, _lines = limit.ask()
        let_through += allowed
        now_s += 0.0 if allowed else 0.01

    assert scenario.ideal_s == pytest.approx(now_s + scenario.latency_s, abs=0.05)


def test_closed_limit_tells_when_it_opens() -> None:
    """
    Whoever is refused while it is closed is told the rest of that time.
    """
    now_s = 0.0
    limit = Limit(
        Profile.parse("requests-per-minute=600,burst=10"),
        close_after=1,
        closed_s=20.0,
        monotonic_s=lambda: now_s,
    )
    limit.ask()
    first = limit.ask()[1]
    now_s = 12.5
    later = limit.ask()[1]

    assert "retry-after: 20\r\n" in first
    assert "retry-after: 8\r\n" in later
