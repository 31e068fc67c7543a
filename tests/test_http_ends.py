"""
The HTTP client and time: deadlines, and connections that went stale.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer, failure
from fakes.stepping_clock import SteppingClock

from reliability.http import HttpClient, HttpError
from reliability.http.client import STALE_WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def test_silent_server_is_left_at_the_deadline() -> None:
    """
    A server that accepts and says nothing costs the time-out, not more.
    """
    with (
        contextlib.closing(HttpClient()) as client,
        RawServer(lambda peer: peer.hold()) as server,
    ):
        error = failure(client, server, timeout_s=0.05)

        assert "timeout" == error.kind
        assert "0.05 s" in str(error)


def test_full_listen_queue_is_left_after_the_connect_timeout() -> None:
    """
    A server that does not accept at all costs the connect time-out.
    """
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        contextlib.ExitStack() as held,
        contextlib.closing(HttpClient(connect_timeout_s=0.05)) as client,
    ):
        for _ in range(3):  # fills the queue, whatever it is rounded up to
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with pytest.raises(HttpError, match=r"none within 0\.05 s") as caught:
            client.request("GET", url, headers={}, timeout_s=WAIT_S)

    assert "connect" == caught.value.kind


@pytest.mark.parametrize("part", ["head", "body", "lines"])
def test_slow_drip_does_not_outlive_the_deadline(
    client: HttpClient, clock: SteppingClock, part: str
) -> None:
    """
    One byte at a time, each well in time, still ends at the deadline.
    """

    def talk(peer: Peer) -> None:
        """
        Drip for ever.
        """
        peer.request()
        if part != "head":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in itertools.count():
                peer.send(b"x")

    clock.step_s = 0.5
    with RawServer(talk) as server:
        with (
            pytest.raises(HttpError) as caught,
            client.request("GET", server.url, headers={}, timeout_s=2) as response,
        ):
            list(response.lines()) if part == "lines" else response.read(1 << 40)

        assert "timeout" == caught.value.kind


def test_server_that_does_not_read_ends_at_the_deadline() -> None:
    """
    A body that nobody takes costs the time-out too.
    """
    stop = threading.Event()
    with (
        contextlib.closing(HttpClient()) as client,
        RawServer(lambda _: stop.wait(WAIT_S) and None) as server,
    ):
        error = failure(
            client, server, method="PUT", body=b"x" * 30_000_000, timeout_s=0.1
        )
        stop.set()

        assert "timeout" == error.kind


def test_early_refusal_of_a_body_is_heard(client: HttpClient) -> None:
    """
    A server that answers and closes before it has read the body is understood.
    """

    def talk(peer: Peer) -> None:
        """
        Refuse after the first bytes; read on, so that the answer is not lost.
        """
        peer.sock.recv(100)
        peer.send(answer(b"too large", status="413 No"))
        peer.sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while peer.sock.recv(1 << 20):
                pass

    with (
        RawServer(talk) as server,
        client.request(
            "PUT", server.url, headers={}, body=b"x" * 1_000_000, timeout_s=WAIT_S
        ) as response,
    ):
        assert (413, b"too large") == (response.status, response.read(99))


def ask_twice(
    client: HttpClient, server: RawServer, method: str = "POST"
) -> tuple[int, int]:
    """
    Return the statuses of two requests with a body.
    """
    statuses = []
    for _ in range(2):
        with client.request(
            method, server.url, headers={}, body=b"{}", timeout_s=WAIT_S
        ) as response:
            statuses.append(response.status)
    return statuses[0], statuses[1]


def test_connection_closed_while_idle_is_replaced(client: HttpClient) -> None:
    """
    A server that closes after each answer, without saying so, is no error.
    """
    closed = threading.Event()

    def talk(peer: Peer) -> None:
        """
        Answer once and close.
        """
        peer.request()
        peer.send(answer())
        peer.sock.shutdown(socket.SHUT_RDWR)
        closed.set()

    with RawServer(talk) as server:
        for _ in range(3):
            with client.request(
                "POST", server.url, headers={}, body=b"{}", timeout_s=WAIT_S
            ) as response:
                assert b"ok" == response.read(10)
            assert closed.wait(WAIT_S)
            closed.clear()

        assert 3 == server.connections


def closing_in_use(before: Callable[[], None]) -> Callable[[Peer], None]:
    """
    Return a talk whose first connection ends on its second request, unanswered.
    """

    def talk(peer: Peer) -> None:
        """
        Answer, except for the second request on the first connection.
        """
        while peer.request():
            if peer.number == 1 and answered:
                before()
                peer.reset()
                return
            answered.append(1)
            peer.send(answer())

    answered: list[int] = []
    return talk


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_connection_closed_in_the_moment_of_use_is_repeated_once(
    client: HttpClient, method: str
) -> None:
    """
    The race of an idle close with a request is repeated on a fresh connection.
    """
    with RawServer(closing_in_use(lambda: None)) as server:
        assert (200, 200) == ask_twice(client, server, method)
        assert 2 == server.connections


def test_post_that_breaks_late_is_not_repeated(
    client: HttpClient, clock: SteppingClock
) -> None:
    """
    A server that worked on a POST before it died is not asked again behind our back.
    """

    def work() -> None:
        """
        Take longer than a stale connection would.
        """
        clock.now_s += STALE_WINDOW_S

    with RawServer(closing_in_use(work)) as server:
        with pytest.raises(HttpError) as caught:
            ask_twice(client, server)

        assert "reset" == caught.value.kind
        assert 1 == server.connections


def test_request_that_may_not_arrive_twice_is_not_repeated(client: HttpClient) -> None:
    """
    With `repeat_stale=False` even a quick reset on a used connection is reported.
    """
    with RawServer(closing_in_use(lambda: None)) as server:
        with client.request("POST", server.url, headers={}, timeout_s=WAIT_S):
            pass
        with pytest.raises(HttpError) as caught:
            client.request(
                "POST", server.url, headers={}, timeout_s=WAIT_S, repeat_stale=False
            )

        assert "reset" == caught.value.kind
        assert 1 == server.connections


def test_fresh_connection_that_breaks_is_not_repeated(client: HttpClient) -> None:
    """
    Only a used connection can be stale.
    """

    def talk(peer: Peer) -> None:
        """
        Go away on the first request.
        """
        peer.request()
        peer.reset()

    with RawServer(talk) as server:
        assert "reset" == failure(client, server).kind
        assert 1 == server.connections


def test_partial_answer_on_a_used_connection_is_not_repeated(
    client: HttpClient,
) -> None:
    """
    One byte of an answer proves that the request arrived: it is not sent again.
    """

    def talk(peer: Peer) -> None:
        """
        Answer once, then begin to answer and go away.
        """
        peer.request()
        peer.send(answer())
        peer.request()
        peer.send(b"H")

    with RawServer(talk) as server:
        with pytest.raises(HttpError):
            ask_twice(client, server)

        assert 1 == server.connections
