"""
The pool of connections, the one repeat that is allowed, and the end of it all.

Promises: an idle connection that the server has closed is noticed before use. When one
is closed in the very moment of use, the request is repeated once on a fresh
connection, under the conditions of `_may_repeat`; nothing else is repeated here,
since retries belong to those who count attempts and money.

Trade-off: connections are pooled by origin, last used first, not bound to threads:
threads that come and go leave nothing behind, and there are still no more connections
than requests were in flight at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from reliability.clock import SystemClock
from reliability.http.deadline import Deadline
from reliability.http.errors import HttpError, NotHttpError
from reliability.http.head import check_headers
from reliability.http.link import Link
from reliability.http.response import Response
from reliability.http.route import Request, parse_url

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from reliability.clock import Clock
    from reliability.http.route import Origin

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})  # RFC 9110, 9.2.2

# A connection that was closed while idle says so within a round trip. A reset that
# comes later may end work that the server had begun, and had perhaps charged for.
STALE_WINDOW_S = 1.0


class HttpClient:
    """
    Requests over kept-alive connections, from any number of threads.

    Args:
        connect_timeout_s: For name, TCP, proxy and TLS together.
        clock: Deadlines are measured with it; None is the machine's own.
    """

    def __init__(
        self, *, connect_timeout_s: float = 10.0, clock: Clock | None = None
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._clock: Clock = clock or SystemClock()
        self._aborted = threading.Event()
        self._lock = threading.Lock()
        self._links: set[Link] = set()
        self._idle: dict[Origin, list[Link]] = {}
        self._is_closed = False
        self._context: ssl.SSLContext | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout_s: float,
        repeat_stale: bool = True,
    ) -> Response:
        """
        Send one request and return its answer as soon as the headers are there.

        The URL is sent byte for byte as given. *timeout_s* is one deadline for
        connecting, sending and the reading of the whole answer.

        Args:
            repeat_stale: False forbids the one repeat on a fresh connection, for a
                request that may not arrive twice. A reset on a used connection then
                leaves open whether it arrived.

        Raises:
            HttpError: when there is no answer; any status is an answer.
        """
        origin, target = parse_url(url)
        check_headers(headers, origin)
        request = Request(method, target, headers, body)
        deadline = Deadline(self._clock, timeout_s)
        link = self._take(origin)
        if link is not None:
            began_mono_s = self._clock.monotonic_s()
            try:
                return self._exchange(link, deadline, request)
            except HttpError as error:
                took_s = self._clock.monotonic_s() - began_mono_s
                if not repeat_stale or not _may_repeat(error, link, method, took_s):
                    raise
        link = self._open(origin, deadline)
        return self._exchange(link, deadline, request)

    def abort(self) -> None:
        """
        End every wait at once, from any thread; later requests fail the same way.
        """
        with self._lock:
            self._aborted.set()
            for link in self._links:
                link.shut()

    def close(self) -> None:
        """
        Close what is idle; a connection still in use closes when its answer ends.
        """
        with self._lock:
            self._is_closed = True
            idle = [link for links in self._idle.values() for link in links]
            self._idle.clear()
        for link in idle:
            self._release(link, is_reusable=False)

    def _exchange(self, link: Link, deadline: Deadline, request: Request) -> Response:
        """
        Send on *link* and wait for the headers of the answer.
        """
        link.begin(deadline)
        try:
            link.send(request)
            return Response(request.method, link, self._release)
        except (OSError, NotHttpError) as error:
            self._release(link, is_reusable=False)
            raise link.explain(error) from error
        except BaseException:
            self._release(link, is_reusable=False)
            raise

    def _take(self, origin: Origin) -> Link | None:
        """
        Return an idle link that is still quiet, or None.
        """
        while True:
            with self._lock:
                self._refuse_if_ended(origin)
                idle = self._idle.get(origin)
                if not idle:
                    return None
                link = idle.pop()
            if not link.is_stale():
                return link
            self._release(link, is_reusable=False)

    def _open(self, origin: Origin, deadline: Deadline) -> Link:
        """
        Connect to *origin*.
        """
        link = Link(origin, deadline, self._aborted)
        with self._lock:
            self._refuse_if_ended(origin)
            self._links.add(link)
        try:
            link.open(self._connect_timeout_s, self._tls)
        except BaseException:
            self._release(link, is_reusable=False)
            raise
        return link

    def _release(self, link: Link, is_reusable: bool) -> None:
        """
        Keep *link* for the next request, or close it.
        """
        with self._lock:
            if is_reusable and link.is_reusable and not self._is_ended():
                self._idle.setdefault(link.origin, []).append(link)
                return
            self._links.discard(link)
        link.dispose()

    def _is_ended(self) -> bool:
        """
        Say whether nothing may be sent any more.
        """
        return self._is_closed or self._aborted.is_set()

    def _refuse_if_ended(self, origin: Origin) -> None:
        """
        Raise when nothing may be sent any more.
        """
        if self._is_ended():
            how = "aborted" if self._aborted.is_set() else "closed"
            raise HttpError("aborted", f"{origin}: the client has been {how}")

    def _tls(self) -> ssl.SSLContext:
        """
        Return the one TLS context: the system's trust store, or `SSL_CERT_FILE`.
        """
        import ssl

        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context()
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context


def _may_repeat(error: HttpError, link: Link, method: str, took_s: float) -> bool:
    """
    Say whether a failure on a used connection was most likely a stale one.

    It was when the connection broke before a single byte of an answer. A server may
    close an idle connection while the request is on its way (RFC 9112, section 9.3.1):
    it then has not looked at it. A method that is not idempotent is repeated only
    when the break came within `STALE_WINDOW_S`, before real work could have been done.
    """
    if error.kind != "reset" or link.received_bytes:
        return False
    return method in _IDEMPOTENT or took_s < STALE_WINDOW_S
