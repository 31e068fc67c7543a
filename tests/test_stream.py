"""
Reading an answer of the Messages API, whatever arrives.
"""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reliability.agents.stream import Message, read_error, read_stream, read_whole
from reliability.model import Usage

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "model": "m-1",
        "usage": {"input_tokens": 12, "output_tokens": 1, "cache_read_input_tokens": 3},
    },
}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 40},
}
STOP = {"type": "message_stop"}

SCALARS = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
JSON = SCALARS | st.lists(SCALARS, max_size=2)
KEYS = st.sampled_from(
    ["type", "message", "delta", "usage", "error", "text", "content"]
)
TYPES = st.sampled_from(
    ["message_start", "content_block_delta", "message_delta", "error", "message"]
)


def delta(text: str) -> dict[str, Any]:
    """
    Return the event that adds a piece of text.
    """
    return {
        "type": "content_block_delta",
        "delta": {"type": "text_delta", "text": text},
    }


def read(*events: object) -> Message:
    """
    Read events as they come over the wire.
    """
    lines: list[bytes] = []
    for event in events:
        lines += [b"event: some", b"data: " + json.dumps(event).encode(), b""]
    return read_stream(lines)


def test_a_whole_stream_is_the_answer_and_its_counts() -> None:
    """
    Text is joined; the last count of each kind is the one that holds.
    """
    message = read(START, delta("Hel"), {"type": "ping"}, delta("lo"), END, STOP)

    assert "Hello" == message.answer
    assert message.complete
    assert ("msg_1", "m-1", "end_turn") == (
        message.message_id,
        message.model,
        message.stop_reason,
    )
    assert (
        Usage(input_tokens=12, output_tokens=40, cache_read_tokens=3) == message.usage
    )


@pytest.mark.parametrize("kept", range(5))
def test_a_cut_stream_is_never_complete(kept: int) -> None:
    """
    Without its last event an answer is cut, and what came is kept.
    """
    message = read(*[START, delta("Hel"), delta("lo"), END, STOP][:kept])

    assert not message.complete
    assert "Hello"[: 3 * max(0, min(2, kept - 1))] == message.answer


def test_nothing_after_the_end_belongs_to_the_answer() -> None:
    """
    Reading stops with the message.
    """
    assert "Hello" == read(START, delta("Hello"), STOP, delta(" more")).answer


def test_an_error_event_ends_the_reading() -> None:
    """
    An error after a 200 keeps its type and text, and the answer is not complete.
    """
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    message = read(START, delta("Hel"), error, delta("lo"), STOP)

    assert ("overloaded_error", "Busy") == (message.error_type, message.error_text)
    assert "Hel" == message.answer
    assert not message.complete


def test_thoughts_and_tool_input_are_no_answer() -> None:
    """
    Only text blocks are what the agent said.
    """
    thought = {"type": "thinking_delta", "thinking": "Hm"}
    tool = {"type": "input_json_delta", "partial_json": "{}"}
    message = read(
        START,
        {"type": "content_block_delta", "delta": thought},
        {"type": "content_block_delta", "delta": tool},
        delta("Hello"),
        STOP,
    )

    assert "Hello" == message.answer


@pytest.mark.parametrize("count", [-1, True, "9", None, 1.5, [1]])
def test_a_count_that_is_none_is_passed_over(count: object) -> None:
    """
    What is not a number of tokens does not become one.
    """
    message = read(START, {**END, "usage": {"output_tokens": count}}, STOP)

    assert 1 == message.usage.output_tokens


def test_an_answer_in_one_piece_is_read_too() -> None:
    """
    A gateway that does not stream is understood.
    """
    whole = {
        **START["message"],  # type: ignore[dict-item]  # a dict literal above
        "type": "message",
        "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}],
        "stop_reason": "max_tokens",
    }
    message = read_whole(json.dumps(whole).encode())

    assert ("Hello", "max_tokens", True) == (
        message.answer,
        message.stop_reason,
        message.complete,
    )
    assert 12 == message.usage.input_tokens


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b'{"type":"message"}'])
def test_a_body_that_is_no_message_is_not_complete(body: bytes) -> None:
    """
    A page of some proxy is not an empty answer.
    """
    assert not read_whole(body).complete


@given(st.lists(st.binary()))
def test_any_bytes_are_read_without_an_error(lines: list[bytes]) -> None:
    """
    Lines that are no events are passed over.
    """
    assert not read_stream(lines).complete
    assert not read_stream([b"data:" + line for line in lines]).complete


@given(
    st.lists(
        st.dictionaries(
            KEYS,
            TYPES | JSON | st.dictionaries(KEYS, TYPES | JSON, max_size=3),
            max_size=3,
        ),
        max_size=4,
    )
)
def test_any_json_is_read_without_an_error(events: list[dict[str, Any]]) -> None:
    """
    A service that changes its events does not break us.
    """
    message = read(*events)

    assert isinstance(message.answer, str)
    assert isinstance(message.usage, Usage)


@given(st.binary())
def test_any_error_body_has_a_text(body: bytes) -> None:
    """
    A body of another form is its own message, within bounds.
    """
    kind, text = read_error(body)

    assert kind == ""
    assert len(text) <= 500


def test_an_error_body_of_the_api_has_type_and_message() -> None:
    """
    Both are taken from where the API documents them.
    """
    body = b'{"type":"error","error":{"type":"not_found_error","message":"no model"}}'

    assert ("not_found_error", "no model") == read_error(body)
