"""
The HTTP client against real sockets on loopback: the pool and the framing.

Its neighbours: `routes` (URLs, proxies), `tls`, `faults` (what a hostile or dying
server does to it), `ends` (deadlines, stale connections), `abort`.
"""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer

from reliability.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.raw_server import Peer


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Forget the proxies of the machine that runs the tests.
    """
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def client() -> Iterator[HttpClient]:
    """
    Give a client that is closed at the end.
    """
    with contextlib.closing(HttpClient()) as client:
        yield client


def echo(peer: Peer) -> None:
    """
    Answer each request with the request itself.
    """
    while request := peer.request():
        peer.send(answer(request))


def get(client: HttpClient, url: str, **headers: str) -> bytes:
    """
    Return the body of a GET.
    """
    with client.request("GET", url, headers=headers, timeout_s=WAIT_S) as response:
        return response.read(1 << 20)


def test_one_thread_uses_one_connection(client: HttpClient) -> None:
    """
    Twenty requests, one after another, need one connection.
    """
    with RawServer(echo) as server:
        for _ in range(20):
            get(client, server.url)

        assert 1 == server.connections


def test_threads_use_no_more_connections_than_they_are(client: HttpClient) -> None:
    """
    Four workers hold at most four connections, whatever they ask.
    """
    with RawServer(echo) as server:
        with ThreadPoolExecutor(4) as pool:
            bodies = list(
                pool.map(lambda n: get(client, f"{server.url}/{n}"), range(60))
            )

        assert server.connections <= 4
        assert [f"GET /{n} " for n in range(60)] == [
            body.decode().partition("HTTP")[0] for body in bodies
        ]


def test_head_and_body_arrive_together(client: HttpClient) -> None:
    """
    A request that fits into one packet is one, so that the peer wakes up once.
    """
    first: list[bytes] = []

    def take_what_is_there(peer: Peer) -> None:
        first.append(peer.sock.recv(65536))
        peer.send(answer())

    with (
        RawServer(take_what_is_there) as server,
        client.request(
            "POST", server.url, headers={}, body=b"body", timeout_s=WAIT_S
        ) as response,
    ):
        response.read(100)

    assert first[0].startswith(b"POST ")
    assert first[0].endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("timeout_s", [0.9999999, 1.9999999, 86_400.5, 1e9])
def test_any_timeout_can_be_kept(client: HttpClient, timeout_s: float) -> None:
    """
    No length of time is one that the system refuses to wait for.
    """
    with (
        RawServer(echo) as server,
        client.request("GET", server.url, headers={}, timeout_s=timeout_s) as response,
    ):
        assert response.read(1000).startswith(b"GET ")


def test_unread_short_answer_leaves_the_connection_usable(client: HttpClient) -> None:
    """
    Leaving an answer unread drains it when that is cheap.
    """
    with RawServer(echo) as server:
        for _ in range(3):
            with client.request("GET", server.url, headers={}, timeout_s=WAIT_S):
                pass

        assert 1 == server.connections


def test_unread_long_answer_costs_its_connection_only(client: HttpClient) -> None:
    """
    Leaving a long answer unread drops the connection; the next request works.
    """

    def talk(peer: Peer) -> None:
        """
        Answer with more than is worth draining.
        """
        while peer.request():
            peer.send(answer(b"x" * 300_000))

    with RawServer(talk) as server:
        with client.request("GET", server.url, headers={}, timeout_s=WAIT_S):
            pass
        body = get(client, server.url)

        assert 300_000 == len(body)
        assert 2 == server.connections


def test_connection_close_is_honoured(client: HttpClient) -> None:
    """
    After `Connection: close` the next request gets a connection of its own.
    """

    def talk(peer: Peer) -> None:
        """
        Answer once.
        """
        peer.request()
        peer.send(answer(extra="Connection: close\r\n"))

    with RawServer(talk) as server:
        bodies = [get(client, server.url) for _ in range(2)]

        assert [b"ok", b"ok"] == bodies
        assert 2 == server.connections


@pytest.mark.parametrize("cap_bytes", [0, 1, 9, 10, 11])
def test_chunked_body_is_read_up_to_the_cap(client: HttpClient, cap_bytes: int) -> None:
    """
    A chunked body is joined, capped, and said to be truncated when it was.
    """

    def talk(peer: Peer) -> None:
        """
        Send ten bytes in two chunks.
        """
        while peer.request():
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.send(b"4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n")

    with (
        RawServer(talk) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        body = response.read(cap_bytes)

        assert b"0123456789"[:cap_bytes] == body
        assert (cap_bytes < 10) == response.truncated


def test_lines_arrive_before_the_answer_ends(client: HttpClient) -> None:
    """
    Each line of a stream can be had while the next one has not been sent.
    """

    def talk(peer: Peer) -> None:
        """
        Send a line only after the client has asked for it on another connection.
        """
        while peer.request():
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.send(b"7\r\none\r\ntw\r\n")
            peer.request()
            peer.send(b"3\r\no\n\n\r\n5\r\nthree\r\n0\r\n\r\n")

    with (
        RawServer(talk) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        lines = response.lines()
        first = next(lines)
        # The server waits for a request on the same connection before it goes on.
        response._link.sendall(b"GET / HTTP/1.1\r\n\r\n")

        assert b"one" == first
        assert [b"two", b"", b"three"] == list(lines)


def test_headers_are_lower_case_and_joined(client: HttpClient) -> None:
    """
    A header is found by its lower-case name; repeated ones are joined.
    """

    def talk(peer: Peer) -> None:
        """
        Send a header twice.
        """
        peer.request()
        peer.send(answer(extra="X-One: a\r\nx-ONE: b\r\nRetry-After: 3\r\n"))

    with (
        RawServer(talk) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        headers = response.headers

        assert ("a, b", "3") == (headers["x-one"], headers["retry-after"])


def test_head_and_no_content_have_no_body(client: HttpClient) -> None:
    """
    Answers without a body end at once, whatever length they state.
    """

    def talk(peer: Peer) -> None:
        """
        State a length that does not follow.
        """
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        peer.request()
        peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    with RawServer(talk) as server:
        for method in ("HEAD", "DELETE"):
            with client.request(
                method, server.url, headers={}, timeout_s=WAIT_S
            ) as response:
                assert b"" == response.read(100)

        assert 1 == server.connections


def test_redirect_is_an_answer_like_any_other(client: HttpClient) -> None:
    """
    A redirect is handed out, not followed: it would carry credentials elsewhere.
    """

    def talk(peer: Peer) -> None:
        """
        Point somewhere else.
        """
        peer.request()
        peer.send(
            answer(status="307 Elsewhere", extra="Location: http://x.invalid\r\n")
        )

    with (
        RawServer(talk) as server,
        client.request("GET", server.url, headers={}, timeout_s=WAIT_S) as response,
    ):
        assert 307 == response.status
