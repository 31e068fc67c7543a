"""
HTTP/1.1 requests, read strictly: what is not plainly right is refused.

A head and a body have limits, and a body needs a `content-length`: no chunked
requests, no HTTP/1.0, no folded headers. That is what clients of a JSON API send, and
it keeps the parser small enough to be tested with anything at all: `parse_head`
returns a `Head` or raises `HttpError`, for every input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 32 * 1024 * 1024  # The Messages API's own limit on a request.
MAX_HEADERS = 100
# Every reply of a simulator carries it; see probe.py, which asks for it.
MARKER_HEADER = "x-reliability-simulator"
SERVICE_NAME = "reliability-simulator"  # What `GET /` says of itself.

_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/([0-9])\.([0-9])")
# RFC 9110 section 5.6.2 (token) and 5.5 (field value, without obsolete folding).
_HEADER = re.compile(
    r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)"
)
_LENGTH = re.compile(r"[0-9]{1,15}")
_PHRASES = {529: "Overloaded"}
_SINGLE = ("content-length", "x-reliability-trial", "x-reliability-attempt")


class HttpError(Exception):
    """
    A request that cannot be served.

    Args:
        status: The status that the client gets.
        message: What is wrong with the request, for the client.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    A request without its body.

    Args:
        method: In upper case.
        path: Without the query string.
        headers: By name in lower case; repeated ones are joined with a comma.
        content_length: Bytes of the body that follows.
        keep_alive: False: the client wants the connection closed after the reply.
        expects_continue: The client sends the body only after a `100 Continue`.
    """

    method: str
    path: str
    headers: dict[str, str]
    content_length: int
    keep_alive: bool
    expects_continue: bool


def parse_head(raw: bytes) -> Head:
    """
    Parse a request line and its headers.

    Args:
        raw: Everything up to and including the empty line.

    Raises:
        HttpError: 400 when it is malformed, 411 for a chunked body, 413 when the
            body would be too large, 431 for too many headers, 505 for a version
            other than 1.1.
    """
    lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    matched = _REQUEST_LINE.fullmatch(lines[0])
    if matched is None:
        raise HttpError(400, "The request line is malformed.")
    method, target, major, minor = matched.groups()
    if (major, minor) != ("1", "1"):
        raise HttpError(505, f"HTTP/{major}.{minor} is not supported; use HTTP/1.1.")
    headers = _parse_headers(lines[1:])
    return Head(
        method=method,
        path=target.partition("?")[0],
        headers=headers,
        content_length=_content_length(headers),
        keep_alive=headers.get("connection", "").lower() != "close",
        expects_continue=headers.get("expect", "").lower() == "100-continue",
    )


def _parse_headers(lines: list[str]) -> dict[str, str]:
    """
    Return the headers of *lines* by name in lower case.
    """
    if len(lines) > MAX_HEADERS:
        raise HttpError(431, f"There are more than {MAX_HEADERS} headers.")
    headers: dict[str, str] = {}
    for line in lines:
        matched = _HEADER.fullmatch(line)
        if matched is None:
            raise HttpError(400, "A header is malformed.")
        name = matched[1].lower()
        value = matched[2].rstrip(" \t")
        if name not in headers:
            headers[name] = value
        elif name in _SINGLE:
            raise HttpError(400, f"The header {name} is given twice.")
        else:
            headers[name] = f"{headers[name]}, {value}"
    return headers


def _content_length(headers: dict[str, str]) -> int:
    """
    Return the bytes of the body that *headers* announce.
    """
    if "transfer-encoding" in headers:
        raise HttpError(411, "Chunked bodies are not supported; send content-length.")
    raw = headers.get("content-length", "0")
    if _LENGTH.fullmatch(raw) is None:
        raise HttpError(400, "The header content-length is not a number of bytes.")
    length = int(raw)
    if length > MAX_BODY_BYTES:
        raise HttpError(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return length


def response_head(status: int, *, content_type: str, rest: str) -> bytes:
    """
    Return a reply's status line and headers, with the marker of a simulator.

    Args:
        status: Any HTTP status, also 529, which is the API's own.
        content_type: Of the body.
        rest: More header lines, each with its line end; say here how the body ends.
    """
    return (
        f"HTTP/1.1 {status} {_phrase(status)}\r\n"
        f"{MARKER_HEADER}: 1\r\n"
        f"content-type: {content_type}\r\n"
        f"{rest}\r\n"
    ).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """
    Return *data* as a chunk of a body whose length is not known beforehand.
    """
    return b"%x\r\n%b\r\n" % (len(data), data)


def _phrase(status: int) -> str:
    """
    Return the reason phrase of *status*.
    """
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
