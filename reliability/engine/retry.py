"""
Whether a trial gets another attempt, and after how long: tenacity's policies.

The policy is tenacity's, its loop is not: the scheduler asks after each attempt and
keeps the waiting trials itself, so that no thread sleeps, a waiting trial holds no
slot, and a cancelled run waits for nothing. Only infrastructure trouble is tried again.

Waits: what the service asked for, plus up to a tenth so that not everybody comes back
in the same moment; else full jitter, from 1 s after a rate limit (it needs time) and
from a quarter of a second after anything else (a busy server is often back at once).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import (
    DoSleep,
    RetryCallState,
    Retrying,
    retry_always,
    stop_after_attempt,
    wait_random_exponential,
)
from tenacity.wait import wait_base, wait_random

from reliability.kinds import ErrorKind
from reliability.model import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_AFTER_CAP_S = 600.0
"""A service that asks for more than this is asking for another day."""

_after_rate_limit = wait_random_exponential(multiplier=1, max=60)
_after_other_trouble = wait_random_exponential(multiplier=0.25, max=30)


class _WaitForTrouble(wait_base):
    """
    The wait that fits the trouble of the last attempt, in seconds.
    """

    def __call__(self, retry_state: RetryCallState) -> float:
        trouble = _reply_of(retry_state).trouble
        if trouble is not None and trouble.retry_after_s is not None:
            asked_s = min(trouble.retry_after_s, RETRY_AFTER_CAP_S)
            return asked_s + wait_random(0, 0.1 * asked_s)(retry_state)
        if trouble is not None and trouble.kind is ErrorKind.RATE_LIMIT:
            return _after_rate_limit(retry_state)
        return _after_other_trouble(retry_state)


def is_worth_another(reply: Reply) -> bool:
    """
    Tell whether the trouble may pass by itself.
    """
    return reply.trouble is not None and reply.trouble.rule.retry


class RetryPolicy:
    """
    The same rule for every trial of a run.

    Args:
        max_attempts: Attempts a trial may have in all, from 1.
    """

    def __init__(self, max_attempts: int) -> None:
        self._retrying = Retrying(
            stop=stop_after_attempt(max_attempts),
            wait=_WaitForTrouble(),
            retry=retry_always,
            retry_error_callback=lambda state: state.outcome,
        )

    def begin(self) -> Callable[[Reply], float | None]:
        """
        Return the memory of one trial: give it each reply, get the wait in seconds.

        None from it means that the trial has ended.
        """
        state: RetryCallState | None = None

        def after(reply: Reply) -> float | None:
            nonlocal state
            if not is_worth_another(reply):
                return None
            if state is None:  # Most trials never get here.
                self._retrying.begin()
                state = RetryCallState(self._retrying, fn=None, args=(), kwargs={})
            state.set_result(reply)
            step = self._retrying.iter(retry_state=state)
            if not isinstance(step, DoSleep):
                return None
            state.prepare_for_next_attempt()
            return float(step)

        return after


def _reply_of(retry_state: RetryCallState) -> Reply:
    assert retry_state.outcome is not None, "the scheduler sets it"  # noqa: S101
    reply = retry_state.outcome.result()
    assert isinstance(reply, Reply), "the scheduler sets no other"  # noqa: S101
    return reply
