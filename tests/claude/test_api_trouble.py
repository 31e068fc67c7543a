"""
The real CLI with an API that does not work: what is tried again, and whose fault it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reliability.choices import OnInconclusive
from reliability.errors import EXIT_NOT_MEASURED
from reliability.run import exit_code
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from fakes.claude_bench import Bench, Outcome

pytestmark = pytest.mark.claude

BASH = Step(tool="Bash", input={"command": "echo hello"})
DELEGATE = Step(
    tool="Agent",
    input={
        "subagent_type": "greet",
        "prompt": "say hello",
        "description": "greet",
        "run_in_background": False,
    },
)


def assert_not_measured(outcome: Outcome, kind: str, attempts: int) -> None:
    """
    Check that the trial is invalid after so many attempts, and the run's exit is 3.
    """
    assert ("invalid", kind) == (outcome.trial.outcome, outcome.trial.kind)
    assert attempts == outcome.trial.attempts
    assert [kind] * attempts == outcome.kinds
    assert "invalid" == outcome.result.verdict
    assert EXIT_NOT_MEASURED == exit_code(outcome.result, OnInconclusive.WARN)


@pytest.mark.parametrize(
    ("step", "kind", "status"),
    [
        (Step(status=429), "rate-limit", 429),
        (Step(status=529), "overloaded", 529),
        (Step(status=500), "server-error", 500),
    ],
)
def test_one_refused_request_costs_one_attempt_of_ours(
    bench: Bench, step: Step, kind: str, status: int
) -> None:
    """
    The trial passes at its second attempt, and the CLI itself repeats nothing.
    """
    outcome = bench.run(step, Step(text="hello"))
    refused, answered = outcome.attempts

    assert ("pass", 2) == (outcome.trial.outcome, outcome.trial.attempts)
    assert [kind, ""] == outcome.kinds
    assert (status, 0.0, True) == (
        refused["http_status"],
        refused["cost_usd"],
        refused["infrastructure"],
    )
    assert [0, 0] == [each["evidence"]["api_retries"] for each in outcome.attempts]
    assert "hello" == answered["answer"]
    assert {status: 1, 200: 1} == outcome.stats.by_status


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step(status=429), "rate-limit"),
        (Step(status=529), "overloaded"),
        (Step(status=500), "server-error"),
    ],
)
def test_a_refusal_for_ever_is_invalid(bench: Bench, step: Step, kind: str) -> None:
    """
    Nothing is claimed about the agent, and max-attempts is respected to the request.
    """
    outcome = bench.run(step, max_attempts="2")

    assert_not_measured(outcome, kind, 2)
    assert {step.status: 2} == outcome.stats.by_status


def test_retry_after_is_honoured_by_our_wait(bench: Bench) -> None:
    """
    The wait is read from the CLI's announcement and spent without a CLI process.
    """
    outcome = bench.run(Step(status=429, retry_after_s=2), Step(text="hello"))
    refused, answered = outcome.attempts

    assert "pass" == outcome.trial.outcome
    assert 2 <= refused["retry_after_s"] <= 2.5
    assert refused["retry_in_s"] >= refused["retry_after_s"]
    assert answered["waited_s"] >= 2
    assert outcome.trial.duration_s < outcome.result.duration_s - 2
    assert {429: 1, 200: 1} == outcome.stats.by_status


def test_a_retry_after_of_more_than_a_minute_is_a_rate_limit(bench: Bench) -> None:
    """
    The CLI gives up at once there and does not say for how long, so our waits apply.
    """
    outcome = bench.run(Step(status=429, retry_after_s=61), max_attempts="2")

    assert_not_measured(outcome, "rate-limit", 2)
    assert [None, None] == [each["retry_after_s"] for each in outcome.attempts]
    assert {429: 2} == outcome.stats.by_status


@pytest.mark.parametrize("drop", ["before", "middle"])
def test_a_dropped_connection_is_mended_or_invalid(bench: Bench, drop: str) -> None:
    """
    One cut is mended inside the attempt, as the log tells; the network has the rest.
    """
    cut = Step(drop=drop)  # type: ignore[arg-type]
    mended = bench.run(cut, Step(text="hello"))
    broken = bench.run(cut, max_attempts="2")

    assert ("pass", 1) == (mended.trial.outcome, mended.trial.attempts)
    assert 1 == mended.attempts[0]["evidence"]["api_retries"]
    assert 2 == mended.stats.requests
    assert_not_measured(broken, "network", 2)


def test_an_error_inside_a_stream_is_mended_or_invalid(bench: Bench) -> None:
    """
    Once, the CLI asks again without a stream; for ever, the service is overloaded.
    """
    mended = bench.run(Step(sse_error=True), Step(text="hello"))
    broken = bench.run(Step(sse_error=True), max_attempts="1")

    assert ("pass", 1) == (mended.trial.outcome, mended.trial.attempts)
    assert_not_measured(broken, "overloaded", 1)


def test_a_refusal_in_mid_conversation_loses_nothing(bench: Bench) -> None:
    """
    What the model has said already is paid for: the CLI itself repeats the request.
    """
    outcome = bench.run(BASH, Step(status=429, retry_after_s=1), Step(text="hello"))
    (attempt,) = outcome.attempts

    assert "pass" == outcome.trial.outcome
    assert 1 == attempt["evidence"]["api_retries"]
    assert {200: 2, 429: 1} == outcome.stats.by_status


def test_a_refusal_for_ever_in_mid_conversation_is_invalid(bench: Bench) -> None:
    """
    Half a conversation is no answer; its cost is kept.
    """
    outcome = bench.run(BASH, Step(status=529), max_attempts="1")

    assert_not_measured(outcome, "overloaded", 1)
    assert outcome.attempts[0]["cost_usd"] > 0
    assert outcome.attempts[0]["usage"]["input_tokens"] > 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Step(status=429), "rate-limit"), (Step(drop="before"), "network")],
)
def test_a_subagent_that_the_api_ends_is_not_the_agents_failure(
    bench: Bench, fault: Step, kind: str
) -> None:
    """
    The CLI calls it a success that the main agent answers "it failed": we do not.
    """
    bench.add_agent()
    steps = [DELEGATE, fault, fault, Step(text="The agent could not be reached.")]
    outcome = bench.run(*steps, agent="greet", prompt="", max_attempts="1")
    (attempt,) = outcome.attempts

    assert_not_measured(outcome, kind, 1)
    assert "success" == attempt["evidence"]["subtype"]
    assert "subagent greet: " in attempt["reason"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "authentication"), (403, "authentication"), (404, "not-found")],
)
def test_trouble_that_no_trial_escapes_stops_the_run(
    bench: Bench, status: int, kind: str
) -> None:
    """
    A bad key or an unknown model is met once, not once a trial.
    """
    outcome = bench.run(Step(status=status), loops="5")

    assert "stopped" == outcome.result.status
    assert [kind] == outcome.kinds
    assert 1 == len(outcome.result.trials)
    assert EXIT_NOT_MEASURED == exit_code(outcome.result, OnInconclusive.WARN)


def test_a_bad_request_is_invalid_at_once(bench: Bench) -> None:
    """
    Repeating what the API does not understand helps nobody.
    """
    outcome = bench.run(Step(status=400))

    assert_not_measured(outcome, "bad-request", 1)


TOO_LONG = Step(
    status=400, error_message="prompt is too long: 208656 tokens > 200000 maximum"
)


@pytest.mark.parametrize("step", [TOO_LONG, Step(status=413)])
def test_a_prompt_that_never_fits_is_invalid_at_once(bench: Bench, step: Step) -> None:
    """
    The agent was never asked, and the same prompt fits no better the next time.
    """
    outcome = bench.run(step)

    assert_not_measured(outcome, "prompt-too-long", 1)


@pytest.mark.parametrize("step", [TOO_LONG, Step(status=413)])
def test_a_conversation_that_outgrows_the_window_is_the_agents(
    bench: Bench, step: Step
) -> None:
    """
    It led there, and the CLI's own compaction failed too.
    """
    outcome = bench.run(BASH, step)

    assert ("fail", "context-too-long") == (outcome.trial.outcome, outcome.trial.kind)
    assert 1 == outcome.trial.attempts


def test_a_conversation_that_is_compacted_goes_on(bench: Bench) -> None:
    """
    What the CLI mends by itself is no trouble.
    """
    outcome = bench.run(BASH, TOO_LONG, Step(text="hello"))

    assert ("pass", 1) == (outcome.trial.outcome, outcome.trial.attempts)


def test_a_missing_key_stops_after_one_call(bench: Bench) -> None:
    """
    The CLI says so in a sentence only; the API is never asked.
    """
    del bench.environ["ANTHROPIC_API_KEY"]
    outcome = bench.run(Step(text="hello"), loops="5")

    assert ["authentication"] == outcome.kinds
    assert "stopped" == outcome.result.status
    assert "Not logged in" in outcome.trial.reason
    assert "CLAUDE_CODE_OAUTH_TOKEN" in outcome.trial.reason
    assert 0 == outcome.stats.requests


def test_a_server_that_is_not_there_is_the_networks_fault(bench: Bench) -> None:
    """
    Connection refused is invalid.
    """
    outcome = bench.run(base_url="http://127.0.0.1:9", max_attempts="1")

    assert_not_measured(outcome, "network", 1)


def test_an_answer_that_only_sounds_like_a_limit_is_an_answer(bench: Bench) -> None:
    """
    The text counts as an error only when no model has written it.
    """
    outcome = bench.run(Step(text="API Error: 429 is what you asked about."))

    assert "pass" == outcome.trial.outcome


def test_the_clis_own_text_as_the_answer_is_no_answer(bench: Bench) -> None:
    """
    "Success" with an error's text that no model has written is a rate limit.
    """
    success = '{"type":"result","subtype":"success","is_error":false,"num_turns":1,'
    text = "You've hit your limit · resets 3pm"
    bench.wrap_cli(
        '[ "$1" = --version ] && exec "$REAL" --version\n'
        'printf \'%s\\n\' \'{"type":"system","subtype":"init"}\'\n'
        f'cat <<\'END\'\n{success}"result":"{text}","usage":{{}}}}\nEND'
    )
    outcome = bench.run(Step(text="hello"), max_attempts="1")

    assert_not_measured(outcome, "rate-limit", 1)
    assert text in outcome.trial.reason
