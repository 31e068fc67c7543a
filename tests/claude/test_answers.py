"""
The real CLI with an API that works: agents by name and by delegation, what is recorded.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.claude_bench import AGENT_FILE, MODEL

from reliability.simulator.chance import is_right
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from fakes.claude_bench import Bench

pytestmark = pytest.mark.claude

DELEGATE = Step(
    tool="Agent",
    input={
        "subagent_type": "greet",
        "prompt": "say hello",
        "description": "greet",
        "run_in_background": False,
    },
)


def test_an_answer_passes_with_its_evidence(bench: Bench) -> None:
    """
    A trial that went well keeps what it cost, who answered, and how it ended.
    """
    bench.add_agent()
    outcome = bench.run(Step(text="hello there"), agent="greet", expect="hello")
    attempt = outcome.attempts[0]

    assert ("pass", 1) == (outcome.trial.outcome, outcome.trial.attempts)
    assert ("hello there", MODEL, 1) == (
        attempt["answer"],
        attempt["model"],
        attempt["turns"],
    )
    assert attempt["cost_usd"] > 0
    assert attempt["usage"]["input_tokens"] > 0
    assert attempt["session_id"]
    assert (0, 0, "success", False, "completed") == (
        attempt["exit_code"],
        attempt["evidence"]["api_retries"],
        attempt["evidence"]["subtype"],
        attempt["evidence"]["is_error"],
        attempt["evidence"]["terminal_reason"],
    )
    assert outcome.result.versions["claude-code"] == attempt["evidence"]["cli_version"]
    assert outcome.result.simulated
    assert 1 == outcome.stats.requests


def test_a_wrong_answer_fails_without_another_attempt(bench: Bench) -> None:
    """
    An answer that the check refuses is a fail, asked once.
    """
    outcome = bench.run(Step(text="good bye"), expect="hello")

    assert ("fail", 1) == (outcome.trial.outcome, outcome.trial.attempts)
    assert 1 == outcome.stats.requests


def test_the_agent_file_decides_prompt_tools_and_model(bench: Bench) -> None:
    """
    With `--agent` the API is asked as the file says.
    """
    bench.add_agent()
    outcome = bench.run(Step(text="hello"), agent="greet", model="")
    (asked,) = outcome.relay.requests

    assert "claude-of-the-file-1" == asked.body["model"]
    assert "claude-of-the-file-1" == outcome.attempts[0]["model"]
    assert ["Grep", "Read"] == asked.tools
    assert "You are the greeter of this test." in asked.system
    assert "agent_file_sha256" in outcome.result.fingerprint


def test_a_named_model_wins_over_the_file(bench: Bench) -> None:
    """
    `--model` is what the API is asked for.
    """
    bench.add_agent()
    outcome = bench.run(Step(text="hello"), agent="greet", model="claude-named-2")

    assert "claude-named-2" == outcome.relay.requests[0].body["model"]


@pytest.mark.parametrize("prompt", ["Say hello.", ""])
def test_a_users_own_agent_is_found_in_the_real_home(bench: Bench, prompt: str) -> None:
    """
    Though each attempt has its own HOME, `~/.claude/agents` counts, however large.
    """
    place = bench.home / ".claude" / "agents" / "greet.md"
    place.parent.mkdir(parents=True)
    place.write_text(AGENT_FILE + "long " * 50_000, encoding="utf-8")
    steps = [Step(text="hello")] if prompt else [DELEGATE, Step(text="hello")]
    outcome = bench.run(*steps, agent="greet", prompt=prompt)
    texts = [asked.system for asked in outcome.relay.requests]

    assert "pass" == outcome.trial.outcome
    assert any("You are the greeter of this test." in text for text in texts)


def test_a_description_that_is_no_yaml_is_read_as_the_cli_reads_it(
    bench: Bench,
) -> None:
    """
    A colon in the description, as in most agent files, stops neither us nor the CLI.
    """
    described = 'Use this when: you greet. Examples: <example>user: "hi"</example>'
    bench.add_agent(AGENT_FILE.replace("Greets people", described))

    for context in ("project", "agent"):
        outcome = bench.run(
            Step(text="hello"), agent="greet", context=context, prompt="Say hello."
        )

        assert "pass" == outcome.trial.outcome
        assert ["Grep", "Read"] == outcome.relay.requests[0].tools


def test_the_classic_prompt_is_answered_through_delegation(bench: Bench) -> None:
    """
    The main agent calls the named one, and the log counts all of their tokens.
    """
    bench.add_agent()
    outcome = bench.run(
        DELEGATE,
        Step(text="hello from the subagent"),
        Step(text="it said hello"),
        agent="greet",
        prompt="",
    )
    attempt = outcome.attempts[0]
    main, sub, _ = outcome.relay.requests

    assert "pass" == outcome.trial.outcome
    assert ["greet"] == attempt["subagents"]
    assert ["Agent"] == attempt["tool_calls"]
    assert "it said hello" == attempt["answer"]
    assert 2 == attempt["turns"]
    assert MODEL == main.body["model"] == attempt["model"]
    assert "claude-of-the-file-1" == sub.body["model"]
    assert "hello from the subagent" in json.dumps(outcome.relay.requests[2].body)


def test_tokens_of_subagents_are_counted(bench: Bench) -> None:
    """
    The usage in the log is the sum of what the API counted for every request.
    """
    bench.add_agent()
    alone = bench.run(Step(text="hi"), agent="greet", model="").attempts[0]["usage"]
    both = bench.run(
        DELEGATE, Step(text="hi"), Step(text="done"), agent="greet", prompt=""
    )
    main_only = bench.run(Step(text="hi")).attempts[0]["usage"]["input_tokens"]

    assert alone["input_tokens"] > 0
    assert (
        both.attempts[0]["usage"]["input_tokens"]
        > 2 * main_only + alone["input_tokens"] / 2
    )


def test_a_subagent_in_the_background_is_one_attempt(bench: Bench) -> None:
    """
    Two `init` and two `result` events are one answer, and turns and tokens add up.
    """
    bench.add_agent()
    background = Step(tool="Agent", input={**DELEGATE.input, "run_in_background": True})
    outcome = bench.run(
        background, Step(text="hello", delay_s=0.3), agent="greet", prompt=""
    )
    attempt = outcome.attempts[0]

    assert "pass" == outcome.trial.outcome
    assert ["greet"] == attempt["subagents"]
    assert attempt["turns"] >= 2
    assert attempt["usage"]["output_tokens"] >= outcome.stats.answered


def test_an_answer_without_the_agent_is_not_delegated(bench: Bench) -> None:
    """
    A main agent that answers itself has not tested the named agent.
    """
    bench.add_agent()
    outcome = bench.run(Step(text="hello"), agent="greet", prompt="")

    assert ("fail", "not-delegated") == (outcome.trial.outcome, outcome.trial.kind)
    assert [] == outcome.attempts[0]["subagents"]
    assert 1 == outcome.trial.attempts


def test_context_agent_sends_the_agent_file_alone(bench: Bench) -> None:
    """
    The request is many times smaller than the project's, and says who the agent is.
    """
    bench.add_agent()
    project = bench.run(Step(text="hello"))
    outcome = bench.run(Step(text="hello"), agent="greet", context="agent", prompt="")
    (asked,) = outcome.relay.requests

    assert "pass" == outcome.trial.outcome
    assert "You are the greeter of this test." in asked.system
    assert ["Grep", "Read"] == asked.tools
    assert MODEL == asked.body["model"]
    assert 8 * len(json.dumps(asked.body)) < len(
        json.dumps(project.relay.requests[0].body)
    )
    assert "agent" == outcome.result.context


def test_structured_output_is_kept(bench: Bench) -> None:
    """
    An answer that obeys the schema is a pass, with the object in the log.
    """
    schema = '{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}'
    outcome = bench.run(
        Step(tool="StructuredOutput", input={"a": "x"}),
        Step(text="done"),
        claude_args=f"'--json-schema={schema}'",
    )

    assert "pass" == outcome.trial.outcome
    assert {"a": "x"} == outcome.attempts[0]["evidence"]["structured_output"]


def test_half_a_character_pair_survives_to_the_log(bench: Bench) -> None:
    """
    A lone surrogate, which UTF-8 cannot hold, breaks neither log nor reports.
    """
    outcome = bench.run(Step(text="hello \ud800 there"), expect="hello")

    assert "pass" == outcome.trial.outcome


@pytest.mark.parametrize("workers", ["1", "3"])
def test_outcomes_follow_the_trial_not_the_order(bench: Bench, workers: str) -> None:
    """
    Sequential or parallel, the same seed gives the same outcome to each trial.
    """
    profile = Profile(seed=7, pass_rate=0.5, latency_s=0, answer="hello")
    parallel = {} if workers == "1" else {"parallel": "true", "max_workers": workers}
    outcome = bench.run(profile=profile, loops="6", expect="equals:hello", **parallel)
    passed = [each.outcome == "pass" for each in outcome.result.trials]

    assert [1, 2, 3, 4, 5, 6] == [each.number for each in outcome.result.trials]
    assert _drawn(profile, 6) == passed
    assert {True, False} == set(passed)


def _drawn(profile: Profile, count: int) -> list[bool]:
    """
    Return what the simulator decides for each trial, whoever asks first.
    """
    return [is_right(profile, str(number)) for number in range(1, count + 1)]
