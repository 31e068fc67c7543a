"""
The messages backend when an answer breaks off: what came is kept, and who did it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes.raw_server import Peer, RawServer, answer
from fakes.runs import a_call

from reliability.agents.base import ANSWER_CAP_BYTES, CLASSIC_WARNING
from reliability.agents.json_object import read_object
from reliability.agents.messages import Messages
from reliability.clock import SystemClock
from reliability.kinds import ErrorKind
from reliability.model import Usage
from reliability.settings import Settings

if TYPE_CHECKING:
    from reliability.model import Reply

OPEN_END = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "model": "claude-haiku-4-5",
        "id": "msg_1",
        "usage": {"input_tokens": 1000, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}


def delta(**fields: str) -> dict[str, Any]:
    """
    Return the event that adds to a block.
    """
    return {"type": "content_block_delta", "delta": fields}


def streamed(*events: object) -> bytes:
    """
    Return events as a body.
    """
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in events)


def backend(url: str, **given: str) -> Messages:
    """
    Return the backend, pointed at *url*.
    """
    options = {"agent": "a", "backend": "messages", "model": "claude-haiku-4-5"}
    environ = {"ANTHROPIC_API_KEY": "sk-of-nobody", "ANTHROPIC_BASE_URL": url}
    settings = Settings.from_text(options | given)
    return Messages(settings, environ=environ, clock=SystemClock())


def reply_to(data: bytes, *, end: str, timeout_s: float = 20.0) -> Reply:
    """
    Return what an attempt brings.

    Args:
        data: What the server says.
        end: What comes then: "close", "reset", "hold" (silence) or "cancel".
    """

    def talk(peer: Peer) -> None:
        """
        Say it, and end as told.
        """
        peer.request()
        peer.send(data)
        if end == "reset":
            peer.reset()
        if end == "cancel":
            messages.cancel()
        if end in {"hold", "cancel"}:
            peer.hold()

    with RawServer(talk) as server:
        messages = backend(server.url)
        try:
            return messages.attempt(a_call(timeout_s=timeout_s))
        finally:
            messages.close()


@pytest.mark.parametrize(
    ("end", "kind", "text"),
    [
        ("close", ErrorKind.NETWORK, "early"),
        ("hold", ErrorKind.TIMEOUT, "no end within 0.3 s"),
    ],
)
def test_what_came_before_a_break_is_kept(end: str, kind: ErrorKind, text: str) -> None:
    """
    Text, model, ids, tokens and what they cost; it was paid for.
    """
    data = OPEN_END + streamed(START, delta(text="Hel"), delta(text="lo"))
    timeout_s = 0.3 if end == "hold" else 20.0
    reply = reply_to(data, end=end, timeout_s=timeout_s)

    assert reply.trouble is not None
    assert kind is reply.trouble.kind
    assert text in reply.trouble.text
    assert ("Hello", 200, "msg_1") == (
        reply.answer,
        reply.http_status,
        reply.session_id,
    )
    assert Usage(input_tokens=1000, output_tokens=1) == reply.usage
    assert reply.cost_usd == pytest.approx(1005e-6)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([], ErrorKind.NO_RESPONSE),
        ([START], ErrorKind.NO_RESPONSE),
        ([START, {"type": "ping"}], ErrorKind.NO_RESPONSE),
        ([START, delta(thinking="Hm")], ErrorKind.TIMEOUT),
        ([START, delta(text="Hel")], ErrorKind.TIMEOUT),
    ],
)
def test_a_deadline_is_the_agents_once_the_model_has_spoken(
    events: list[dict[str, Any]], kind: ErrorKind
) -> None:
    """
    Before that the service kept it waiting, which says nothing about the agent.
    """
    data = OPEN_END + streamed(*events)
    reply = reply_to(data, end="hold", timeout_s=0.3)

    assert reply.trouble is not None
    assert kind is reply.trouble.kind


def test_a_cancel_is_called_one() -> None:
    """
    Not by what the socket says of it.
    """
    reply = reply_to(b"", end="cancel")

    assert reply.trouble is not None
    assert ErrorKind.CANCELLED is reply.trouble.kind
    assert "the run was cancelled" == reply.trouble.text


def test_what_was_read_before_a_cancel_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The cancel comes with the ping, so the text before it has certainly been read.
    """
    backends: list[Messages] = []

    def read_and_cancel(data: bytes) -> dict[str, Any] | None:
        """
        Read an event; at a ping, cancel.
        """
        if b"ping" in data:
            backends[0].cancel()
        return read_object(data)

    def talk(peer: Peer) -> None:
        """
        Say half an answer and a ping, then nothing.
        """
        peer.request()
        peer.send(OPEN_END + streamed(START, delta(text="Hel"), {"type": "ping"}))
        peer.hold()

    monkeypatch.setattr("reliability.agents.stream.read_object", read_and_cancel)
    with RawServer(talk) as server:
        backends.append(backend(server.url))
        try:
            reply = backends[0].attempt(a_call(timeout_s=20))
        finally:
            backends[0].close()

    assert reply.trouble is not None
    assert ErrorKind.CANCELLED is reply.trouble.kind
    assert "Hel" == reply.answer


def test_without_a_count_the_cost_is_unknown() -> None:
    """
    Nothing was stated, so nothing is claimed; least of all that it cost nothing.
    """
    reply = reply_to(OPEN_END + streamed(delta(text="Hel")), end="close")

    assert reply.cost_usd is None


@pytest.mark.parametrize("count", [10**16, 10**400, "1e999"])
def test_a_count_beyond_all_sense_is_none(count: object) -> None:
    """
    No cost overflows, whatever a gateway may send.
    """
    usage = json.dumps({"output_tokens": count}).replace('"1e999"', "1e999")
    end = f'data: {{"type":"message_delta","delta":{{}},"usage":{usage}}}\n\n'
    body = streamed(START, delta(text="Hello")) + end.encode() + streamed(STOP)
    reply = reply_to(answer(body), end="close")

    assert reply.trouble is None
    assert Usage(input_tokens=1000, output_tokens=1) == reply.usage


@pytest.mark.parametrize("extra", [0, 1])
def test_an_answer_that_is_not_kept_whole_is_not_graded(extra: int) -> None:
    """
    It is read to its end for its counts; its beginning is kept and its length told.
    """
    half = ANSWER_CAP_BYTES // 2
    events = (START, delta(text="x" * half), delta(text="x" * (half + extra)), STOP)
    reply = reply_to(answer(streamed(*events)), end="close")

    assert "x" * ANSWER_CAP_BYTES == reply.answer
    assert bool(extra) == (reply.trouble is not None)
    if reply.trouble is not None:
        assert ErrorKind.ANSWER_TOO_LONG is reply.trouble.kind
        assert f"has {ANSWER_CAP_BYTES + 1} bytes" in reply.trouble.text


def test_the_classic_prompt_is_warned_of() -> None:
    """
    A model alone has no agents to ask.
    """
    warned = backend("http://127.0.0.1:9").prepare().warnings
    quiet = backend("http://127.0.0.1:9", prompt="Say hello.").prepare().warnings

    assert (CLASSIC_WARNING,) == warned
    assert () == quiet
