"""
The real CLI ended from outside, in mid-answer and in mid-tool: nobody is left behind.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from fakes.claude_bench import pids_of, processes_of
from fakes.programs import is_running, unique_sleep, wait_until

from reliability.choices import OnInconclusive
from reliability.engine.cancellation import Cancellation
from reliability.run import exit_code
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.claude_bench import Bench, Outcome

pytestmark = pytest.mark.claude

HANG = Step(hang=True)
ALLOW = "--allowedTools Bash"


def sleeping_tool(command: str) -> Step:
    """
    Return a step that has Bash run *command* behind a process that hides it a little.
    """
    return Step(tool="Bash", input={"command": f"echo began; bash -c '{command}; :'"})


def run_and_cancel(
    bench: Bench, *steps: Step, when: Callable[[], bool], signal_number: int = 2
) -> Outcome:
    """
    Run three trials and ask for a stop as soon as *when* holds.
    """
    cancellation = Cancellation()

    def stop() -> None:
        wait_until(when)
        cancellation.request(signal_number)

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        return bench.run(
            *steps, cancellation=cancellation, loops="3", claude_args=ALLOW
        )
    finally:
        stopper.join()


def test_a_service_that_never_answers_is_invalid(bench: Bench) -> None:
    """
    No word from the model by the deadline says nothing about the agent.
    """
    outcome = bench.run(HANG, timeout="1.5", max_attempts="1")

    assert ("invalid", "no-response") == (outcome.trial.outcome, outcome.trial.kind)
    assert [] == processes_of(outcome.result.run_id)


def test_a_time_out_in_mid_answer_is_the_agents(bench: Bench) -> None:
    """
    Once the model has spoken, the deadline is the agent's; it is not tried again.
    """
    step = Step(tool="Bash", input={"command": "echo hello"})
    outcome = bench.run(step, Step(text="hello", delay_s=60), timeout="2.5")

    assert ("fail", "timeout", 1) == (
        outcome.trial.outcome,
        outcome.trial.kind,
        outcome.trial.attempts,
    )
    assert ["Bash"] == outcome.attempts[0]["tool_calls"]
    assert [] == processes_of(outcome.result.run_id)


def test_a_cli_that_hangs_after_its_result_has_answered(bench: Bench) -> None:
    """
    The answer is graded; the log says that the CLI had to be ended.
    """
    bench.wrap_cli('"$REAL" "$@"; [ "$1" = --version ] || exec sleep 60')
    outcome = bench.run(Step(text="hello"), timeout="3")

    assert "pass" == outcome.trial.outcome
    assert "hello" == outcome.attempts[0]["answer"]
    assert outcome.attempts[0]["evidence"]["hung_after_result"]
    assert [] == processes_of(outcome.result.run_id)


def test_a_time_out_in_mid_tool_leaves_no_process(bench: Bench) -> None:
    """
    What Bash started, in a session of its own, is ended too.
    """
    sleep = unique_sleep()
    outcome = bench.run(sleeping_tool(sleep), timeout="3", claude_args=ALLOW)

    assert ("fail", "timeout") == (outcome.trial.outcome, outcome.trial.kind)
    assert [] == processes_of(outcome.result.run_id)
    assert not is_running(sleep)


def test_a_cli_killed_in_mid_tool_leaves_no_process(bench: Bench) -> None:
    """
    Somebody's SIGKILL is invalid, and its tools' processes do not live on.
    """
    sleep = unique_sleep()

    def kill() -> None:
        wait_until(lambda: is_running(sleep))
        (pid,) = pids_of(bench.bin / "claude")
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = bench.run(sleeping_tool(sleep), claude_args=ALLOW, max_attempts="1")
    killer.join()

    assert ("invalid", "out-of-memory") == (outcome.trial.outcome, outcome.trial.kind)
    assert outcome.attempts[0]["evidence"]["swept_processes"] > 0
    assert [] == processes_of(outcome.result.run_id)
    assert not is_running(sleep)


@pytest.mark.parametrize(("signal_number", "code"), [(2, 130), (15, 143)])
def test_a_cancel_in_mid_answer_leaves_a_locked_log(
    bench: Bench, signal_number: int, code: int
) -> None:
    """
    The trial is invalid, later ones never start, the exit code tells the signal.
    """
    asked = bench.root / "asked"
    bench.wrap_cli(f'[ "$1" = -p ] && touch {asked}\nexec "$REAL" "$@"')
    outcome = run_and_cancel(
        bench, HANG, when=asked.exists, signal_number=signal_number
    )

    assert ("cancelled", "invalid") == (outcome.result.status, outcome.result.verdict)
    assert ["invalid"] == [each.outcome for each in outcome.result.trials]
    assert ["cancelled"] == outcome.kinds
    assert code == exit_code(outcome.result, OnInconclusive.WARN)
    assert outcome.result.log_sha256
    assert [] == processes_of(outcome.result.run_id)


def test_a_cancel_in_mid_tool_leaves_no_process(bench: Bench) -> None:
    """
    The tool's processes end with the run.
    """
    sleep = unique_sleep()
    outcome = run_and_cancel(
        bench, sleeping_tool(sleep), when=lambda: is_running(sleep)
    )

    assert ("cancelled", "invalid") == (outcome.result.status, outcome.result.verdict)
    assert ["cancelled"] == outcome.kinds
    assert 130 == exit_code(outcome.result, OnInconclusive.WARN)
    assert [] == processes_of(outcome.result.run_id)
    assert not is_running(sleep)
