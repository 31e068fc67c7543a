"""
The messages backend, over real sockets: the simulator, and servers that misbehave.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.backends import KEY, kind, messages
from fakes.raw_server import Peer, RawServer, answer, saying
from fakes.runs import a_call

from reliability.kinds import ErrorKind
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from reliability.model import Reply

EVENTS = [
    {"type": "message_start", "message": {"model": "m-2", "id": "msg_9"}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]


def reply_to(*steps: Step) -> Reply:
    """
    Return what the first attempt brings when the simulator plays *steps*.
    """
    with (
        Simulator(Profile(latency_s=0, script=steps)) as simulator,
        messages(simulator.base_url) as backend,
    ):
        backend.prepare()
        return backend.attempt(a_call())


def raw_reply(data: bytes, *, timeout_s: float = 20.0) -> Reply:
    """
    Return what an attempt brings when a server says *data* and hangs up.
    """
    with RawServer(saying(data)) as server, messages(server.url) as backend:
        return backend.attempt(a_call(timeout_s=timeout_s))


def streamed(*events: object) -> bytes:
    """
    Return events as a body.
    """
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in events)


def test_an_answer_comes_with_all_that_is_known_of_it() -> None:
    """
    Text, tokens, cost, model, ids and status are kept.
    """
    reply = reply_to(Step(text="Hello"))

    assert reply.trouble is None
    assert "Hello" == reply.answer
    assert 200 == reply.http_status
    assert "claude-haiku-4-5" == reply.model
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0
    assert reply.cost_usd == pytest.approx(
        (reply.usage.input_tokens + 5 * reply.usage.output_tokens) / 1e6
    )
    assert reply.session_id
    assert 1 == reply.turns
    assert "end_turn" == reply.evidence["stop_reason"]
    assert str(reply.evidence["request_id"]).startswith("req_")
    assert reply.duration_s > 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ErrorKind.BAD_REQUEST),
        (401, ErrorKind.AUTHENTICATION),
        (403, ErrorKind.AUTHENTICATION),
        (404, ErrorKind.NOT_FOUND),
        (408, ErrorKind.NO_RESPONSE),
        (413, ErrorKind.PROMPT_TOO_LONG),
        (429, ErrorKind.RATE_LIMIT),
        (500, ErrorKind.SERVER_ERROR),
        (503, ErrorKind.SERVER_ERROR),
        (529, ErrorKind.OVERLOADED),
    ],
)
def test_each_error_status_is_a_trouble_with_its_evidence(
    status: int, expected: ErrorKind
) -> None:
    """
    The kind follows the status; what the service said is kept.
    """
    reply = reply_to(Step(status=status))

    assert expected is kind(reply)
    assert status == reply.http_status
    assert reply.errors
    assert reply.trouble is not None
    assert reply.trouble.text.startswith(f"HTTP {status} ")
    assert reply.evidence["error_type"]
    assert "" == reply.answer
    assert reply.cost_usd is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("0.25", 0.25),
        ("1e9", 1e9),
        ("-3", None),
        ("soon", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("2", 2.0),
    ],
)
def test_retry_after_is_handed_on(header: str, expected: float | None) -> None:
    """
    What the service asks for reaches the engine, junk does not.
    """
    body = b'{"error":{"type":"rate_limit_error","message":"slow down"}}'
    reply = raw_reply(
        answer(body, status="429 Too Many", extra=f"Retry-After: {header}\r\n")
    )

    assert reply.trouble is not None
    assert ErrorKind.RATE_LIMIT is reply.trouble.kind
    assert expected == reply.trouble.retry_after_s


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step(drop="before"), ErrorKind.NETWORK),
        (Step(drop="middle"), ErrorKind.NETWORK),
        (Step(sse_error=True), ErrorKind.OVERLOADED),
        (Step(sse_error=True, error_type="api_error"), ErrorKind.SERVER_ERROR),
        (Step(text="No.", stop_reason="refusal"), ErrorKind.REFUSAL),
        (Step(text="Hel", stop_reason="max_tokens"), ErrorKind.OUTPUT_LIMIT),
        (
            Step(text="Hel", stop_reason="model_context_window_exceeded"),
            ErrorKind.CONTEXT_TOO_LONG,
        ),
        (Step(text=""), ErrorKind.EMPTY_ANSWER),
        (Step(text=" \n"), ErrorKind.EMPTY_ANSWER),
    ],
)
def test_a_success_that_is_none_is_found_and_named(
    step: Step, expected: ErrorKind
) -> None:
    """
    Cuts, errors after a 200, refusals and empty answers are never graded.
    """
    assert expected is kind(reply_to(step))


def test_what_came_of_a_refused_or_cut_answer_is_kept() -> None:
    """
    The log shows what there was.
    """
    assert "No." == reply_to(Step(text="No.", stop_reason="refusal")).answer
    assert "Hel" == reply_to(Step(text="Hel", stop_reason="max_tokens")).answer


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        answer(b""),
        answer(b"<html>Sign in</html>", extra="Content-Type: text/html\r\n"),
        answer(b"{}", extra="Content-Type: application/json\r\n"),
        answer(streamed(*EVENTS[:-1])),
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + streamed(*EVENTS[:2]),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_whole_answer_is_network_trouble(data: bytes) -> None:
    """
    A proxy's login page with status 200 is no answer, nor is half a stream.
    """
    assert ErrorKind.NETWORK is kind(raw_reply(data))


def test_a_gateway_that_answers_whole_is_understood() -> None:
    """
    One JSON body in place of a stream is an answer too.
    """
    whole = {"type": "message", "content": [{"type": "text", "text": "Hello"}]}
    body = json.dumps(whole).encode()

    reply = raw_reply(answer(body, extra="Content-Type: application/json\r\n"))

    assert (None, "Hello") == (kind(reply), reply.answer)


def test_a_service_that_says_nothing_is_left_at_the_time_limit() -> None:
    """
    No response is trouble of the infrastructure, not the agent's slowness.
    """
    with RawServer(lambda peer: peer.hold()) as server, messages(server.url) as backend:
        reply = backend.attempt(a_call(timeout_s=0.1))

    assert ErrorKind.NO_RESPONSE is kind(reply)


def test_a_cancel_ends_a_call_under_way_and_refuses_later_ones() -> None:
    """
    Both are cancelled, and that is nobody's failure.
    """
    with RawServer(lambda peer: None) as server, messages(server.url) as backend:

        def talk(peer: Peer) -> None:
            """
            Cancel in the middle of the call.
            """
            peer.request()
            backend.cancel()
            peer.hold()

        server._talk = talk
        replies = [backend.attempt(a_call()), backend.attempt(a_call())]

    assert [ErrorKind.CANCELLED] * 2 == [kind(reply) for reply in replies]


def test_calls_of_one_worker_share_one_connection() -> None:
    """
    A stream is read to its end, so that its connection can be used again.
    """
    body = streamed(*EVENTS)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def talk(peer: Peer) -> None:
        """
        Answer for as long as the client asks.
        """
        while peer.request():
            peer.send(head + chunked)

    with RawServer(talk) as server, messages(server.url) as backend:
        answers = [backend.attempt(a_call(n)).answer for n in range(1, 6)]
        backend.close()

        assert ["Hello"] * 5 == answers
        assert 1 == server.connections


@pytest.mark.parametrize(
    ("environ", "header"),
    [
        ({"ANTHROPIC_API_KEY": f" {KEY}\n"}, f"x-api-key: {KEY}"),
        ({"ANTHROPIC_AUTH_TOKEN": KEY}, f"authorization: Bearer {KEY}"),
        (
            {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_AUTH_TOKEN": "other"},
            f"x-api-key: {KEY}",
        ),
    ],
)
def test_a_request_is_what_the_api_documents(
    environ: dict[str, str], header: str
) -> None:
    """
    Path, version, credential and body; nothing of the simulator's goes to others.
    """
    seen: list[bytes] = []

    def talk(peer: Peer) -> None:
        """
        Keep the request.
        """
        seen.append(peer.request())
        peer.send(answer(streamed(*EVENTS)))

    with (
        RawServer(talk) as server,
        messages(
            f"{server.url}/", environ=environ, **{"max-output-tokens": "7"}
        ) as one,
    ):
        one.attempt(a_call(prompt='Say "hi" \ud800 \N{SNOWMAN}'))
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")

    assert "POST /v1/messages HTTP/1.1" == lines[0]
    assert header.lower() in [line.lower() for line in lines]
    assert not any("reliability" in line.lower() for line in lines[1:])
    assert {
        "model": "claude-haiku-4-5",
        "max_tokens": 7,
        "stream": True,
        "messages": [{"role": "user", "content": 'Say "hi" \ud800 \N{SNOWMAN}'}],
    } == json.loads(body)
