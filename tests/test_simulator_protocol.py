"""
What goes over the wire has the shapes of the Messages API, for any request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.messages_client import Client

from reliability.simulator.embedded import Simulator
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
