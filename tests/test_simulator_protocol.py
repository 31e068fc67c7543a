"""
What goes over the wire has the shapes of the Messages API, for any request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.messages_client import Client, exchange_raw
from hypothesis import HealthCheck, given, settings, strategies as st

from reliability.simulator.embedded import Simulator
from reliability.simulator.http1 import MAX_BODY_BYTES, MAX_HEAD_BYTES
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHT = "Hello! I am the agent you asked for, and all is well."
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


def scripted(*steps: Step) -> Simulator:
    """
    Return a simulator that does *steps* without delay.
    """
    return Simulator(Profile(pass_rate=1.0, latency_s=0.0, script=steps))


def test_whole_answer_has_the_shape_of_a_message(client: Client) -> None:
    """
    An answer that is not streamed is one message with usage.
    """
    reply = client.ask()
    message = reply.value
    usage = message.pop("usage")

    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "some-model",
        "content": [{"type": "text", "text": RIGHT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }
    assert usage["output_tokens"] == len(RIGHT) // 4
    assert usage["input_tokens"] > 10


def test_streamed_answer_has_the_events_in_their_order(client: Client) -> None:
    """
    A stream is the seven kinds of event, and its deltas are the text.
    """
    reply = client.ask(stream=True)
    events = reply.events()
    names = [name for name, _ in events]
    deltas = [data["delta"] for name, data in events if name == "content_block_delta"]

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert names == [
        "message_start",
        "content_block_start",
        "ping",
        *["content_block_delta"] * len(deltas),
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert len(deltas) > 1
    assert "".join(delta["text"] for delta in deltas) == RIGHT
    assert events[0][1]["message"]["content"] == []
    assert events[-2][1] == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": len(RIGHT) // 4},
    }
    assert all(name == data["type"] for name, data in events)


def test_tool_use_is_the_same_in_both_modes_with_unique_ids() -> None:
    """
    A tool call carries its input whole, or in pieces that make it up again.
    """
    step = Step(text="Let me see.", tool="Bash", input={"command": "ls -la /tmp"})
    with scripted(step) as simulator, Client(simulator.base_url) as client:
        whole = client.ask().value
        events = client.ask(stream=True).events()
    text, tool = whole["content"]
    starts = [data for name, data in events if name == "content_block_start"]
    pieces = [
        data["delta"]["partial_json"]
        for name, data in events
        if name == "content_block_delta" and data["index"] == 1
    ]

    assert text == {"type": "text", "text": "Let me see."}
    assert tool.pop("id") != starts[1]["content_block"].pop("id")
    assert tool == {"type": "tool_use", "name": "Bash", "input": dict(step.input)}
    assert starts[1]["content_block"] == {**tool, "input": {}}
    assert json.loads("".join(pieces)) == step.input
    assert whole["stop_reason"] == "tool_use"
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"


def test_empty_answer_has_no_content_in_either_mode() -> None:
    """
    A scripted empty text is an answer without blocks.
    """
    with scripted(Step(text="")) as simulator, Client(simulator.base_url) as client:
        whole = client.ask().value
        events = client.ask(stream=True).events()

    assert whole["content"] == []
    assert [name for name, _ in events] == [
        "message_start",
        "ping",
        "message_delta",
        "message_stop",
    ]


def test_stop_reason_is_as_scripted() -> None:
    """
    A refusal is an answer whose stop reason says so.
    """
    refusal = Step(stop_reason="refusal", text="No.")
    with scripted(refusal) as simulator, Client(simulator.base_url) as client:
        assert client.ask().value["stop_reason"] == "refusal"


def test_every_reply_says_that_it_is_simulated(client: Client) -> None:
    """
    The marker and a request id are on answers, streams, errors and all else.
    """
    replies = [
        client.ask(),
        client.ask(stream=True),
        client.ask(max_tokens=None),
        client.request("GET", "/"),
        client.request("HEAD", "/api/hello"),
        client.request("GET", "/nowhere"),
    ]
    ids = {reply.headers["request-id"] for reply in replies}

    assert [reply.status for reply in replies] == [200, 200, 400, 200, 200, 404]
    assert {reply.headers["x-reliability-simulator"] for reply in replies} == {"1"}
    assert len(replies) == len(ids)


def test_front_page_names_the_service_and_its_counters(client: Client) -> None:
    """
    `GET /` is JSON with the counters, and needs no key.
    """
    client.ask()
    value = client.request("GET", "/").value

    assert value["service"] == "reliability-simulator"
    assert value["stats"]["answered"] >= 1


def test_models_tokens_and_hello_are_served(client: Client) -> None:
    """
    The other calls that clients make have their usual shapes.
    """
    body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    path = "/v1/messages/count_tokens"
    counted = client.request("POST", path, body=body, headers=KEY)
    models = client.request("GET", "/v1/models", headers=KEY).value

    assert counted.value == {"input_tokens": len(body) // 4}
    assert [model["type"] for model in models["data"]] == ["model"]
    assert models["has_more"] is False
    assert client.request("GET", "/api/hello").status == 200


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
