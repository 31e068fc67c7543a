"""
Many at once get what one after the other gets, and limits hold for all.
"""

from __future__ import annotations

import http.client
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from fakes.messages_client import RAW_REQUEST, Client, connect

from reliability.simulator.chance import answer_of
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

DONE = Step(text="Done.")


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
    stats = simulator.stats()
    errors = sum(count for status, count in stats.by_status.items() if status != 200)

    assert serial == parallel
    assert {"429", "529", "500", "reset before", "reset middle"} < {*serial.values()}
    assert stats.requests == 200 == stats.answered + stats.dropped + errors


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
    100 clients, each with a connection that is kept, all get their own answers.
    """
    profile = Profile(pass_rate=0.5, latency_s=0.01)
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


def test_hundred_requests_wait_for_their_answers_together() -> None:
    """
    Latency holds nobody else up: all 100 are in flight at once.
    """
    with Simulator(Profile(latency_s=3600.0)) as simulator, ExitStack() as stack:
        for _ in range(100):
            connection = connect(simulator.base_url)
            stack.enter_context(connection)
            connection.sendall(RAW_REQUEST)
        with Client(simulator.base_url) as client:
            while simulator.stats().in_flight < 100:
                client.request("GET", "/")

    assert simulator.stats().max_in_flight == 100
