"""
Reads what the headers of a reply say about the limits of the Messages API.

Source: the public documentation of the API's rate limits. Each limit has three
headers, `anthropic-ratelimit-NAME-limit`, `-remaining` and `-reset`: what a minute
allows, what is left (of tokens, rounded to the nearest thousand), and when all of it
is there again (RFC 3339). `tokens` are those of the most restrictive limit in effect.

Promises: a header that makes no sense is as good as none, and never an error; a number
that comes out of here is finite, not negative and not beyond all sense. A limit whose
`remaining` is missing says nothing about this moment and is left out.

Not promised: that the numbers are true. Whoever paces by them learns from a refusal.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reliability.agents.statuses import service_now_utc
from reliability.limits import Allowance, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "anthropic-ratelimit-"

_FIELDS = {
    "requests": "requests",
    "input-tokens": "input_tokens",
    "output-tokens": "output_tokens",
    "tokens": "tokens",
}
_MOST = 10**12  # More a minute than any service allows, and exact as a float.
# A minute's limit is full again after a minute; a reset further off than this is none.
_MOST_RESET_S = 24 * 3600.0


def read_limits(headers: Mapping[str, str], *, now_utc: datetime) -> Limits | None:
    """
    Return the limits that the headers of one reply state.

    Args:
        headers: By lower-case name.
        now_utc: When they arrived; a `date` header that says otherwise replaces it.

    Returns:
        None when they state none that makes sense.
    """
    # Most replies of other services have none: looking is cheaper than reading.
    if not any(name.startswith(PREFIX) for name in headers):
        return None
    now_utc = service_now_utc(headers, now_utc=now_utc)
    found = {
        field: allowance
        for name, field in _FIELDS.items()
        if (allowance := _allowance(headers, name, now_utc)) is not None
    }
    return Limits(**found) if found else None


def _allowance(
    headers: Mapping[str, str], name: str, now_utc: datetime
) -> Allowance | None:
    """
    Return one limit; None when it is not said how much of it is left.
    """
    remaining = _count(headers.get(f"{PREFIX}{name}-remaining"))
    if remaining is None:
        return None
    return Allowance(
        # A limit of nothing a minute would be a service that answers nobody.
        per_minute=_count(headers.get(f"{PREFIX}{name}-limit")) or None,
        remaining=remaining,
        full_in_s=_seconds_until(headers.get(f"{PREFIX}{name}-reset"), now_utc),
    )


def _count(text: str | None) -> int | None:
    """
    Return a whole number from 0 to `_MOST`; None for anything else.
    """
    text = (text or "").strip()
    # int() takes more than the API writes: signs, underscores, digits of any script.
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_MOST)):
        return None
    count = int(text)
    return count if count <= _MOST else None


def _seconds_until(text: str | None, now_utc: datetime) -> float | None:
    """
    Return the seconds until an RFC 3339 time, 0 when it is past; None when it is none.
    """
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    wait_s = (moment - now_utc).total_seconds()
    return max(0.0, wait_s) if wait_s <= _MOST_RESET_S else None
