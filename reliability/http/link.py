"""
One connection with a deadline that no slow peer outlives.

`Link` stands where `http.client` expects its socket: it has `sendall`, `makefile`
and `close`. Each wait on the real socket gets what is left of the request's
deadline, so an answer that drips one byte a second ends when a silent one does.

Promises: `shut()` may be called from any thread and wakes whoever waits here; the
descriptor itself is closed by its owner alone, under a lock, so that it is never
shut down after the system has given its number to somebody else.

Not promised: the resolver's wait for a name is not bounded by the deadline.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import os
import select
import socket
import threading
from typing import TYPE_CHECKING, cast

from reliability.http.errors import HttpError, explain
from reliability.http.route import find_proxy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from _typeshed import ReadableBuffer, WriteableBuffer

    from reliability.http.deadline import Deadline
    from reliability.http.route import Origin, Proxy, Request

_SEND_BYTES = 256 * 1024  # small enough that the deadline is looked at in between


class _Reader(io.RawIOBase):
    """
    The reading side of a link, for a `BufferedReader` to wrap.
    """

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def readable(self) -> bool:
        """
        Say yes: this is all that it does.
        """
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """
        Fill from the link, within its deadline.
        """
        return self._link.recv_into(buffer)


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
        self.http = http.client.HTTPConnection(origin.host, origin.port)
        self._aborted = aborted
        self._sock: socket.socket | None = None
        self._holds_head, self._head = False, b""
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
        except (OSError, http.client.HTTPException) as error:
            raise self.explain(error, opening=True) from error
        self.deadline = whole
        self.http.sock = self

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
        self._holds_head = 0 < len(request.body or b"") <= _SEND_BYTES
        try:
            headers = {**extra, **request.headers}
            self.http.request(request.method, target, request.body, headers)
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
        self.http.close()

    def sendall(self, data: ReadableBuffer) -> None:
        """
        Send everything before the deadline (called by `http.client`).

        A head waits for its body: two sends would wake the peer twice.
        """
        sock = self._live()
        if self._holds_head:
            self._holds_head, self._head = False, bytes(data)
            return
        rest = memoryview(self._head + data if self._head else data).cast("B")
        self._head = b""
        while rest:
            sock.settimeout(self.deadline.left_s())
            rest = rest[sock.send(rest[:_SEND_BYTES]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """
        Return a buffered reader that honours the deadline (called by `http.client`).
        """
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """
        Do nothing: `http.client` means "after this answer", `dispose` now.
        """

    def recv_into(self, buffer: WriteableBuffer) -> int:
        """
        Wait for bytes until the deadline; 0 means that the peer has ended.
        """
        sock = self._live()
        sock.settimeout(self.deadline.left_s())
        count = sock.recv_into(buffer)
        self.received_bytes += count
        if count == 0 and self._aborted.is_set():
            raise ConnectionAbortedError
        return count

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

    def _tunnel(self, proxy: Proxy) -> None:
        """
        Ask the proxy for a tunnel to the origin (RFC 9110, section 9.3.6).
        """
        lines = [f"CONNECT {self.origin} HTTP/1.1", f"Host: {self.origin}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        self.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        with http.client.HTTPResponse(
            cast("socket.socket", self), method="CONNECT"
        ) as answer:
            answer.begin()
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
        self._adopt(wrapped)
        wrapped.do_handshake()
