"""
A simulator starts, is recognised, and ends without leaving anything behind.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.messages_client import Client

from reliability.errors import UsageError
from reliability.simulator.embedded import Simulator
from reliability.simulator.probe import is_simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = Profile(latency_s=0.0)
SERVE = """
import sys
from reliability.simulator.profile import Profile
from reliability.simulator.server import serve_forever

def ready(base_url):
    print(base_url, flush=True)

serve_forever(Profile(latency_s=0.0), host="127.0.0.1", port=0, on_ready=ready)
print("ended", flush=True)
"""


def open_descriptors() -> set[str]:
    """
    Return what this process has open, sockets by their number.
    """
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        # The listing's own descriptor is gone by then.
        with suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def test_end_leaves_no_thread_and_no_socket_even_with_clients_connected() -> None:
    """
    Idle, hanging and half-sent connections are all gone after the block.
    """
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    profile = Profile(script=(Step(hang=True),))
    with Simulator(profile) as simulator:
        host, _, port = simulator.base_url.removeprefix("http://").partition(":")
        body = b'{"model":"m","max_tokens":1,"messages":[{"role":"user"}]}'
        head = (
            b"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\ncontent-length: %d\r\n\r\n"
        )
        sent = (b"", b"GET / HT", head % 9, head % len(body) + body)
        clients = [socket.create_connection((host, int(port)), 10) for _ in sent]
        for connection, data in zip(clients, sent, strict=True):
            connection.sendall(data)
        while simulator.stats().in_flight == 0:
            assert is_simulator(simulator.base_url)
    for connection in clients:
        connection.close()

    assert threads == set(threading.enumerate())
    assert descriptors == open_descriptors()
    assert (simulator.stats().abandoned, simulator.stats().defects) == (1, 0)


def test_answer_under_way_is_cut_at_the_end() -> None:
    """
    The end does not wait for the latency of an answer.
    """
    with Simulator(Profile(latency_s=3600.0)) as simulator:
        asking = threading.Thread(target=ask_in_vain, args=(simulator.base_url,))
        asking.start()
        while simulator.stats().in_flight == 0:
            assert is_simulator(simulator.base_url)
    asking.join(10)

    assert not asking.is_alive()
    assert simulator.stats().abandoned == 1


def ask_in_vain(base_url: str) -> None:
    """
    Ask once and expect the connection to end without a reply.
    """
    with Client(base_url) as client, pytest.raises(ConnectionError):
        client.ask()


def test_error_inside_the_block_is_not_hidden_by_the_end() -> None:
    """
    The server ends and the error goes on.
    """
    with pytest.raises(KeyError), Simulator(FAST):
        raise KeyError


def test_port_in_use_is_a_usage_error_before_the_block() -> None:
    """
    The error names the address, and no thread is left.
    """
    threads = set(threading.enumerate())
    with Simulator(FAST) as first:
        port = int(first.base_url.rpartition(":")[2])
        with (
            pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"),
            Simulator(FAST, port=port),
        ):
            pass

    assert threads == set(threading.enumerate())


def test_ipv6_loopback_has_brackets_in_its_url() -> None:
    """
    The base URL can be used as it is, and is recognised.
    """
    with Simulator(FAST, host="::1") as simulator:
        assert simulator.base_url.startswith("http://[::1]:")
        assert is_simulator(simulator.base_url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_foreground_server_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    """
    It says where it listens, serves, and returns on SIGINT and SIGTERM alike.
    """
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        base_url = child.stdout.readline().strip()
        with Client(base_url) as client:
            assert client.ask().status == 200
            child.send_signal(number)
            rest, errors = child.communicate(timeout=10)

    assert (rest, errors, child.returncode) == ("ended\n", "", 0)


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
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
