"""
The parser of requests takes anything and accepts only what is plainly right.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from reliability.simulator.http1 import (
    MAX_BODY_BYTES,
    MAX_HEADERS,
    Head,
    HttpError,
    parse_head,
    response_head,
)

GOOD = b"POST /v1/messages?beta=true HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n"


def status_of(raw: bytes) -> int:
    """
    Return the status that *raw* is refused with.
    """
    with pytest.raises(HttpError) as caught:
        parse_head(raw)
    return caught.value.status


def test_good_head_is_read_without_its_query() -> None:
    """
    Method, path, headers and length come out as sent.
    """
    expected = Head(
        method="POST",
        path="/v1/messages",
        headers={"host": "x", "content-length": "12"},
        content_length=12,
        keep_alive=True,
        expects_continue=False,
    )

    assert expected == parse_head(GOOD)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 505),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nspace : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\na: x\ny: z\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\na: x\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: +1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: \xb2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", 431),
    ],
)
def test_doubtful_head_is_refused(raw: bytes, status: int) -> None:
    """
    What two parsers could read in two ways is not read at all.
    """
    assert status == status_of(raw)


@given(raw=st.binary(max_size=300))
@example(raw=GOOD)
def test_any_bytes_are_a_head_or_an_http_error(raw: bytes) -> None:
    """
    No input makes the parser fail in any other way.
    """
    try:
        head = parse_head(raw)
    except HttpError as error:
        assert error.status in {400, 411, 413, 431, 505}  # noqa: PT017 - both are fine
    else:
        assert 0 <= head.content_length <= MAX_BODY_BYTES


@given(
    at=st.integers(min_value=0, max_value=len(GOOD)),
    cut=st.integers(min_value=0, max_value=8),
    put=st.binary(max_size=4),
)
def test_damaged_head_is_a_head_or_an_http_error(at: int, cut: int, put: bytes) -> None:
    """
    A good head with a piece replaced is accepted or refused, never worse.
    """
    raw = GOOD[:at] + put + GOOD[at + cut :]
    try:
        head = parse_head(raw)
    except HttpError as error:
        assert error.status >= 400  # noqa: PT017 - both are fine
    else:
        assert head.method.isupper()


def test_reply_to_a_made_up_status_has_a_head_too() -> None:
    """
    The API's own 529, and a status that nobody knows, are sent like any other.
    """
    heads = [response_head(s, content_type="a/b", rest="") for s in (200, 529, 598)]

    assert [head.partition(b"\r\n")[0] for head in heads] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 529 Overloaded",
        b"HTTP/1.1 598 Unknown",
    ]
