"""
One connection with a deadline that no slow peer outlives.

Each wait on the socket gets what is left of the request's deadline, so an answer that
drips one byte a second ends when a silent one does.

Promises: `shut()` may be called from any thread and wakes whoever waits here; the
descriptor itself is closed by its owner alone, under a lock, so that it is never
shut down after the system has given its number to somebody else.

Not promised: the resolver's wait for a name is not bounded by the deadline.

Trade-off: the kernel, not Python, keeps the time of a plain socket. Python's own
time-outs add a change of mode and a `poll` to each operation; each of these lets go of
the interpreter, which a hundred threads then fight for.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import threading
from typing import TYPE_CHECKING

from reliability.http.errors import HttpError, NotHttpError, explain
from reliability.http.head import read_head, write_head
from reliability.http.route import find_proxy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from reliability.http.deadline import Deadline
    from reliability.http.route import Origin, Proxy, Request

_SEND_BYTES = 256 * 1024  # small enough that the deadline is looked at in between
_TIMEVAL = struct.Struct("ll")  # struct timeval of socket(7)


class Link:
    """
    A connection to *origin*, directly or through a proxy.

    Args:
        aborted: Set when every wait is to end.
    """

    def __init__(
        self, origin: Origin, deadline: Deadline, aborted: threading.Event
    ) -> None:
        self.origin = origin
        self.deadline = deadline
        self.received_bytes = 0  # since the last `begin`
        self.is_reusable = True
        self._aborted = aborted
        self._sock: socket.socket | None = None
        self._is_secure = False
        self._proxy: Proxy | None = None
        self._lock = threading.Lock()

    def open(self, connect_timeout_s: float, tls: Callable[[], ssl.SSLContext]) -> None:
        """
        Connect: TCP, the proxy's tunnel, TLS, as the origin needs.

        Args:
            connect_timeout_s: For all of it, when the deadline leaves more than that.
            tls: Makes or returns the context; called for https only.

        Raises:
            HttpError: of kind "connect", "timeout" or "aborted".
        """
        whole = self.deadline
        try:
            self.deadline = whole.sooner(connect_timeout_s)
            self._proxy = find_proxy(self.origin)
            first = self._proxy or self.origin
            self._dial(first.host, first.port)
            if self.origin.scheme == "https":
                if self._proxy:
                    self._tunnel(self._proxy)
                self._secure(tls())
        except TimeoutError as error:
            raise self.explain(error, opening=self.deadline is not whole) from error
        except (OSError, NotHttpError) as error:
            raise self.explain(error, opening=True) from error
        self.deadline = whole

    def begin(self, deadline: Deadline) -> None:
        """
        Start another request, which has to be over by *deadline*.
        """
        self.deadline = deadline
        self.received_bytes = 0

    def send(self, request: Request) -> None:
        """
        Send one request, the target in the form that the next hop expects.

        A peer that stops reading may have answered already (a refusal of a large
        body), so a broken pipe is no error here: reading the answer shows it.
        """
        target = request.target
        extra = {"Host": self.origin.host_header}
        if self._proxy and self.origin.scheme == "http":
            target = f"http://{self.origin.host_header}{target}"
            if self._proxy.authorization:
                extra["Proxy-Authorization"] = self._proxy.authorization
        head, body = write_head(request, target, extra), request.body or b""
        try:
            # Two sends would wake the peer twice.
            if len(body) <= _SEND_BYTES:
                self.sendall(head + body)
            else:
                self.sendall(head)
                self.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            self.is_reusable = False

    def is_stale(self) -> bool:
        """
        Say whether an idle link has something to read: its end, or what nobody asked.
        """
        if self._sock is None:
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def explain(self, error: Exception, *, opening: bool = False) -> HttpError:
        """
        Turn what the standard library raised into the one error that we raise.
        """
        where = str(self.origin)
        if self._proxy:
            where += f" (proxy {self._proxy.host}:{self._proxy.port})"
        if self._aborted.is_set():
            return HttpError("aborted", f"{where}: the request was aborted")
        return explain(where, error, self.deadline.timeout_s, opening=opening)

    def shut(self) -> None:
        """
        Wake every wait on this link, from any thread; the owner then closes it.
        """
        with self._lock:
            if self._sock is not None:
                # Not SSLSocket's own, which drops the TLS state under the reader.
                # An error means that the socket is not connected yet, or no longer.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def dispose(self) -> None:
        """
        Close the socket; for the owner alone. Harmless when done twice.
        """
        with self._lock:
            if self._sock is not None:
                self._sock.close()
                self._sock = None

    def sendall(self, data: bytes) -> None:
        """
        Send everything before the deadline.
        """
        sock = self._live()
        rest = memoryview(data)
        while rest:
            self._bound_wait(sock, socket.SO_SNDTIMEO)
            try:
                rest = rest[sock.send(rest[:_SEND_BYTES]) :]
            except BlockingIOError:
                raise TimeoutError from None

    def receive(self, most_bytes: int) -> bytes:
        """
        Wait for bytes until the deadline; b"" means that the peer has ended.
        """
        sock = self._live()
        self._bound_wait(sock, socket.SO_RCVTIMEO)
        try:
            data = sock.recv(most_bytes)
        except BlockingIOError:
            raise TimeoutError from None
        self.received_bytes += len(data)
        if not data and self._aborted.is_set():
            raise ConnectionAbortedError
        return data

    def _bound_wait(self, sock: socket.socket, option: int) -> None:
        """
        Let the next wait on *sock* end at the deadline; TLS asks Python for the time.
        """
        left_s = self.deadline.left_s()
        if self._is_secure:
            sock.settimeout(left_s)
            return
        left_us = int(left_s * 1e6) + 1  # 0 would mean for ever.
        timeval = _TIMEVAL.pack(*divmod(left_us, 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, option, timeval)

    def _live(self) -> socket.socket:
        """
        Return the socket, unless there is none or all is to end.
        """
        if self._sock is None or self._aborted.is_set():
            raise ConnectionAbortedError
        return self._sock

    def _adopt(self, sock: socket.socket) -> None:
        """
        Own *sock*, so that `shut` finds it from now on.
        """
        with self._lock:
            self._sock = sock
        self._live()  # an abort just before this moment did not see the socket

    def _dial(self, host: str, port: int) -> None:
        """
        Connect to the first address that answers; each gets its share of the time.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise OSError(0, "not a host name") from None
        for index, (family, kind, protocol, _, address) in enumerate(found):
            try:
                self._adopt(socket.socket(family, kind, protocol))
                self._connect(address, self.deadline.left_s() / (len(found) - index))
            except OSError:
                self.dispose()
                if index == len(found) - 1 or self._aborted.is_set():
                    raise
            else:
                return

    def _connect(self, address: tuple[object, ...], timeout_s: float) -> None:
        """
        Connect the socket; an abort at any moment of it is noticed.
        """
        sock = self._live()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        code = sock.connect_ex(address)
        self._live()  # an abort before the connecting had nothing to shut down
        if code == errno.EINPROGRESS:
            poll = select.poll()
            poll.register(sock, select.POLLOUT)
            if not poll.poll(timeout_s * 1000):
                raise TimeoutError
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        sock.setblocking(True)

    def _tunnel(self, proxy: Proxy) -> None:
        """
        Ask the proxy for a tunnel to the origin (RFC 9110, section 9.3.6).
        """
        lines = [f"CONNECT {self.origin} HTTP/1.1", f"Host: {self.origin}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        self.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer, _ = read_head(self.receive, "CONNECT")
        if not 200 <= answer.status < 300:
            raise OSError(0, f"the proxy answered {answer.status}")

    def _secure(self, context: ssl.SSLContext) -> None:
        """
        Speak TLS from here on.
        """
        sock = self._live()
        sock.settimeout(self.deadline.left_s())
        wrapped = context.wrap_socket(
            sock, server_hostname=self.origin.host, do_handshake_on_connect=False
        )
        self._is_secure = True
        self._adopt(wrapped)
        wrapped.do_handshake()
