"""
A simulator is recognised, nothing else is, and only loopback is ever asked.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import RawServer

from reliability.simulator.embedded import Simulator
from reliability.simulator.probe import is_simulator
from reliability.simulator.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.raw_server import Peer

ROOT = Path(__file__).parent.parent
FAST = Profile(latency_s=0.0)


class Impostor(BaseHTTPRequestHandler):
    """
    A server on loopback that says whatever the test tells it to.
    """

    marker: str | None = None
    body = b""
    asked = 0

    def do_GET(self) -> None:
        """
        Answer with the class's marker and body.
        """
        type(self).asked += 1
        self.send_response(200)
        if self.marker is not None:
            self.send_header("x-reliability-simulator", self.marker)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """
        Say nothing.
        """


@pytest.fixture
def impostor() -> Iterator[tuple[str, type[Impostor]]]:
    """
    Serve a fresh impostor.
    """
    kind = type("FreshImpostor", (Impostor,), {})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("marker", "body"),
    [
        (None, b'{"service": "reliability-simulator"}'),
        ("1", b'{"service": "something"}'),
        ("1", b"[]"),
        ("1", b"<html>"),
        ("1", b"\xff"),
    ],
)
def test_another_server_is_no_simulator(
    impostor: tuple[str, type[Impostor]], marker: str | None, body: bytes
) -> None:
    """
    It takes both the marker and the name to be one.
    """
    base_url, kind = impostor
    kind.marker, kind.body = marker, body

    assert not is_simulator(base_url)
    assert kind.asked == 1


def test_simulator_is_recognised_under_any_path_and_name() -> None:
    """
    The base URL's path does not matter; `localhost` is this machine.
    """
    with Simulator(FAST) as simulator:
        base_url = simulator.base_url
        named = base_url.replace("127.0.0.1", "localhost")

        assert is_simulator(base_url)
        assert is_simulator(f"{base_url}/some/gateway/")
        assert is_simulator(named)
    assert not is_simulator(base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "nonsense",
        "https://127.0.0.1:1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "http://[::1",
        "http://example.invalid",
        "http://192.0.2.1",
        "http://127.0.0.1.example.invalid",
        "http://2130706433",
        "http://127.0.0.1\r\nx: y/",
    ],
)
def test_odd_or_distant_base_url_is_no_and_nobody_is_asked(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    No name is looked up and no connection made but to loopback.
    """

    def refuse(address: tuple[str, int], *args: object, **named: object) -> None:
        assert address[0] == "127.0.0.1"
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)

    assert not is_simulator(base_url)


def test_probe_and_profile_do_not_load_asyncio() -> None:
    """
    Asking and configuring stay light; only serving loads the event loop.
    """
    code = (
        "import sys, reliability.simulator.probe, reliability.simulator.profile;"
        "print('asyncio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "False\n"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "body"]
)
def test_server_that_drips_for_ever_is_left(start: bytes) -> None:
    """
    A byte now and then does not keep a run from its beginning.
    """
    stop = threading.Event()

    def drip(peer: Peer) -> None:
        peer.request()
        peer.send(start)
        while not stop.wait(0.01):
            peer.send(b"x")

    with RawServer(drip) as server:
        found = is_simulator(server.url, timeout_s=0.2)
        stop.set()

    assert not found
