"""
Faults: what a client of a real API has to survive.
"""

from __future__ import annotations

import http.client
from contextlib import suppress

import pytest
from fakes.messages_client import RAW_REQUEST, Client, connect

from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

DONE = Step(text="Done.")


def scripted(*steps: Step) -> Simulator:
    """
    Return a simulator that does *steps* without delay.
    """
    return Simulator(Profile(pass_rate=1.0, latency_s=0.0, script=steps))


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, "invalid_request_error", "false"),
        (401, "authentication_error", "false"),
        (429, "rate_limit_error", None),
        (500, "api_error", None),
        (503, "api_error", None),
        (529, "overloaded_error", None),
    ],
)
def test_error_step_has_the_type_and_headers_of_its_status(
    status: int, kind: str, hint: str | None
) -> None:
    """
    An error carries the API's type, the scripted wait, and whether to give up.
    """
    step = Step(status=status, retry_after_s=1.5)
    with scripted(step) as simulator, Client(simulator.base_url) as client:
        reply = client.ask(stream=True)

    assert (reply.status, reply.value["error"]["type"]) == (status, kind)
    assert reply.headers["retry-after"] == "1.5"
    assert hint == reply.headers.get("x-should-retry")


def test_error_type_can_be_scripted() -> None:
    """
    A step may name a type that does not belong to its status.
    """
    step = Step(status=403, error_type="billing_error")
    with scripted(step) as simulator, Client(simulator.base_url) as client:
        assert client.ask().value["error"]["type"] == "billing_error"


@pytest.mark.parametrize("retry_after_s", [2.0, None])
def test_random_429_carries_the_profiles_wait(retry_after_s: float | None) -> None:
    """
    The header is there as set, or not at all.
    """
    profile = Profile(rate_429=1.0, retry_after_s=retry_after_s)
    with Simulator(profile) as simulator, Client(simulator.base_url) as client:
        reply = client.ask()

    assert reply.status == 429
    assert reply.headers.get("retry-after") == ("2" if retry_after_s else None)


@pytest.mark.parametrize("stream", [False, True])
def test_drop_before_an_answer_is_a_reset_without_a_byte(stream: bool) -> None:
    """
    The client sees a reset connection, not an orderly end.
    """
    with (
        scripted(Step(drop="before"), DONE) as simulator,
        Client(simulator.base_url) as client,
    ):
        with pytest.raises(ConnectionResetError):
            client.ask(stream=stream)

        assert client.ask(stream=stream).status == 200
    assert simulator.stats().dropped == 1


@pytest.mark.parametrize("stream", [False, True])
def test_drop_in_the_middle_leaves_a_piece_of_the_answer(stream: bool) -> None:
    """
    Bytes of the answer arrive, then the connection is reset.
    """
    with (
        scripted(Step(drop="middle"), DONE) as simulator,
        Client(simulator.base_url) as client,
        pytest.raises(http.client.IncompleteRead),
    ):
        client.ask(stream=stream)
    stats = simulator.stats()

    assert (stats.dropped, stats.answered, stats.defects) == (1, 0, 0)


def test_reset_in_a_stream_is_read_after_what_was_sent() -> None:
    """
    The first events of a cut stream reach the client; its end does not.
    """
    received = b""
    with (
        scripted(Step(drop="middle")) as simulator,
        connect(simulator.base_url) as connection,
    ):
        connection.sendall(RAW_REQUEST)
        with suppress(ConnectionResetError):
            while data := connection.recv(65536):
                received += data

    assert b"event: content_block_delta" in received
    assert b"message_stop" not in received


def test_stream_error_is_an_event_after_a_200() -> None:
    """
    A stream may fail with an `error` event and still end in order.
    """
    steps = (Step(sse_error=True), DONE)
    with scripted(*steps) as simulator, Client(simulator.base_url) as client:
        failed = client.ask(stream=True)
        name, data = failed.events()[-1]
        whole = client.ask()

    assert failed.status == 200
    assert (name, data["error"]["type"]) == ("error", "overloaded_error")
    assert whole.value["content"][0]["text"] == "Done."
    assert simulator.stats().stream_errors == 1


def test_stream_error_is_a_status_for_who_does_not_stream() -> None:
    """
    The same step without a stream is an overload.
    """
    with (
        scripted(Step(sse_error=True)) as simulator,
        Client(simulator.base_url) as client,
    ):
        assert client.ask().status == 529


def test_hanging_step_never_answers_and_ends_with_its_client() -> None:
    """
    A hang lasts until the client gives up, and other clients are served meanwhile.
    """
    with scripted(Step(hang=True), DONE) as simulator:
        with connect(simulator.base_url) as connection:
            connection.sendall(RAW_REQUEST)
            with Client(simulator.base_url) as other:
                while simulator.stats().in_flight == 0:
                    other.request("GET", "/")

                assert other.ask().status == 200
        with Client(simulator.base_url) as other:
            while simulator.stats().abandoned == 0:
                other.request("GET", "/")

    assert (simulator.stats().answered, simulator.stats().in_flight) == (1, 0)
