"""
What a service says of its limits, as values.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """
    What is left of one limit, as the reply to one request says.

    Args:
        per_minute: The rate at which it is filled up again; None when not said.
        remaining: What was left after the request that this is the reply to.
        full_in_s: Seconds until all of it is there again; None when not said.
    """

    per_minute: int | None
    remaining: int
    full_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The limits of one reply; None for one that it does not mention.

    Args:
        tokens: Input and output together, which some services limit as one.
    """

    requests: Allowance | None = None
    input_tokens: Allowance | None = None
    output_tokens: Allowance | None = None
    tokens: Allowance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """
    Why no attempt starts just now, for people.

    Args:
        why: A phrase such as "paused by the service".
        wait_s: Seconds until one may; None when only the end of another can tell.
    """

    why: str
    wait_s: float | None
