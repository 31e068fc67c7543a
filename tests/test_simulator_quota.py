"""
Limits of requests and tokens, alone and together, by a clock that the tests move.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes.hand_clock import BEGAN_UTC, HandClock
from fakes.messages_client import Client
from hypothesis import given, strategies as st

from reliability.agents.limits import read_limits
from reliability.limits import Allowance
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.quota import UNREACHED, Quota
from reliability.simulator.replies import Refusal
from reliability.simulator.script import Step
from reliability.simulator.wire import count_tokens

DONE = Step(text="x" * 400)
PREFIX = "anthropic-ratelimit-"


def quota(**limits: int) -> tuple[Quota, HandClock]:
    """
    Return the limits of a profile and the clock that they go by.
    """
    clock = HandClock()
    return Quota(Profile(**limits), clock), clock  # type: ignore[arg-type]


def refusal(one: Quota, *, input_tokens: int, output_tokens: int) -> dict[str, str]:
    """
    Return the headers of a request that must be refused.
    """
    with pytest.raises(Refusal) as caught:
        one.admit(input_tokens=input_tokens, output_tokens=output_tokens)

    assert caught.value.status == 429
    return fields(caught.value.headers)


def fields(lines: str) -> dict[str, str]:
    """
    Return header lines as a client reads them.
    """
    pairs = (line.partition(": ") for line in lines.splitlines())
    return {name: value for name, _, value in pairs}


def test_a_server_without_limits_says_nothing_of_any() -> None:
    """
    Headers about limits come only where one is set.
    """
    assert quota()[0].admit(input_tokens=10**9, output_tokens=10**9) == ""


def test_headers_state_limit_remaining_and_reset_of_each_bucket() -> None:
    """
    The reset is when the bucket will be full, in RFC 3339.
    """
    one, _ = quota(
        requests_per_minute=60,
        burst=10,
        input_tokens_per_minute=600,
        output_tokens_per_minute=6000,
        token_burst=1000,
    )
    one.admit(input_tokens=0, output_tokens=0)
    headers = fields(one.admit(input_tokens=20, output_tokens=500))

    assert headers == {
        f"{PREFIX}requests-limit": "60",
        f"{PREFIX}requests-remaining": "8",
        f"{PREFIX}requests-reset": "2026-11-23T17:40:02Z",
        f"{PREFIX}input-tokens-limit": "600",
        f"{PREFIX}input-tokens-remaining": "980",
        f"{PREFIX}input-tokens-reset": "2026-11-23T17:40:02Z",
        f"{PREFIX}output-tokens-limit": "6000",
        f"{PREFIX}output-tokens-remaining": "500",
        f"{PREFIX}output-tokens-reset": "2026-11-23T17:40:05Z",
    }


def test_a_limit_that_is_not_set_is_stated_out_of_reach() -> None:
    """
    A client that obeys all headers is slowed by the true limit alone.
    """
    one, _ = quota(output_tokens_per_minute=600)
    limits = read_limits(
        fields(one.admit(input_tokens=10**6, output_tokens=60)), now_utc=BEGAN_UTC
    )

    assert limits is not None
    assert limits.output_tokens == Allowance(
        per_minute=600, remaining=540, full_in_s=6.0
    )
    for name, found in (
        ("requests", limits.requests),
        ("input-tokens", limits.input_tokens),
    ):
        assert found == Allowance(
            per_minute=UNREACHED[name], remaining=UNREACHED[name], full_in_s=0.0
        )


def test_a_minutes_worth_of_tokens_is_the_burst_unless_said() -> None:
    """
    Each token bucket begins with a minute of its own rate, or with token-burst.
    """
    whole, _ = quota(input_tokens_per_minute=600, output_tokens_per_minute=60)
    small, _ = quota(input_tokens_per_minute=600, token_burst=50)
    whole.admit(input_tokens=600, output_tokens=60)
    small.admit(input_tokens=50, output_tokens=0)

    assert refusal(whole, input_tokens=10, output_tokens=1)["retry-after"] == "1"
    assert refusal(small, input_tokens=50, output_tokens=0)["retry-after"] == "5"


def test_the_wait_is_that_of_the_slowest_bucket() -> None:
    """
    Whoever waits as told is served; a refusal takes nothing from any bucket.
    """
    one, clock = quota(
        requests_per_minute=60, burst=1, input_tokens_per_minute=600, token_burst=100
    )
    one.admit(input_tokens=100, output_tokens=0)
    waits = [refusal(one, input_tokens=70, output_tokens=0) for _ in range(3)]
    clock.elapsed_s += 7

    assert [headers["retry-after"] for headers in waits] == ["7"] * 3
    assert one.admit(input_tokens=70, output_tokens=0)


def test_no_wait_is_told_where_the_profile_tells_none() -> None:
    """
    `retry-after=none` holds for the limits of tokens too.
    """
    one = Quota(Profile(retry_after_s=None, output_tokens_per_minute=1), HandClock())
    one.admit(input_tokens=1, output_tokens=1)

    assert "retry-after" not in refusal(one, input_tokens=1, output_tokens=1)


@given(
    limits=st.tuples(*[st.integers(min_value=1, max_value=10**6)] * 3),
    burst=st.integers(min_value=1, max_value=50),
    token_burst=st.integers(min_value=0, max_value=10**6),
    needs=st.lists(
        st.tuples(*[st.integers(min_value=0, max_value=10**6)] * 2), max_size=20
    ),
)
def test_no_headers_state_nonsense(
    limits: tuple[int, int, int],
    burst: int,
    token_burst: int,
    needs: list[tuple[int, int]],
) -> None:
    """
    Whatever is asked, what is left is never negative and a reset never past.
    """
    one, clock = quota(
        requests_per_minute=limits[0],
        burst=burst,
        input_tokens_per_minute=limits[1],
        output_tokens_per_minute=limits[2],
        token_burst=token_burst,
    )
    for tokens_in, tokens_out in needs:
        try:
            lines = one.admit(input_tokens=tokens_in, output_tokens=tokens_out)
        except Refusal as refused:
            lines = refused.headers
            clock.elapsed_s += int(fields(lines)["retry-after"])
        for name in UNREACHED:
            assert int(fields(lines)[f"{PREFIX}{name}-remaining"]) >= 0
            assert int(fields(lines)[f"{PREFIX}{name}-limit"]) > 0


def test_output_is_taken_when_the_request_is_admitted() -> None:
    """
    The second answer does not fit, although the first has not been sent yet.
    """
    profile = Profile(latency_s=0.0, output_tokens_per_minute=150, script=(DONE,))
    with Simulator(profile) as simulator, Client(simulator.base_url) as client:
        replies = [client.ask(trial=1, attempt=n) for n in (1, 2)]
    remaining = f"{PREFIX}output-tokens-remaining"

    assert [reply.status for reply in replies] == [200, 429]
    assert [reply.headers[remaining] for reply in replies] == ["50", "50"]
    assert 1 <= int(replies[1].headers["retry-after"]) <= 20


def test_input_is_counted_as_the_usage_says() -> None:
    """
    What the answer calls its input tokens is what the bucket lost.
    """
    profile = Profile(latency_s=0.0, input_tokens_per_minute=10_000, script=(DONE,))
    with Simulator(profile) as simulator, Client(simulator.base_url) as client:
        reply = client.ask()
    used = reply.value["usage"]["input_tokens"]

    assert int(reply.headers[f"{PREFIX}input-tokens-remaining"]) == 10_000 - used
    assert used > 0


@pytest.mark.parametrize(
    "step", [Step(status=500), Step(drop="before")], ids=["status", "drop"]
)
def test_what_has_no_answer_costs_no_output(step: Step) -> None:
    """
    Faults are not refused for tokens that nobody will ever send.
    """
    tokens = count_tokens(len(DONE.text or ""))
    profile = Profile(
        latency_s=0.0, output_tokens_per_minute=tokens, script=(DONE, step)
    )
    with Simulator(profile) as simulator:
        with Client(simulator.base_url) as client:
            assert client.ask(trial=1).status == 200
        with Client(simulator.base_url) as client:
            if step.drop:
                with pytest.raises(ConnectionResetError):
                    client.ask(trial=1)
            else:
                assert client.ask(trial=1).status == 500


def test_a_refusal_for_tokens_does_not_use_up_a_step() -> None:
    """
    The step that did not fit is met again.
    """
    small = Step(text="ok")
    profile = Profile(
        latency_s=0.0, output_tokens_per_minute=100, script=(small, DONE, small)
    )
    with Simulator(profile) as simulator, Client(simulator.base_url) as client:
        statuses = [client.ask(trial=1).status for _ in range(3)]

    assert statuses == [200, 429, 429]


def test_resets_move_with_the_clock() -> None:
    """
    An empty bucket is full again after a minute's worth of time.
    """
    one, clock = quota(input_tokens_per_minute=600)
    one.admit(input_tokens=600, output_tokens=0)
    clock.elapsed_s += 59
    almost = refusal(one, input_tokens=600, output_tokens=0)
    due = BEGAN_UTC + timedelta(seconds=60)

    assert almost[f"{PREFIX}input-tokens-reset"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert almost["retry-after"] == "1"
