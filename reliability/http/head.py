"""
The head of a request, written, and the head of an answer, read (RFC 9112).

Promises: nothing that a server sends raises anything but `NotHttpError` here; a head is
bounded in bytes and in fields; how the body ends is decided once, from the rules of RFC
9112, section 6.3, and a length that is not one number is refused, not guessed.

Trade-off: the standard library parses a head as if it were an e-mail, which takes as
long as sending the request and reading the answer together. This reads what HTTP is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reliability.http.errors import HttpError, NotHttpError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.http.route import Origin, Request

HEAD_CAP_BYTES = 64 * 1024
_MOST_FIELDS = 100
_RECEIVE_BYTES = 16 * 1024  # a head, and the whole of most answers behind it
_MOST_INTERIM = 20
_START = b"HTTP/"

# A bare LF ends a line too (RFC 9112, section 2.2).
_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) +([1-9][0-9][0-9])(?:[ \t].*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_FIELD = re.compile(r"[!#-'*+.0-9A-Z^-z|~-]+: [\t\x20-\x7e]*")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Head(NamedTuple):
    """
    What is known of an answer before its body.

    Args:
        headers: By lower-case name; repeated ones are joined with ", ".
        length_bytes: Of the body; None: in chunks, or until the connection ends.
        keeps_open: The connection can be used again after the body.
    """

    status: int
    headers: dict[str, str]
    length_bytes: int | None
    is_chunked: bool
    keeps_open: bool


def write_head(request: Request, target: str, extra: Mapping[str, str]) -> bytes:
    """
    Return request line and headers, *extra* before those of the request.
    """
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in extra.items()]
    lines.append("Accept-Encoding: identity")
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}")
    elif request.method in _WITH_BODY:
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def check_headers(headers: Mapping[str, str], origin: Origin) -> None:
    """
    Refuse what would not be one line each, in an error that hides the value.

    Raises:
        HttpError: of kind "protocol".
    """
    for name, value in headers.items():
        if not _FIELD.fullmatch(f"{name}: {value}"):
            text = f"{origin}: the value of header {name!r} is not one line of ASCII"
            raise HttpError("protocol", text)


def read_head(receive: Callable[[int], bytes], method: str) -> tuple[Head, bytes]:
    """
    Return the head of the answer to a *method* request, and what came behind it.

    Interim answers (1xx) are passed over.

    Args:
        receive: Waits for at most so many bytes; b"" at the end of the connection.

    Raises:
        NotHttpError: when it is no head, or one beyond all bounds.
        OSError: when the connection ends inside of it, and whatever *receive* raises.
    """
    data = b""
    for _ in range(_MOST_INTERIM):
        head, data = _take_head(receive, data, method)
        if head.status >= 200 or head.status == 101:
            return head, data
    raise NotHttpError("it has no end of interim answers")


def _take_head(
    receive: Callable[[int], bytes], data: bytes, method: str
) -> tuple[Head, bytes]:
    """
    Return one head and what follows it; *data* has come already.
    """
    seen_bytes = 0
    while True:
        if not data.startswith(_START[: len(data)]):
            raise NotHttpError("it does not begin with a status line")
        end = _END.search(data, max(0, seen_bytes - 2))
        seen_bytes = len(data) if end is None else end.start()
        if seen_bytes > HEAD_CAP_BYTES:
            raise NotHttpError("its head is too long")
        if end is not None:
            break
        more = receive(_RECEIVE_BYTES)
        if not more:
            raise OSError(0, "it ended in the head" if data else "nothing was answered")
        data += more
    text = data[: end.start()].decode("latin-1")
    return _parse(text, method), data[end.end() :]


def _parse(text: str, method: str) -> Head:
    """
    Understand a whole head.
    """
    first, *lines = text.split("\n")
    status_line = _STATUS_LINE.fullmatch(first.rstrip("\r"))
    if not status_line:
        raise NotHttpError("its status line is malformed")
    headers = _fields(lines)
    status = int(status_line[2])
    length_bytes, is_chunked = _framing(headers)
    # RFC 9112, section 6.3: these have no body, whatever length they state.
    if method == "HEAD" or status in {204, 304} or status < 200:
        length_bytes, is_chunked = 0, False
    wish = headers.get("connection", "").lower()
    stays = "keep-alive" in wish if status_line[1] == "0" else "close" not in wish
    has_end = is_chunked or length_bytes is not None
    keeps_open = stays and has_end and status != 101
    return Head(status, headers, length_bytes, is_chunked, keeps_open)


def _fields(lines: list[str]) -> dict[str, str]:
    """
    Return header fields, repeated ones joined as RFC 9110, section 5.3 allows.
    """
    if len(lines) > _MOST_FIELDS:
        raise NotHttpError("it has too many headers")
    headers: dict[str, str] = {}
    key = ""
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t\r")
        if key and line[:1] in " \t":  # a folded line, RFC 9112, section 5.2
            headers[key] += f" {line.strip()}"
            continue
        if not colon or not name or name[-1] in " \t":
            raise NotHttpError("a header is malformed")
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _framing(headers: Mapping[str, str]) -> tuple[int | None, bool]:
    """
    Return the length of the body, None when it is not stated, and whether in chunks.
    """
    coding = headers.get("transfer-encoding", "identity").lower()
    if coding == "chunked":
        return None, True
    if coding != "identity":
        raise NotHttpError("its transfer coding is none that was asked for")
    stated = headers.get("content-length")
    if stated is None:
        return None, False
    if _LENGTH.fullmatch(stated):
        return int(stated), False
    # Repeated with the same value it still is one number (RFC 9110, section 8.6).
    values = {value.strip() for value in stated.split(",")}
    if len(values) != 1 or not _LENGTH.fullmatch(value := values.pop()):
        raise NotHttpError("its length is not a number")
    return int(value), False
