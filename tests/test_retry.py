"""
The retry policy and the gate in front of every attempt.
"""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reliability.engine.retry import RETRY_AFTER_CAP_S, RetryPolicy
from reliability.kinds import KIND_RULES, ErrorKind
from reliability.model import Reply, Trouble

RETRIED = [kind for kind, rule in KIND_RULES.items() if rule.retry]
FINAL = [kind for kind, rule in KIND_RULES.items() if not rule.retry]


def met(kind: ErrorKind, retry_after_s: float | None = None) -> Reply:
    """
    Return a reply with trouble.
    """
    return Reply(trouble=Trouble(kind=kind, text="", retry_after_s=retry_after_s))


@given(
    kind=st.sampled_from(RETRIED),
    asked_s=st.floats(0, 1e12),
    attempts_before=st.integers(0, 3),
)
def test_retry_after_is_honoured_and_clamped(
    kind: ErrorKind, asked_s: float, attempts_before: int
) -> None:
    """
    The wait is what the service asked for plus up to a tenth, at most the cap's.
    """
    after = RetryPolicy(10).begin()
    for _ in range(attempts_before):
        after(met(kind))
    expected_s = min(asked_s, RETRY_AFTER_CAP_S)

    wait_s = after(met(kind, asked_s))

    assert wait_s is not None
    assert expected_s <= wait_s <= expected_s * 1.1


@given(kind=st.sampled_from(RETRIED), max_attempts=st.integers(1, 30))
def test_waits_stay_within_their_ceiling_and_end_with_the_attempts(
    kind: ErrorKind, max_attempts: int
) -> None:
    """
    Without a word from the service each wait is finite, and the last attempt has none.
    """
    after = RetryPolicy(max_attempts).begin()
    limited = kind is ErrorKind.RATE_LIMIT
    waits_s = [after(met(kind)) for _ in range(max_attempts)]

    assert waits_s[-1] is None
    for number, wait_s in enumerate(waits_s[:-1]):
        assert wait_s is not None
        ceiling_s = min(60, 2**number) if limited else min(30, 0.25 * 2**number)
        assert 0 <= wait_s <= ceiling_s


@pytest.mark.parametrize("kind", FINAL)
def test_what_cannot_pass_is_never_waited_for(kind: ErrorKind) -> None:
    """
    No wait after trouble that another attempt cannot cure, whatever the service asks.
    """
    assert RetryPolicy(5).begin()(met(kind, 3.0)) is None


def test_an_answer_is_never_waited_for() -> None:
    """
    A reply without trouble ends the trial, also a later one.
    """
    after = RetryPolicy(5).begin()

    assert after(met(ErrorKind.NETWORK)) is not None
    assert after(Reply(answer="Hello")) is None


def test_trials_do_not_share_their_attempts() -> None:
    """
    Each trial counts for itself, also when their replies come in turns.
    """
    policy = RetryPolicy(2)
    one, other = policy.begin(), policy.begin()
    waits = [
        trial(met(ErrorKind.NETWORK)) is None for trial in (one, other, one, other)
    ]

    assert [False, False, True, True] == waits
