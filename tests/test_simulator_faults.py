"""
Faults, limits and concurrency: what a client of a real API has to survive.
"""

from __future__ import annotations

import http.client
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from fakes.messages_client import Client

from reliability.simulator.chance import answer_of
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

DONE = Step(text="Done.")


def scripted(*steps: Step) -> Simulator:
    """
    Return a simulator that does *steps* without delay.
    """
    return Simulator(Profile(pass_rate=1.0, latency_s=0.0, script=steps))


def outcome_of(base_url: str, trial: int, attempt: int) -> str:
    """
    Return how one attempt ended, as a text.
    """
    with Client(base_url) as client:
        try:
            reply = client.ask(trial=trial, attempt=attempt)
        except ConnectionResetError:
            return "reset before"
        except http.client.IncompleteRead:
            return "reset middle"
        if reply.status != 200:
            return str(reply.status)
        return str(reply.value["content"][0]["text"])


def test_same_seed_gives_same_outcomes_in_any_order_at_any_concurrency() -> None:
    """
    200 attempts, one after the other and shuffled over 16 threads, end alike.
    """
    profile = Profile(
        seed=7,
        pass_rate=0.6,
        latency_s=0.0,
        rate_429=0.1,
        rate_529=0.1,
        rate_500=0.1,
        rate_drop=0.1,
    )
    names = [(trial, attempt) for trial in range(100) for attempt in (1, 2)]
    with Simulator(profile) as simulator:
        serial = {name: outcome_of(simulator.base_url, *name) for name in names}
    random.shuffle(names)
    with Simulator(profile) as simulator, ThreadPoolExecutor(16) as pool:
        ended = pool.map(lambda name: outcome_of(simulator.base_url, *name), names)
        parallel = dict(zip(names, ended, strict=True))

    assert serial == parallel
    assert {"429", "529", "500", "reset before", "reset middle"} < {*serial.values()}


def test_server_counts_what_the_clients_saw() -> None:
    """
    Wrong answers and statuses in the counters are those that were sent.
    """
    profile = Profile(pass_rate=0.5, latency_s=0.0, rate_500=0.3)
    with Simulator(profile) as simulator:
        seen = [outcome_of(simulator.base_url, trial, 1) for trial in range(60)]
        stats = simulator.stats()
    wrong = [text for text in seen if text not in {"500", profile.answer}]

    assert stats.requests == 60
    assert stats.by_status == {200: 60 - seen.count("500"), 500: seen.count("500")}
    assert stats.answered == 60 - seen.count("500")
    assert stats.wrong_answers == len(wrong) > 0
    assert (stats.in_flight, stats.defects) == (0, 0)


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
    body = b'{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user"}]}'
    head = b"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\ncontent-length: %d\r\n\r\n"
    received = b""
    with scripted(Step(drop="middle")) as simulator:
        host, _, port = simulator.base_url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(head % len(body) + body)
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
        host, _, port = simulator.base_url.removeprefix("http://").partition(":")
        body = b'{"model":"m","max_tokens":1,"messages":[{"role":"user"}]}'
        head = (
            b"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\ncontent-length: %d\r\n\r\n"
        )
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(head % len(body) + body)
            with Client(simulator.base_url) as other:
                while simulator.stats().in_flight == 0:
                    other.request("GET", "/")

                assert other.ask().status == 200
        with Client(simulator.base_url) as other:
            while simulator.stats().abandoned == 0:
                other.request("GET", "/")

    assert (simulator.stats().answered, simulator.stats().in_flight) == (1, 0)


def test_rate_limit_refuses_what_is_over_the_burst() -> None:
    """
    The bucket's 429 carries the wait and the limit's headers; so do answers.
    """
    profile = Profile(latency_s=0.0, requests_per_minute=1, burst=2)
    with Simulator(profile) as simulator, Client(simulator.base_url) as client:
        replies = [client.ask() for _ in range(3)]
    refused = replies[-1]
    header = "anthropic-ratelimit-requests-remaining"

    assert [reply.status for reply in replies] == [200, 200, 429]
    assert [reply.headers[header] for reply in replies] == ["1", "0", "0"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.value["error"]["type"] == "rate_limit_error"


def test_refused_request_does_not_use_up_a_fault_or_a_step() -> None:
    """
    What the rate limit refuses is not a request of the trial.
    """
    profile = Profile(
        latency_s=0.0, requests_per_minute=1, burst=1, script=(Step(status=500), DONE)
    )
    with Simulator(profile) as simulator, Client(simulator.base_url) as client:
        statuses = [client.ask(trial=1).status for _ in range(3)]

    assert statuses == [500, 429, 429]


def test_hundred_connections_are_served_at_once() -> None:
    """
    100 clients that wait for the same latency are all in flight together.
    """
    profile = Profile(pass_rate=0.5, latency_s=0.2)
    with Simulator(profile) as simulator:

        def ask_twice(trial: int) -> list[str]:
            with Client(simulator.base_url) as client:
                replies = [client.ask(trial=trial, attempt=n) for n in (1, 2)]
            return [reply.value["content"][0]["text"] for reply in replies]

        with ThreadPoolExecutor(100) as pool:
            texts = list(pool.map(ask_twice, range(100)))
    stats = simulator.stats()

    assert texts == [[answer_of(profile, str(t))] * 2 for t in range(100)]
    assert (stats.answered, stats.defects) == (200, 0)
    assert stats.max_in_flight > 50
