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

from fakes.raw_server import Peer, RawServer

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
        The tools that a model request offers, sorted.
        """
        return sorted(tool["name"] for tool in self.body.get("tools", []))


class RecordingRelay:
    """
    Context manager: relays to *base_url* from a port of its own.
    """

    def __init__(self, base_url: str) -> None:
        self._address = (urlsplit(base_url).hostname, urlsplit(base_url).port)
        self._server = RawServer(self._relay)
        self._lock = threading.Lock()
        self._requests: list[Recorded] = []
        self.url = self._server.url

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
        with socket.create_connection(self._address) as upstream:
            back = threading.Thread(target=_pass_back, args=(upstream, peer))
            back.start()
            try:
                while raw := peer.request():
                    self._keep(raw)
                    upstream.sendall(raw)
            finally:
                with contextlib.suppress(OSError):
                    upstream.shutdown(socket.SHUT_RDWR)
                back.join()

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


def _pass_back(upstream: socket.socket, peer: Peer) -> None:
    """
    Pass what the server says; a reset is passed as a reset.
    """
    try:
        while data := upstream.recv(65536):
            peer.send(data)
        peer.sock.shutdown(socket.SHUT_RDWR)
    except ConnectionResetError:
        peer.reset()
    except OSError:
        pass
