"""
Stands between a client and a server on loopback, passes every byte and keeps requests.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from fakes.raw_server import Peer, RawServer, answer

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    One request, as it was sent.
    """

    line: str
    headers: Mapping[str, str] = field(hash=False)
    body: Mapping[str, Any] = field(hash=False)

    @property
    def system(self) -> str:
        """
        The system text of a model request.
        """
        return json.dumps(self.body.get("system", ""))

    @property
    def tools(self) -> list[str]:
        """
        The tools that a model request offers, sorted, placeholders left out.
        """
        names = (tool["name"] for tool in self.body.get("tools", []))
        return sorted(name for name in names if not name.endswith("Placeholder"))


class RecordingRelay:
    """
    Context manager: relays to *base_url* from a port of its own.

    Attributes:
        hides_server: Set to keep who asks from learning that it is a simulator.
    """

    def __init__(self, base_url: str) -> None:
        self._address = (urlsplit(base_url).hostname, urlsplit(base_url).port)
        self._server = RawServer(self._relay)
        self._lock = threading.Lock()
        self._requests: list[Recorded] = []
        self.url = self._server.url
        self.hides_server = False

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *ending: object) -> None:
        self._server.__exit__(*ending)

    @property
    def requests(self) -> list[Recorded]:
        """
        Every model request so far, in order of arrival.
        """
        with self._lock:
            return [each for each in self._requests if "/v1/messages" in each.line]

    def _relay(self, peer: Peer) -> None:
        was_reset = threading.Event()
        with socket.create_connection(self._address) as upstream:
            back = threading.Thread(target=_pass_back, args=(upstream, peer, was_reset))
            back.start()
            try:
                while raw := peer.request():
                    self._keep(raw)
                    if self.hides_server and raw.startswith(b"GET / "):
                        peer.send(answer(status="404 Not Found"))
                    else:
                        upstream.sendall(raw)
            finally:
                with contextlib.suppress(OSError):
                    upstream.shutdown(socket.SHUT_RDWR)
                back.join()
        if was_reset.is_set():
            peer.reset()

    def _keep(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        pairs = (header.partition(":") for header in rest)
        recorded = Recorded(
            line=line,
            headers={name.lower(): value.strip() for name, _, value in pairs},
            body=json.loads(body) if body else {},
        )
        with self._lock:
            self._requests.append(recorded)


def _pass_back(upstream: socket.socket, peer: Peer, was_reset: threading.Event) -> None:
    """
    Pass what the server says, then wake the other direction.
    """
    try:
        while data := upstream.recv(65536):
            peer.send(data)
    except ConnectionResetError:
        was_reset.set()
    except OSError:
        pass
    with contextlib.suppress(OSError):
        peer.sock.shutdown(socket.SHUT_RD if was_reset.is_set() else socket.SHUT_RDWR)
