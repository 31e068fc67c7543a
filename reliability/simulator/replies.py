"""
Whole replies with a JSON body: values of the API, and its errors.
"""

from __future__ import annotations

from reliability.simulator import wire
from reliability.simulator.http1 import response_head

_JSON = "application/json"
_MAY_PASS = (408, 409, 429)  # Client errors that the API's own SDKs ask again after.


class Refusal(Exception):  # noqa: N818 - a refused request is what is simulated
    """
    A request that gets an error of the API and leaves the connection usable.

    Args:
        status: The HTTP status.
        message: Empty: a usual one for the status.
        headers: More header lines, each with its line end.
    """

    def __init__(self, status: int, message: str = "", *, headers: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def json_reply(serial: int, status: int, body: bytes, *, rest: str = "") -> bytes:
    """
    Return a whole reply with a JSON body.
    """
    lines = f"{common_lines(serial)}{rest}content-length: {len(body)}\r\n"
    return response_head(status, content_type=_JSON, rest=lines) + body


def error_reply(
    serial: int, status: int, message: str, *, rest: str = "", close: bool = False
) -> bytes:
    """
    Return a whole reply with an error of the API.
    """
    error = wire.error_object(status, request_id=request_id(serial), message=message)
    rest += retry_hint_line(status)
    rest += "connection: close\r\n" if close else ""
    return json_reply(serial, status, wire.to_body(error), rest=rest)


def common_lines(serial: int) -> str:
    """
    Return the header lines that every reply carries.
    """
    return f"request-id: {request_id(serial)}\r\n"


def request_id(serial: int) -> str:
    """
    Return the id of the n-th request of this server.
    """
    return f"req_simulated{serial:08d}"


def retry_hint_line(status: int) -> str:
    """
    Return the `x-should-retry` header line that the API sends with a hopeless error.

    Without it, Claude Code asks again ten times after a 401 (observed with 2.1.330).
    Errors that may pass carry no hint: clients go by their status.
    """
    hopeless = 400 <= status < 500 and status not in _MAY_PASS
    return "x-should-retry: false\r\n" if hopeless else ""


def retry_after_line(wait_s: float) -> str:
    """
    Return the `retry-after` header line for *wait_s* seconds, to the millisecond.
    """
    seconds = f"{wait_s:.3f}".rstrip("0").rstrip(".")
    return f"retry-after: {seconds}\r\n"
