"""
The real CLI with an agent that fails by its own doing, and set-ups that cannot work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.claude_bench import SYSTEM_PATH

from reliability.choices import OnInconclusive
from reliability.errors import (
    EXIT_FAIL,
    EXIT_NOT_MEASURED,
    EXIT_USAGE,
    AgentSetupError,
    UsageError,
)
from reliability.run import exit_code
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from fakes.claude_bench import Bench, Outcome

pytestmark = pytest.mark.claude

BASH = Step(tool="Bash", input={"command": "echo hello"})
WANTED = '{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}'


def assert_agent_failed(outcome: Outcome, kind: str) -> None:
    """
    Check that the trial is a fail of this kind after one attempt, and the exit is 1.
    """
    assert ("fail", kind, 1) == (
        outcome.trial.outcome,
        outcome.trial.kind,
        outcome.trial.attempts,
    )
    assert EXIT_FAIL == exit_code(outcome.result, OnInconclusive.FAIL)


def assert_stopped(outcome: Outcome, *words: str) -> None:
    """
    Check that the run stopped at its first trial, before any request, and says why.
    """
    assert ("stopped", ["configuration"]) == (outcome.result.status, outcome.kinds)
    assert 1 == len(outcome.result.trials)
    assert EXIT_NOT_MEASURED == exit_code(outcome.result, OnInconclusive.WARN)
    for word in words:
        assert word in outcome.trial.reason


def test_a_refusal_is_the_agents_failure(bench: Bench) -> None:
    """
    A model that refuses has been measured.
    """
    outcome = bench.run(Step(text="I will not", stop_reason="refusal"))

    assert_agent_failed(outcome, "refusal")
    assert "refusal" == outcome.attempts[0]["evidence"]["stop_reason"]


def test_an_answer_cut_at_its_limit_is_the_agents_failure(bench: Bench) -> None:
    """
    After the CLI's own continuations, a cut answer is a fail.
    """
    outcome = bench.run(Step(text="and so", stop_reason="max_tokens"))

    assert_agent_failed(outcome, "output-limit")


def test_an_answer_cut_at_the_end_of_the_window_is_the_agents_failure(
    bench: Bench,
) -> None:
    """
    The CLI calls it an output limit; the event before its result says which one.
    """
    step = Step(text="Hel", stop_reason="model_context_window_exceeded")

    assert_agent_failed(bench.run(step), "context-too-long")


def test_too_many_turns_are_the_agents_failure(bench: Bench) -> None:
    """
    The CLI prints no answer then, but the reason and the price.
    """
    outcome = bench.run(BASH, BASH, BASH, BASH, claude_args="--max-turns 2")

    assert_agent_failed(outcome, "max-turns")
    assert "Reached maximum number of turns (2)" == outcome.trial.reason
    assert outcome.attempts[0]["cost_usd"] > 0


def test_a_spent_budget_is_the_agents_failure_and_its_tokens_are_kept(
    bench: Bench,
) -> None:
    """
    The CLI's `usage` says zero there; the log has what was really used.
    """
    outcome = bench.run(BASH, BASH, claude_args="--max-budget-usd 0.001")

    assert_agent_failed(outcome, "budget")
    assert outcome.attempts[0]["usage"]["input_tokens"] > 0


def test_a_denied_tool_is_a_failure_that_names_it(bench: Bench) -> None:
    """
    The CLI calls it a success.
    """
    fetch = Step(tool="Bash", input={"command": "curl http://127.0.0.1:9/"})
    outcome = bench.run(fetch, Step(text="All is well."))
    (attempt,) = outcome.attempts

    assert_agent_failed(outcome, "denied-tool")
    assert "permission was denied for: Bash" == outcome.trial.reason
    assert ["Bash"] == attempt["denied_tools"]
    assert ("success", 0) == (attempt["evidence"]["subtype"], attempt["exit_code"])


def test_an_empty_answer_is_the_agents_failure(bench: Bench) -> None:
    """
    Exit code 0 with no word is no answer.
    """
    outcome = bench.run(Step(text=""))

    assert_agent_failed(outcome, "empty-answer")
    assert 0 == outcome.attempts[0]["exit_code"]


def test_an_answer_that_ignores_the_schema_is_the_agents_failure(bench: Bench) -> None:
    """
    The CLI calls plain text a success there.
    """
    outcome = bench.run(Step(text="no JSON"), claude_args=f"--json-schema '{WANTED}'")

    assert_agent_failed(outcome, "no-structured-output")


def test_an_unknown_agent_stops_the_run_and_lists_the_known(bench: Bench) -> None:
    """
    A misspelt name costs no request.
    """
    bench.add_agent()
    outcome = bench.run(Step(text="hello"), agent="gret", loops="5")

    assert_stopped(outcome, "'gret' not found", "greet", "general-purpose")
    assert 0 == outcome.stats.requests


def test_an_unknown_agent_of_the_classic_prompt_stops_the_run(bench: Bench) -> None:
    """
    The main agent would make something up; nothing is graded.
    """
    bench.add_agent()
    outcome = bench.run(Step(text="hello"), agent="gret", prompt="", loops="5")

    assert_stopped(outcome, "'gret'", "greet", "general-purpose")


def test_a_bad_argument_stops_the_run_with_all_that_the_cli_says(bench: Bench) -> None:
    """
    The hint on the second line does not hide the error on the first.
    """
    outcome = bench.run(Step(text="hello"), claude_args="--nope", loops="5")

    assert_stopped(outcome, "unknown option '--nope'")
    assert 0 == outcome.stats.requests


def test_a_missing_cli_is_told_before_any_call(bench: Bench) -> None:
    """
    Exit code 3, with the PATH that was looked through; no log is begun.
    """
    (bench.bin / "claude").unlink()
    bench.environ["PATH"] = f"{bench.bin}:{SYSTEM_PATH}"

    with pytest.raises(AgentSetupError, match="not on PATH") as caught:
        bench.run(Step(text="hello"))

    assert EXIT_NOT_MEASURED == caught.value.exit_code
    assert not (bench.root / "results").exists()


def test_a_cli_that_does_not_run_is_told_before_any_call(bench: Bench) -> None:
    """
    A broken installation is an error of the set-up too.
    """
    bench.wrap_cli("exit 7")

    with pytest.raises(AgentSetupError, match="--version does not run"):
        bench.run(Step(text="hello"))


def test_context_agent_needs_the_file(bench: Bench) -> None:
    """
    Without it there is nothing to isolate: exit code 2 before any call.
    """
    with pytest.raises(UsageError, match="no agent 'greet'") as caught:
        bench.run(Step(text="hello"), agent="greet", context="agent")

    assert EXIT_USAGE == caught.value.exit_code
