"""
A rate-limited service in virtual time: a bucket that refills and says what is left.

It answers `play(service=...)`: at the moment of the request it takes from its bucket or
refuses, as the real one does, and counts both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reliability.engine.task import Attempted
from reliability.kinds import ErrorKind
from reliability.limits import Allowance, Limits
from reliability.model import Reply, Trouble, Usage

if TYPE_CHECKING:
    from reliability.model import Trial


class LimitedService:
    """
    Lets *burst* requests through at once and *per_minute* in the long run.

    Args:
        latency_s: Of an answer; a refusal takes *refusal_s*.
        states: The replies state the allowance.
        retry_after: Refusals say how long to wait, in whole seconds.
        tokens: Each answer takes so many input tokens, and the bucket holds tokens.
        away: From when to when every request is refused, with the time left.
    """

    def __init__(
        self,
        *,
        per_minute: int,
        burst: int,
        latency_s: float = 0.3,
        refusal_s: float = 0.001,
        states: bool = True,
        retry_after: bool = True,
        tokens: int = 0,
        away: tuple[float, float] = (math.inf, math.inf),
    ) -> None:
        self._per_minute = per_minute
        self._burst = self._level = float(burst)
        self._at_s = 0.0
        self._latency_s = latency_s
        self._refusal_s = refusal_s
        self._states = states
        self._retry_after = retry_after
        self._tokens = tokens
        self._away = away
        self.refused = 0
        self.answered = 0

    def __call__(self, _trial: Trial, _attempt: int, now_s: float) -> Attempted:
        """
        Answer or refuse a request that arrives now.
        """
        gained = (now_s - self._at_s) * self._per_minute / 60
        self._level = min(self._burst, self._level + gained)
        self._at_s = now_s
        cost = float(self._tokens or 1)
        if self._away[0] <= now_s < self._away[1]:
            return self._refusal(self._away[1] - now_s)
        if self._level < cost - 1e-9:
            return self._refusal((cost - self._level) * 60 / self._per_minute)
        self._level -= cost
        self.answered += 1
        return Attempted(
            Reply(
                answer="Hello",
                duration_s=self._latency_s,
                limits=self._limits(),
                usage=Usage(input_tokens=self._tokens),
            )
        )

    def _refusal(self, wait_s: float) -> Attempted:
        """
        Refuse, and say for how long if this service does.
        """
        self.refused += 1
        asked_s = float(max(1, math.ceil(wait_s))) if self._retry_after else None
        trouble = Trouble(
            kind=ErrorKind.RATE_LIMIT, text="too many", retry_after_s=asked_s
        )
        reply = Reply(
            trouble=trouble, duration_s=self._refusal_s, limits=self._limits()
        )
        return Attempted(reply)

    def _limits(self) -> Limits | None:
        """
        State what is left, rounded down as the real service does.
        """
        if not self._states:
            return None
        left = Allowance(per_minute=self._per_minute, remaining=int(self._level + 1e-9))
        return Limits(input_tokens=left) if self._tokens else Limits(requests=left)
