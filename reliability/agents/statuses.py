"""
From an HTTP status to the kind of trouble, one table for every backend.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from reliability.kinds import ErrorKind

_BY_STATUS = {
    400: ErrorKind.BAD_REQUEST,
    401: ErrorKind.AUTHENTICATION,
    403: ErrorKind.AUTHENTICATION,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.NO_RESPONSE,
    409: ErrorKind.SERVER_ERROR,
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
    "request_too_large": ErrorKind.BAD_REQUEST,
}


def kind_of_status(status: int) -> ErrorKind:
    """
    Return the kind of an HTTP *status* from 400 on.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ErrorKind.SERVER_ERROR if status >= 500 else ErrorKind.BAD_REQUEST


def kind_of_error_type(error_type: str) -> ErrorKind:
    """
    Return the kind of an error object's `type`, as in a stream that had begun.
    """
    return _BY_ERROR_TYPE.get(error_type, ErrorKind.SERVER_ERROR)


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
    return wait_s if math.isfinite(wait_s) and wait_s >= 0 else None


def _until(text: str, now_utc: datetime) -> float:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now_utc).total_seconds())
