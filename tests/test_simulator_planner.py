"""
Which request meets which step, by header and without.
"""

from __future__ import annotations

import pytest

from reliability.simulator.planner import Planner
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

LIMITED = Step(status=429)
BASH = Step(tool="Bash", input={"command": "ls"})
AGENT = Step(tool="Agent", input={"prompt": "say hello"})
DONE = Step(text="Done.")


def request(turns: int = 0, tools: tuple[str, ...] = ()) -> dict[str, object]:
    """
    Return a request with *turns* turns of the assistant behind it.
    """
    messages: list[dict[str, object]] = [{"role": "user", "content": "hi"}]
    for _ in range(turns):
        messages.append({"role": "assistant", "content": "x"})
        messages.append({"role": "user", "content": "y"})
    return {
        "model": "m",
        "messages": messages,
        "tools": [{"name": name} for name in tools],
    }


def trial(name: str, attempt: int = 1) -> dict[str, str]:
    """
    Return the headers of a client that says who it is.
    """
    return {"x-reliability-trial": name, "x-reliability-attempt": str(attempt)}


def planner(*script: Step) -> Planner:
    """
    Return a planner for *script*.
    """
    return Planner(Profile(script=script))


def test_named_trial_meets_one_step_a_request_and_the_last_repeats() -> None:
    """
    A trial goes through the script over its attempts, apart from other trials.
    """
    plans = planner(LIMITED, BASH, DONE)
    first = [plans.plan(trial("1", n), request()).step for n in (1, 2, 2, 2)]
    second = plans.plan(trial("2"), request()).step

    assert first == [LIMITED, BASH, DONE, DONE]
    assert second == LIMITED


def test_nameless_client_that_repeats_itself_is_limited_once() -> None:
    """
    "429, then an answer" means 429 for the first request and answers from then on.
    """
    plans = planner(LIMITED, DONE)

    assert [plans.plan({}, request()).step for _ in range(4)] == [
        LIMITED,
        DONE,
        DONE,
        DONE,
    ]


def test_each_nameless_conversation_begins_the_answers_anew() -> None:
    """
    Assistant turns choose the answer, so two conversations get the same answers.
    """
    plans = planner(BASH, LIMITED, DONE)
    offered = ("Bash",)
    first = [plans.plan({}, request(n, offered)).step for n in (0, 1, 1)]
    second = [plans.plan({}, request(n, offered)).step for n in (0, 1)]

    assert first == [BASH, LIMITED, DONE]
    assert second == [BASH, DONE]


def test_last_failing_step_fails_for_ever() -> None:
    """
    The last step repeats even if it is a fault.
    """
    plans = planner(DONE, LIMITED)

    assert [plans.plan({}, request(n)).step for n in (0, 1, 1, 1)] == [
        DONE,
        LIMITED,
        LIMITED,
        LIMITED,
    ]


@pytest.mark.parametrize(
    ("headers", "tools"),
    [({}, ("Bash",)), ({"x-claude-code-agent-id": "a1"}, ("Agent", "Bash"))],
)
def test_subagent_gets_the_step_after_the_delegation(
    headers: dict[str, str], tools: tuple[str, ...]
) -> None:
    """
    Who cannot delegate, or was delegated to, is not told to delegate.
    """
    plans = planner(AGENT, DONE)
    parent = plans.plan({}, request(0, ("Agent", "Bash"))).step
    child = plans.plan(headers, request(0, tools)).step

    assert (parent, child) == (AGENT, DONE)


def test_nameless_requests_see_what_trials_of_their_number_see() -> None:
    """
    Without a script, the n-th nameless request is trial n.
    """
    profile = Profile(pass_rate=0.5, rate_500=0.3, latency_sigma=1.0)
    named, nameless = Planner(profile), Planner(profile)
    expected = [named.plan(trial(str(n)), request()) for n in range(1, 41)]

    assert expected == [nameless.plan({}, request()) for _ in range(40)]


def test_order_of_arrival_changes_no_outcome() -> None:
    """
    The same identities in any order get the same plans.
    """
    profile = Profile(pass_rate=0.5, rate_500=0.2, rate_drop=0.2, latency_sigma=1.0)
    names = [(str(t), a) for t in range(20) for a in (1, 2)]
    forward, backward = Planner(profile), Planner(profile)
    expected = {name: forward.plan(trial(*name), request()) for name in names}
    met = {name: backward.plan(trial(*name), request()) for name in reversed(names)}

    assert expected == met


def test_step_leaves_text_and_delay_to_the_profile() -> None:
    """
    An answer takes the profile's text and latency, an error neither.
    """
    profile = Profile(pass_rate=0.0, latency_s=3.0, script=(LIMITED, Step(), DONE))
    plans = Planner(profile)
    limited, plain, done = (plans.plan(trial("1"), request()) for _ in range(3))

    assert limited.delay_s == 0.0
    assert (plain.delay_s, plain.is_wrong) == (3.0, True)
    assert (done.text, done.is_wrong) == ("Done.", False)


@pytest.mark.parametrize("odd", [7, "x", {"a": 1}, [7, "x"], None])
def test_odd_lists_in_a_request_are_read_as_empty(odd: object) -> None:
    """
    A body that is no proper conversation is served all the same.
    """
    body: dict[str, object] = {"messages": odd, "tools": odd}

    assert planner(DONE, BASH).plan({}, body).step == DONE


@pytest.mark.parametrize("headers", [{}, trial("1")], ids=["nameless", "named"])
def test_a_preview_counts_only_when_it_is_settled(headers: dict[str, str]) -> None:
    """
    A request that something else refuses has met no step, and is met by it again.
    """
    plans = planner(LIMITED, DONE)
    previews = [plans.preview(headers, request()) for _ in range(2)]
    previews[-1][1]()
    after, _ = plans.preview(headers, request())

    assert [plan.step for plan, _ in previews] == [LIMITED, LIMITED]
    assert after.step == DONE


@pytest.mark.parametrize("headers", [{}, trial("1")], ids=["nameless", "named"])
def test_a_preview_draws_the_fault_that_the_plan_meets(
    headers: dict[str, str],
) -> None:
    """
    Looking twice does not draw twice: seeded outcomes do not move under a limit.
    """
    profile = Profile(rate_500=0.5)
    looked, planned = Planner(profile), Planner(profile)
    steps = []
    for _ in range(20):
        looked.preview(headers, request())
        plan, settle = looked.preview(headers, request())
        settle()
        steps.append(plan.step)

    assert steps == [planned.plan(headers, request()).step for _ in range(20)]
