"""
Whatever is sent gets a reply that fits it, and breaks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.messages_client import Client, exchange_raw
from hypothesis import HealthCheck, given, settings, strategies as st

from reliability.simulator.embedded import Simulator
from reliability.simulator.http1 import MAX_BODY_BYTES, MAX_HEAD_BYTES
from reliability.simulator.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = {"x-api-key": "k"}
SURE = Profile(pass_rate=1.0, latency_s=0.0)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """
    Serve right answers at once.
    """
    with Simulator(SURE) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    """
    Open one connection to it.
    """
    with Client(simulator.base_url) as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer t"}, 400), ({"x-api-key": "k"}, 400)],
)
def test_either_kind_of_key_is_asked_for(
    client: Client, headers: dict[str, str], status: int
) -> None:
    """
    Without a key nothing else is looked at.
    """
    reply = client.request("POST", "/v1/messages", body=b"x", headers=headers)

    assert status == reply.status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"model": "m", "max_tokens": 1}',
        b'{"model": "", "max_tokens": 1, "messages": [{}]}',
        b'{"model": "m", "max_tokens": 0, "messages": [{}]}',
        b'{"model": "m", "max_tokens": 1, "messages": [7]}',
    ],
)
def test_body_that_is_no_request_is_a_400_on_a_usable_connection(
    client: Client, body: bytes
) -> None:
    """
    The error has the API's shape, and the next request is served.
    """
    reply = client.request("POST", "/v1/messages", body=body, headers=KEY)
    error = reply.value

    assert reply.status == 400
    assert error["type"] == "error"
    assert error["error"]["type"] == "invalid_request_error"
    assert error["request_id"] == reply.headers["request-id"]
    assert client.ask().status == 200


def test_wrong_method_is_told_the_right_one(client: Client) -> None:
    """
    A known path refuses other methods and names its own.
    """
    reply = client.request("GET", "/v1/messages")

    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_head_requests_get_no_body(client: Client) -> None:
    """
    A HEAD leaves the connection in step, whatever its status.
    """
    for path in ("/", "/api/hello", "/nowhere", "/v1/messages"):
        assert client.request("HEAD", path).body == b""
    assert client.ask().status == 200


def test_body_over_the_limit_is_a_413_that_the_client_can_read(
    simulator: Simulator,
) -> None:
    """
    The reply is not lost to a reset while the client still sends.
    """
    head = b"POST /v1/messages HTTP/1.1\r\ncontent-length: %d\r\n\r\n"
    sent = head % (MAX_BODY_BYTES + 1) + b"x" * 1_000_000
    reply = exchange_raw(simulator.base_url, sent)

    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b'"type":"request_too_large"' in reply


def test_head_over_the_limit_is_a_431(simulator: Simulator) -> None:
    """
    Headers without an end are cut off at the limit.
    """
    sent = b"GET / HTTP/1.1\r\na: " + b"x" * 2 * MAX_HEAD_BYTES
    reply = exchange_raw(simulator.base_url, sent)

    assert reply.startswith(b"HTTP/1.1 431 ")


def test_client_that_waits_for_100_continue_gets_it(simulator: Simulator) -> None:
    """
    The body is asked for before it is waited for.
    """
    sent = (
        b"POST /nowhere HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nab"
    )
    reply = exchange_raw(simulator.base_url, sent)

    assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")


def test_pipelined_requests_are_answered_in_order(simulator: Simulator) -> None:
    """
    Two requests in one packet get two replies, then the connection ends.
    """
    sent = b"GET /nowhere HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nconnection: close\r\n\r\n"
    reply = exchange_raw(simulator.base_url, sent)

    assert reply.index(b"HTTP/1.1 404 ") < reply.index(b"HTTP/1.1 200 ")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sent=st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda tail: b"POST /v1/messages HTTP/1.1\r\n" + tail)
    | st.binary(max_size=60).map(
        lambda body: (
            b"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\ncontent-length: %d\r\n\r\n"
            % len(body)
            + body
        )
    )
)
def test_no_bytes_hang_or_break_the_server(simulator: Simulator, sent: bytes) -> None:
    """
    Whatever is sent, the connection ends, with replies or none, and nothing fails.
    """
    reply = exchange_raw(simulator.base_url, sent)

    assert reply == b"" or reply.startswith(b"HTTP/1.1 ")
    assert simulator.stats().defects == 0
