"""
The HTTP client that is told to end: `abort` and `close`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer, failure, saying
from fakes.stepping_clock import SteppingClock

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


@pytest.mark.parametrize("part", ["head", "body", "until close"])
def test_abort_wakes_every_blocked_reader(part: str) -> None:
    """
    Threads blocked in any part of an answer end with "aborted"; so do later requests.
    """
    count = 4
    waiting = threading.Barrier(count + 1)
    head = {
        "head": b"",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234",
        "until close": b"HTTP/1.1 200 OK\r\n\r\n1234",
    }[part]

    def talk(peer: Peer) -> None:
        """
        Say the beginning and wait.
        """
        peer.request()
        peer.send(head)
        waiting.wait(WAIT_S)
        peer.hold()

    client = HttpClient()

    def ask() -> str:
        """
        Return the kind of error that the request ends with.
        """
        try:
            with client.request(
                "GET", server.url, headers={}, timeout_s=WAIT_S
            ) as response:
                response.read(100)
        except HttpError as error:
            return error.kind
        return "none"

    with (
        RawServer(talk) as server,
        contextlib.closing(client),
        ThreadPoolExecutor(count) as pool,
    ):
        asked = [pool.submit(ask) for _ in range(count)]
        waiting.wait(WAIT_S)
        client.abort()
        kinds = {future.result(WAIT_S) for future in asked}

        assert {"aborted"} == kinds
        assert "aborted" == ask()


def test_abort_wakes_a_thread_that_connects() -> None:
    """
    A connection in the making ends at once too.
    """
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        contextlib.ExitStack() as held,
        contextlib.closing(HttpClient()) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        for _ in range(3):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        asked = pool.submit(client.request, "GET", url, headers={}, timeout_s=WAIT_S)
        while not any(link._sock for link in tuple(client._links)):
            pass
        client.abort()
        error = asked.exception(WAIT_S)

    assert isinstance(error, HttpError)
    assert "aborted" == error.kind


def test_closed_client_refuses_and_leaves_no_socket(client: HttpClient) -> None:
    """
    Close ends idle connections; an answer in hand can still be read to its end.
    """
    with RawServer(saying(answer(b"x" * 100_000))) as server:
        response = client.request("GET", server.url, headers={}, timeout_s=WAIT_S)
        client.close()

        assert 100_000 == len(response.read(1 << 20))
        assert not client._links
        assert "aborted" == failure(client, server).kind
