"""
A simulator starts and ends without leaving anything behind.
"""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from fakes.messages_client import RAW_REQUEST, Client, connect

from reliability.errors import UsageError
from reliability.simulator.embedded import Simulator
from reliability.simulator.probe import is_simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

ROOT = Path(__file__).parent.parent
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
        sent = (b"", b"GET / HT", RAW_REQUEST[:-9], RAW_REQUEST)
        clients = [connect(simulator.base_url) for _ in sent]
        for connection, data in zip(clients, sent, strict=True):
            connection.sendall(data)
        while simulator.stats().in_flight == 0:
            assert is_simulator(simulator.base_url)
    for connection in clients:
        connection.close()

    assert threads == set(threading.enumerate())
    assert descriptors == open_descriptors()
    assert (simulator.stats().abandoned, simulator.stats().defects) == (1, 0)


def test_connections_that_were_just_accepted_are_closed_at_the_end() -> None:
    """
    An end in the middle of a burst of connections leaves no socket open.
    """
    descriptors = open_descriptors()
    for _ in range(20):
        with ExitStack() as stack, Simulator(FAST) as simulator:
            for _ in range(20):
                connection = connect(simulator.base_url)
                stack.enter_context(connection)

        assert simulator.stats().defects == 0
    gc.collect()  # A socket that was left would be reported now.

    assert descriptors == open_descriptors()


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
        cwd=ROOT,
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
