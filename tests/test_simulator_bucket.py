"""
The rate limit lets through what it says, by a clock that the tests move.
"""

from __future__ import annotations

from fakes.hand_clock import HandClock
from hypothesis import given, strategies as st

from reliability.simulator.bucket import TokenBucket, take_from_all, whole_seconds


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


@given(
    per_minute=st.integers(min_value=1, max_value=10**7),
    burst=st.integers(min_value=1, max_value=10**7),
    asks=st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=50),
            st.integers(min_value=0, max_value=2 * 10**7),
        ),
        max_size=40,
    ),
)
def test_large_requests_run_into_debt_and_the_rate_holds(
    per_minute: int, burst: int, asks: list[tuple[float, int]]
) -> None:
    """
    All that was granted but the last one fits burst + rate x time.
    """
    clock = HandClock()
    bucket = TokenBucket(per_minute=per_minute, burst=burst, clock=clock)
    taken = 0
    for wait_s, amount in asks:
        clock.elapsed_s += wait_s
        due = burst + clock.elapsed_s * per_minute / 60
        if bucket.take(amount).allowed:
            assert taken + min(amount, burst) <= due + 1e-6 * burst
            taken += amount


@given(
    per_minute=st.integers(min_value=1, max_value=10**7),
    burst=st.integers(min_value=1, max_value=10**7),
    amounts=st.lists(st.integers(min_value=1, max_value=2 * 10**7), min_size=1),
)
def test_whoever_waits_as_told_gets_any_amount(
    per_minute: int, burst: int, amounts: list[int]
) -> None:
    """
    No amount is too much for ever, and no wait is too short.
    """
    clock = HandClock()
    bucket = TokenBucket(per_minute=per_minute, burst=burst, clock=clock)
    for amount in amounts:
        grant = bucket.take(amount)
        if not grant.allowed:
            clock.elapsed_s += grant.wait_s

            assert grant.wait_s > 0
            assert bucket.take(amount).allowed


def test_who_asks_for_nothing_is_served_by_an_empty_bucket() -> None:
    """
    An error has no output, whatever is left for it.
    """
    bucket = TokenBucket(per_minute=60, burst=1, clock=HandClock())
    bucket.take()

    assert bucket.take(0).allowed


def test_one_bucket_that_lacks_it_keeps_all_others_full() -> None:
    """
    A refused request takes from no bucket, and each says what it would have done.
    """
    clock = HandClock()
    few, many = (
        TokenBucket(per_minute=60, burst=burst, clock=clock) for burst in (1, 100)
    )
    granted = take_from_all([(few, 1), (many, 40)])
    refused = take_from_all([(few, 1), (many, 40)])

    assert [(g.allowed, g.remaining) for g in granted] == [(True, 0), (True, 60)]
    assert [(g.allowed, g.remaining) for g in refused] == [(False, 0), (True, 60)]
    assert [g.wait_s for g in refused] == [1.0, 0.0]


def test_retry_after_is_rounded_up_to_whole_seconds() -> None:
    """
    A client that waits that long is not refused again for coming early.
    """
    assert [whole_seconds(s) for s in (0.1, 1.0, 1.2, 7.0)] == [1, 1, 2, 7]
