"""
The limits of one server: requests, input tokens and output tokens of a minute.

A request passes when every bucket holds what it needs of it, and takes from all of them
at once; a refused one takes nothing. Output is taken when the request is admitted, by
what its answer will have: unlike a model, the simulator knows that before it speaks.

Headers state how each bucket truly stands. A limit that the profile does not set is
stated as one that no request can reach, so that a client which obeys the headers is not
slowed by a limit that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.simulator.bucket import TokenBucket, take_from_all, whole_seconds
from reliability.simulator.replies import Refusal, retry_after_line

if TYPE_CHECKING:
    from reliability.clock import Clock
    from reliability.simulator.bucket import Grant
    from reliability.simulator.profile import Profile

# More than this server could be asked for in a minute.
UNREACHED = {
    "requests": 1_000_000,
    "input-tokens": 100_000_000_000,
    "output-tokens": 100_000_000_000,
}


class Quota:
    """
    Lets requests pass, or refuses them, by the limits of a profile.

    Not thread-safe: used by the server's loop alone.
    """

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self._tells_wait = profile.retry_after_s is not None
        self._clock = clock
        limits = {
            "requests": (profile.requests_per_minute, profile.burst),
            "input-tokens": (profile.input_tokens_per_minute, profile.token_burst),
            "output-tokens": (profile.output_tokens_per_minute, profile.token_burst),
        }
        self._buckets = {
            name: TokenBucket(
                per_minute=per_minute, burst=burst or per_minute, clock=clock
            )
            for name, (per_minute, burst) in limits.items()
            if per_minute
        }

    def admit(self, *, input_tokens: int, output_tokens: int) -> str:
        """
        Let one request pass and return its header lines; none without any limit.

        Raises:
            Refusal: 429 when a limit is reached; it waits for the slowest of them.
        """
        if not self._buckets:
            return ""
        needs = {
            "requests": 1,
            "input-tokens": input_tokens,
            "output-tokens": output_tokens,
        }
        asked = [(bucket, needs[name]) for name, bucket in self._buckets.items()]
        grants = dict(zip(self._buckets, take_from_all(asked), strict=True))
        headers = self._headers(grants)
        if all(grant.allowed for grant in grants.values()):
            return headers
        if self._tells_wait:
            wait_s = max(g.wait_s for g in grants.values() if not g.allowed)
            headers += retry_after_line(whole_seconds(wait_s))
        raise Refusal(429, headers=headers)

    def _headers(self, grants: dict[str, Grant]) -> str:
        """
        Return the `anthropic-ratelimit-*` header lines, each with its line end.
        """
        lines = []
        for name, unreached in UNREACHED.items():
            limit = remaining = unreached
            full_at_utc = self._clock.now_utc()
            if grant := grants.get(name):
                limit, remaining = self._buckets[name].per_minute, grant.remaining
                full_at_utc = grant.full_at_utc
            reset = full_at_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
            prefix = f"anthropic-ratelimit-{name}"
            lines.append(
                f"{prefix}-limit: {limit}\r\n"
                f"{prefix}-remaining: {remaining}\r\n"
                f"{prefix}-reset: {reset}\r\n"
            )
        return "".join(lines)
