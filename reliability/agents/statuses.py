"""
From what the service says to the kind of trouble, one table for every backend.

The status decides, or in a stream that had begun the error's `type`. Only a prompt
longer than the model's window has neither to itself: it is an `invalid_request_error`
like any other, and is known by the message of that error object, which the service
wrote and no model. The texts are those of the public API.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reliability.kinds import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_STATUS = {
    400: ErrorKind.BAD_REQUEST,
    401: ErrorKind.AUTHENTICATION,
    403: ErrorKind.AUTHENTICATION,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.NO_RESPONSE,
    409: ErrorKind.SERVER_ERROR,
    413: ErrorKind.PROMPT_TOO_LONG,
    429: ErrorKind.RATE_LIMIT,
    529: ErrorKind.OVERLOADED,
}

_BY_ERROR_TYPE = {
    "rate_limit_error": ErrorKind.RATE_LIMIT,
    "overloaded_error": ErrorKind.OVERLOADED,
    "api_error": ErrorKind.SERVER_ERROR,
    "timeout_error": ErrorKind.NO_RESPONSE,
    "authentication_error": ErrorKind.AUTHENTICATION,
    "permission_error": ErrorKind.AUTHENTICATION,
    "not_found_error": ErrorKind.NOT_FOUND,
    "invalid_request_error": ErrorKind.BAD_REQUEST,
    "request_too_large": ErrorKind.PROMPT_TOO_LONG,
}

_TOO_LONG_TEXTS = (
    "prompt is too long",
    "input length and `max_tokens` exceed context limit",
)
# A clock this near to the service's is right: its header says whole seconds.
_CLOCK_ERROR_S = 2.0


def kind_of_status(status: int, error_type: str = "", text: str = "") -> ErrorKind:
    """
    Return the kind of an HTTP *status* from 400 on.

    Args:
        error_type, text: `type` and `message` of the error object in the body.
    """
    if status == 400 and _is_too_long(error_type, text):
        return ErrorKind.PROMPT_TOO_LONG
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ErrorKind.SERVER_ERROR if status >= 500 else ErrorKind.BAD_REQUEST


def kind_of_error_type(error_type: str, text: str = "") -> ErrorKind:
    """
    Return the kind of an error object's `type`, as in a stream that had begun.

    Args:
        text: The object's `message`.
    """
    if _is_too_long(error_type, text):
        return ErrorKind.PROMPT_TOO_LONG
    return _BY_ERROR_TYPE.get(error_type, ErrorKind.SERVER_ERROR)


def service_now_utc(headers: Mapping[str, str], *, now_utc: datetime) -> datetime:
    """
    Return the time by which the service means the dates in its headers.

    That is ours, unless its `date` header says that one of the two clocks is wrong: a
    machine whose clock is an hour behind would else wait an hour too long.

    Args:
        headers: Of one reply that has just arrived, by lower-case name.
        now_utc: By our clock.
    """
    ahead_s = _until(headers.get("date", ""), now_utc)
    if math.isnan(ahead_s) or abs(ahead_s) <= _CLOCK_ERROR_S:
        return now_utc
    try:
        return now_utc + timedelta(seconds=ahead_s)
    except OverflowError:  # A date at the end of the calendar, in another time zone.
        return now_utc


def parse_retry_after(text: str | None, *, now_utc: datetime) -> float | None:
    """
    Return the seconds that a `retry-after` header asks for: a number or an HTTP date.

    Returns:
        None when there is no header, or nothing in it that makes sense; never negative
        and never infinite.
    """
    text = (text or "").strip()
    if not text:
        return None
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = _until(text, now_utc)
        if wait_s < 0:
            return 0.0  # A moment that has passed is one to try again at.
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _is_too_long(error_type: str, text: str) -> bool:
    """
    Tell whether an error object says that the prompt does not fit the model's window.
    """
    return error_type == "invalid_request_error" and text.startswith(_TOO_LONG_TEXTS)


def _until(text: str, now_utc: datetime) -> float:
    """
    Return the seconds from *now_utc* to an HTTP date; negative: past; NaN: no date.
    """
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now_utc).total_seconds()
