"""
How the HTTP client reads heads and bodies, apart from any socket.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer
from hypothesis import given, strategies as st

from reliability.http import HttpClient
from reliability.http.body import Body
from reliability.http.errors import NotHttpError
from reliability.http.head import Head, read_head

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.raw_server import Peer

START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = Head(200, {}, None, is_chunked=True, keeps_open=True)


def arriving(*parts: bytes) -> Callable[[int], bytes]:
    """
    Return what receives *parts* one by one, then the end of the connection.
    """
    waiting = [part for part in parts if part]

    def receive(most_bytes: int) -> bytes:
        """
        Return the next part, or as much of it as is wanted.
        """
        if not waiting:
            return b""
        part = waiting.pop(0)
        if len(part) > most_bytes:
            waiting.insert(0, part[most_bytes:])
        return part[:most_bytes]

    return receive


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """
    Return *data* in pieces that end at *places*.
    """
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def in_chunks(chunks: list[bytes], tail: bytes = b"\r\n") -> bytes:
    """
    Return the chunked form of a body, with what stands between its last two lines.
    """
    whole = [b"%x;a=b\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk]
    return b"".join([*whole, b"0\r\n", tail])


@given(
    chunks=st.lists(st.binary(max_size=40), max_size=6),
    places=st.lists(st.integers(0, 300), max_size=8),
    most_bytes=st.integers(1, 50),
    trailers=st.sampled_from([b"\r\n", b"A: b\r\nC: d\r\n\r\n"]),
)
def test_chunks_are_joined_however_they_arrive(
    chunks: list[bytes], places: list[int], most_bytes: int, trailers: bytes
) -> None:
    """
    Neither the cuts of the network nor the cap of a reader changes a chunked body.
    """
    held, *rest = cut(in_chunks(chunks, trailers), places)
    body = Body(arriving(*rest), CHUNKED, held)
    pieces = list(iter(lambda: body.next(most_bytes), b""))

    assert b"".join(chunks) == b"".join(pieces)
    assert (True, True) == (body.is_over, body.is_clean)
    assert all(len(piece) <= most_bytes for piece in pieces)


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=4),
    end=st.integers(0, 80),
)
def test_what_has_arrived_is_handed_out_without_waiting(
    chunks: list[bytes], end: int
) -> None:
    """
    All content that is there comes before anything is waited for.
    """

    def never(_most_bytes: int) -> bytes:
        """
        Stand for a wait.
        """
        raise TimeoutError

    body, found = Body(never, CHUNKED, in_chunks(chunks)[:end]), b""
    with contextlib.suppress(TimeoutError):
        while piece := body.next(1000):
            found += piece
    arrived, left = b"", end
    for chunk in chunks:
        left -= len(b"1;a=b\r\n")
        arrived += chunk[: max(0, left)]
        left -= len(chunk) + 2

    assert arrived == found


@given(data=st.binary(max_size=80), cap=st.integers(1, 9))
def test_any_bytes_as_chunks_are_a_body_or_a_known_error(data: bytes, cap: int) -> None:
    """
    Nothing that stands where chunks should raises anything else, and all of it ends.
    """
    body = Body(arriving(data), CHUNKED, b"")
    with contextlib.suppress(NotHttpError, OSError):
        while body.next(cap):
            pass


@pytest.mark.parametrize(
    "data",
    [
        b"-1\r\na\r\n0\r\n\r\n",
        b"0x1\r\na\r\n0\r\n\r\n",
        b" 1\r\na\r\n0\r\n\r\n",
        b"11111111111111111\r\na",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1" + b";" * 10_000 + b"\r\na",
        b"0\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    ],
)
def test_malformed_chunks_are_refused(data: bytes) -> None:
    """
    A size that is no plain hexadecimal number, or a chunk beyond it, ends the answer.
    """
    body = Body(arriving(data), CHUNKED, b"")
    with pytest.raises(NotHttpError):
        b"".join(iter(lambda: body.next(1000), b""))


@given(places=st.lists(st.integers(0, 80), max_size=8))
def test_head_is_the_same_however_it_arrives(places: list[int]) -> None:
    """
    A head may be cut anywhere, even inside of its end; what follows is kept.
    """
    data = START + b"X-One: a\r\nx-one:b \r\n folded\r\nContent-Length: 3\r\n\r\n"
    receive = arriving(*cut(data + b"abc", places))
    head, rest = read_head(receive, "GET")
    body = Body(receive, head, rest)

    assert ("a, b folded", 3) == (head.headers["x-one"], head.length_bytes)
    assert b"abc" == b"".join(iter(lambda: body.next(9), b""))


def test_interim_answers_are_passed_over() -> None:
    """
    `100 Continue` and `103 Early Hints` are no answers.
    """
    interim = b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
    head, _ = read_head(arriving(interim + START + b"\r\n"), "POST")

    assert (200, {}) == (head.status, head.headers)


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: -1",
        b"Content-Length: +1",
        b"Content-Length: 1_0",
        b"Content-Length: 1, 2",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 9999999999999999999",
        b"Transfer-Encoding: gzip, chunked",
        b"no colon",
        b"space : before",
        b": no name",
    ],
)
def test_head_that_leaves_the_end_of_the_body_in_doubt_is_refused(lines: bytes) -> None:
    """
    Where the next answer begins is never guessed.
    """
    with pytest.raises(NotHttpError):
        read_head(arriving(START + lines + b"\r\n\r\nab"), "GET")


def test_endless_interim_answers_are_refused() -> None:
    """
    A server cannot keep us reading heads for ever.
    """
    with pytest.raises(NotHttpError):
        read_head(arriving(b"HTTP/1.1 100 Go on\r\n\r\n" * 1000), "GET")


def test_repeated_length_is_one_number() -> None:
    """
    The same length twice is still that length.
    """
    head, _ = read_head(arriving(START + b"Content-Length: 2, 2\r\n\r\n"), "GET")

    assert 2 == head.length_bytes


@pytest.mark.parametrize(
    ("line", "keeps_open"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
        (b"HTTP/1.1 101 Switch\r\n", False),
    ],
)
def test_connection_is_kept_when_both_sides_want_that(
    line: bytes, keeps_open: bool
) -> None:
    """
    The version's default holds unless the answer says otherwise.
    """
    head, _ = read_head(arriving(line + b"Content-Length: 0\r\n\r\n"), "GET")

    assert keeps_open == head.keeps_open


def test_bytes_behind_an_answer_are_never_the_next_answer() -> None:
    """
    A server that says more than it announced loses the connection.
    """

    def talk(peer: Peer) -> None:
        """
        Add an answer that nobody asked for.
        """
        while peer.request():
            peer.send(answer(b"ok") + answer(b"forged"))

    with (
        contextlib.closing(HttpClient()) as client,
        RawServer(talk) as server,
    ):
        for _ in range(3):
            with client.request(
                "GET", server.url, headers={}, timeout_s=WAIT_S
            ) as response:
                assert b"ok" == response.read(100)

        assert 3 == server.connections
