"""
The rate limit lets through what it says, by a clock that the tests move.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from reliability.simulator.bucket import TokenBucket, limit_headers, whole_seconds

BEGAN_UTC = datetime(2026, 11, 23, 17, 40, tzinfo=UTC)


class HandClock:
    """
    A clock that stands still until it is moved.
    """

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def now_utc(self) -> datetime:
        return BEGAN_UTC + timedelta(seconds=self.elapsed_s)

    def monotonic_s(self) -> float:
        return 1000.0 + self.elapsed_s


def test_burst_is_allowed_and_the_next_one_waits() -> None:
    """
    A full bucket serves its burst at once; then a request a refill interval.
    """
    clock = HandClock()
    bucket = TokenBucket(per_minute=60, burst=3, clock=clock)
    grants = [bucket.take() for _ in range(4)]
    clock.elapsed_s = 0.75
    early = bucket.take()
    clock.elapsed_s = 1.0
    due = bucket.take()

    assert [g.allowed for g in grants] == [True, True, True, False]
    assert [g.remaining for g in grants] == [2, 1, 0, 0]
    assert grants[3].wait_s == 1.0
    assert (early.allowed, early.wait_s) == (False, 0.25)
    assert due.allowed


def test_bucket_never_holds_more_than_its_burst() -> None:
    """
    Idle time beyond a full bucket is not saved up.
    """
    clock = HandClock()
    bucket = TokenBucket(per_minute=600, burst=2, clock=clock)
    clock.elapsed_s = 3600.0

    assert [bucket.take().allowed for _ in range(3)] == [True, True, False]


@given(
    per_minute=st.integers(min_value=1, max_value=6000),
    burst=st.integers(min_value=1, max_value=20),
    waits_s=st.lists(st.floats(min_value=0, max_value=5), max_size=60),
)
def test_no_history_gets_more_than_burst_and_rate(
    per_minute: int, burst: int, waits_s: list[float]
) -> None:
    """
    Over any time, grants stay within burst + rate x time.
    """
    clock = HandClock()
    bucket = TokenBucket(per_minute=per_minute, burst=burst, clock=clock)
    allowed = 0
    for wait_s in waits_s:
        clock.elapsed_s += wait_s
        allowed += bucket.take().allowed

        assert allowed <= burst + clock.elapsed_s * per_minute / 60 + 1e-6


@given(
    per_minute=st.integers(min_value=1, max_value=6000),
    burst=st.integers(min_value=1, max_value=20),
)
def test_client_that_waits_as_told_is_served(per_minute: int, burst: int) -> None:
    """
    After exactly the stated wait the next request is allowed.
    """
    clock = HandClock()
    bucket = TokenBucket(per_minute=per_minute, burst=burst, clock=clock)
    grant = bucket.take()
    while grant.allowed:
        grant = bucket.take()
    clock.elapsed_s += grant.wait_s

    assert bucket.take().allowed


def test_headers_state_limit_remaining_and_reset() -> None:
    """
    The headers say when the bucket will be full, in RFC 3339.
    """
    bucket = TokenBucket(per_minute=60, burst=10, clock=HandClock())
    bucket.take()
    lines = limit_headers(60, bucket.take(), input_tokens=12).splitlines()

    assert lines[:3] == [
        "anthropic-ratelimit-requests-limit: 60",
        "anthropic-ratelimit-requests-remaining: 8",
        "anthropic-ratelimit-requests-reset: 2026-11-23T17:40:02Z",
    ]
    assert [line.partition(": ")[0] for line in lines[3:]] == [
        f"anthropic-ratelimit-{kind}-tokens-{field}"
        for kind in ("input", "output")
        for field in ("limit", "remaining", "reset")
    ]


def test_retry_after_is_rounded_up_to_whole_seconds() -> None:
    """
    A client that waits that long is not refused again for coming early.
    """
    assert [whole_seconds(s) for s in (0.1, 1.0, 1.2, 7.0)] == [1, 1, 2, 7]
