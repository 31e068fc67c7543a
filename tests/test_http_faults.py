"""
The HTTP client against servers that lie, reset, or are not there.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer, failure, saying
from fakes.stepping_clock import SteppingClock
from hypothesis import given, settings, strategies as st

from reliability.http import HttpClient, HttpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.raw_server import Peer


@pytest.fixture
def clock() -> SteppingClock:
    """
    Give a clock that a test moves.
    """
    return SteppingClock()


@pytest.fixture
def client(clock: SteppingClock) -> Iterator[HttpClient]:
    """
    Give a client on that clock, closed at the end.
    """
    with contextlib.closing(HttpClient(clock=clock)) as client:
        yield client


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nab", "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", "protocol"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "protocol"),
        (b"HTTP/9.9 200 OK\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "protocol"),
    ],
)
def test_answer_that_is_not_whole_is_never_a_success(
    client: HttpClient, data: bytes, kind: str
) -> None:
    """
    A torn or malformed answer is an error of the right kind.
    """
    with RawServer(saying(data)) as server:
        error = failure(client, server)

        assert error.kind == kind


@settings(max_examples=25, deadline=None)
@given(
    data=st.binary(max_size=60), start=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n"])
)
def test_any_bytes_are_an_answer_or_our_own_error(data: bytes, start: bytes) -> None:
    """
    Nothing that a server can send raises anything but `HttpError`.
    """
    with (
        RawServer(saying(start + data)) as server,
        contextlib.closing(HttpClient()) as client,
        contextlib.suppress(HttpError),
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        body = response.read(1000)

        assert len(body) <= 60


def test_answer_until_the_end_of_the_connection_is_whole(client: HttpClient) -> None:
    """
    Without a length the end of the connection ends the body.
    """
    with (
        RawServer(saying(b"HTTP/1.0 200 OK\r\n\r\nall of it")) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        assert b"all of it" == response.read(100)


def test_reset_in_mid_answer_is_a_reset(client: HttpClient) -> None:
    """
    RST while the body is read is told apart from a time-out, and nothing is repeated.
    """

    def talk(peer: Peer) -> None:
        """
        Break off.
        """
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        peer.reset()

    with RawServer(talk) as server:
        error = failure(client, server)

        assert "reset" == error.kind
        assert 1 == server.connections


def test_torn_last_line_of_a_stream_is_not_yielded(client: HttpClient) -> None:
    """
    Whole lines are handed out; the torn one becomes an error.
    """
    torn = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\none\ntwo,\r\n"
    with (
        RawServer(saying(torn)) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        lines = response.lines()

        assert b"one" == next(lines)
        with pytest.raises(HttpError, match="broke off"):
            next(lines)


def test_endless_line_is_refused(client: HttpClient) -> None:
    """
    A line past its cap ends the answer instead of filling the memory.
    """
    with (
        RawServer(saying(answer(b"x" * 200_000))) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
        pytest.raises(HttpError, match="exceeds 1000 bytes") as caught,
    ):
        list(response.lines(cap_bytes=1000))

    assert "protocol" == caught.value.kind


def test_nobody_listening_is_a_connect_error(client: HttpClient) -> None:
    """
    A refused connection says where and why.
    """
    with RawServer(lambda _: None) as server:
        pass
    error = failure(client, server)

    assert "connect" == error.kind
    assert "refused" in str(error)


def test_impossible_name_is_a_connect_error(client: HttpClient) -> None:
    """
    A host that no resolver can look up is a connect error.
    """
    url = f"http://{'a' * 64}.invalid/"
    with pytest.raises(HttpError, match="not a host name") as caught:
        client.request("GET", url, headers={}, timeout_s=WAIT_S)

    assert "connect" == caught.value.kind


def test_name_that_does_not_resolve_is_a_connect_error(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The resolver's own words are shown.
    """

    def fail(*_: object, **__: object) -> None:
        """
        Fail as a resolver without a network does.
        """
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(HttpError, match="Temporary failure") as caught:
        client.request("GET", "http://service.invalid/", headers={}, timeout_s=1)

    assert "connect" == caught.value.kind


def test_second_address_is_tried_when_the_first_refuses(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A name with a dead address first still leads to the living one.
    """
    with RawServer(saying(answer())) as server:
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            for port in (1, server.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        with client.request(
            "GET", "http://two.invalid/", headers={}, timeout_s=WAIT_S
        ) as response:
            assert b"ok" == response.read(10)
