"""
A server on loopback that says, byte for byte, what a test tells it to.

Each connection gets a thread and a `Peer`; the test's function talks to the client
through it. What HTTP libraries refuse to send is sent here.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

import pytest

from reliability.http import HttpClient, HttpError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

SECRET_PATH = "/path?sig=SECRET"  # no error may show it
WAIT_S = 20.0  # a test that waits this long has failed


def answer(body: bytes = b"ok", *, status: str = "200 OK", extra: str = "") -> bytes:
    """
    Return a well-formed answer with a content-length.
    """
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


class Peer:
    """
    The server's end of one connection.
    """

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self._held = b""

    def request(self) -> bytes:
        """
        Return the next request, head and body; b"" when the client has gone.
        """
        while b"\r\n\r\n" not in self._held:
            if not self._more():
                return b""
        head, _, _ = self._held.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        end = len(head) + 4 + length
        while len(self._held) < end:
            if not self._more():
                return b""
        whole, self._held = self._held[:end], self._held[end:]
        return whole

    def send(self, data: bytes) -> None:
        """
        Send bytes as they are.
        """
        self.sock.sendall(data)

    def reset(self) -> None:
        """
        End with RST instead of FIN.
        """
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.sock.close()

    def hold(self) -> None:
        """
        Say nothing until the client or the server closes.
        """
        while self._more():
            pass

    def _more(self) -> bool:
        """
        Receive something; False at the end.
        """
        data = self.sock.recv(65536)
        self._held += data
        return bool(data)


class RawServer:
    """
    Accepts on a free port of 127.0.0.1 and lets *talk* speak on each connection.

    Args:
        talk: Runs once for each connection; the connection ends when it returns.
        context: Server side of TLS; None for plain TCP.
    """

    def __init__(
        self, talk: Callable[[Peer], None], *, context: ssl.SSLContext | None = None
    ) -> None:
        self.connections = 0
        self._talk = talk
        self._context = context
        self._lock = threading.Lock()
        self._socks: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(WAIT_S)
        self._listener.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_S)
        for sock in self._socks:
            sock.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        """
        Run *target* in a thread that `__exit__` waits for.
        """
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        """
        Accept until the listener is shut.
        """
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._socks.append(sock)
            self._start(self._serve, sock, self.connections)

    def _serve(self, sock: socket.socket, number: int) -> None:
        """
        Let the test talk on one connection, then end it.
        """
        with contextlib.suppress(OSError):
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._socks.append(sock)
            self._talk(Peer(sock, number))
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        sock.close()


def saying(data: bytes) -> Callable[[Peer], None]:
    """
    Return a talk that answers the first request with *data* and ends.
    """

    def talk(peer: Peer) -> None:
        """
        Say it.
        """
        peer.request()
        peer.send(data)

    return talk


def failure(
    client: HttpClient,
    server: RawServer,
    *,
    method: str = "GET",
    timeout_s: float = WAIT_S,
    body: bytes | None = None,
) -> HttpError:
    """
    Return the error of a request that must fail, after a look at its text.
    """
    url = server.url + SECRET_PATH
    headers = {"x-api-key": "SECRET"}
    with (
        pytest.raises(HttpError) as caught,
        client.request(
            method, url, headers=headers, body=body, timeout_s=timeout_s
        ) as response,
    ):
        response.read(1 << 30)
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    return caught.value
