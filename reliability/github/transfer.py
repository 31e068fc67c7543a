"""
One exchange with a server of GitHub's, and how often it is tried again.

Promises: what may pass by itself (429, 5xx, a broken connection, an unknown name, a
time-out) is tried again after the official client's waits; what will not is raised at
once. Waits end when *cancel* is set, and nothing lasts longer than the budget. No
error text holds a secret that `hide` was told.

Not promised: a call that is under way does not end with *cancel*; who needs that
aborts the `HttpClient` or gives a budget.

Protocol facts: actions/toolkit, `artifact-twirp-client.ts` (its list of statuses and
its waits); broken connections and 403 "intermediary" are ours to add, the official
client gives up on them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from reliability.escape import inline
from reliability.http import HttpClient, HttpError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from tenacity import RetryCallState

    from reliability.http.deadline import Deadline

T = TypeVar("T")

TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})
_FIRST_WAIT_S = 3.0
_WAIT_GROWTH = 1.5
_REPLY_CAP_BYTES = 1024 * 1024  # a list of 1000 artifacts is about 300 KiB
_QUOTED_WIDTH = 200  # of a server's text inside a sentence of ours


class ArtifactError(Exception):
    """
    The upload has failed for good; a sentence for people.
    """


class ArtifactSkipped(Exception):  # noqa: N818 - nothing went wrong
    """
    There is nowhere to upload to; a sentence for people.
    """


class TransientError(ArtifactError):
    """
    The same call may well succeed later.
    """


class RefusedError(ArtifactError):
    """
    The server understood and said no.

    Args:
        status: HTTP status.
        reason: The server's own words; "" when it gave none.
    """

    def __init__(self, text: str, *, status: int, reason: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    A whole answer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_transient(self) -> bool:
        """
        Say whether the status alone promises that trying again may help.

        A 403 that names an "intermediary" comes from a proxy on GitHub's side.
        """
        if self.status == 403:
            return b"intermediary" in self.body.lower()
        return self.status in TRANSIENT_STATUSES


class Transfer:
    """
    The means of one upload: client, patience, and what must not be shown.

    Args:
        attempts: Of each call, at least 1.
        cancel: Ends waits; the first attempt of a call is made even when it is set.
        deadline: For everything together.
        sleep: Waits that many seconds, or until *cancel*; None is tenacity's own.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        attempts: int,
        cancel: threading.Event,
        deadline: Deadline,
        sleep: Callable[[float], None] | None,
    ) -> None:
        self._http = http
        self._attempts = attempts
        self._cancel = cancel
        self._deadline = deadline
        self._sleep = sleep
        self._secrets: list[str] = []

    @property
    def is_cancelled(self) -> bool:
        """
        Say whether nothing should be tried again.
        """
        return self._cancel.is_set()

    def hide(self, *secrets: str) -> None:
        """
        Keep *secrets* out of all texts from here on.
        """
        self._secrets += filter(None, secrets)
        self._secrets.sort(key=len, reverse=True)  # the whole before its parts

    def quote(self, text: str) -> str:
        """
        Make a server's text fit to be shown: one short line, no secrets.
        """
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return inline(text, width=_QUOTED_WIDTH)

    def check_time(self) -> None:
        """
        Raise `ArtifactError` when the budget is spent.
        """
        self._time_left_s()

    def send(
        self,
        what: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
    ) -> Reply:
        """
        Do one exchange, once; *what* names it in errors.

        Raises:
            TransientError: when there was no answer.
            ArtifactError: when time is up or the client was aborted.
        """
        timeout_s = min(timeout_s, self._time_left_s())
        try:
            with self._http.request(
                method,
                url,
                headers=headers,
                body=body,
                timeout_s=timeout_s,
                repeat_stale=False,  # Create and Finalize must not arrive twice
            ) as response:
                whole = response.read(_REPLY_CAP_BYTES)
        except HttpError as error:
            if error.kind == "aborted":
                raise ArtifactError(f"{what} was cancelled") from error
            raise TransientError(f"{what} got no answer from {error}") from error
        return Reply(status=response.status, headers=response.headers, body=whole)

    def insist(self, call: Callable[[bool], T]) -> T:
        """
        Make a call until it ends otherwise than by `TransientError`.

        Args:
            call: Gets whether this is a repetition.

        Raises:
            TransientError: the last one, when attempts or time are used up.
        """
        from tenacity import Retrying, retry_if_exception_type, sleep_using_event

        for attempt in Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=self._must_stop,
            wait=_wait_s,
            sleep=self._sleep or sleep_using_event(self._cancel),
            reraise=True,
        ):
            with attempt:
                is_repeat = attempt.retry_state.attempt_number > 1
                if is_repeat and self.is_cancelled:
                    raise ArtifactError("cancelled while waiting for another attempt")
                return call(is_repeat)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _must_stop(self, state: RetryCallState) -> bool:
        """
        Say whether another attempt is not allowed, or could not begin in time.
        """
        if state.attempt_number >= self._attempts or self.is_cancelled:
            return True
        try:
            return self._deadline.left_s() <= state.upcoming_sleep
        except TimeoutError:
            return True

    def _time_left_s(self) -> float:
        """
        Return what is left of the budget.
        """
        try:
            return self._deadline.left_s()
        except TimeoutError:
            budget = f"{self._deadline.timeout_s:.3g} s"
            raise ArtifactError(f"the upload did not end within {budget}") from None


def _wait_s(state: RetryCallState) -> float:
    """
    Return 3 s, then a random time in [3 * 1.5^n, 3 * 1.5^(n+1)), as actions/toolkit.
    """
    done = state.attempt_number - 1
    if done == 0:
        return _FIRST_WAIT_S
    low_s = _FIRST_WAIT_S * _WAIT_GROWTH**done
    return random.uniform(low_s, low_s * _WAIT_GROWTH)  # noqa: S311 - no secret in it
