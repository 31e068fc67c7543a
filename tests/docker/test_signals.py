"""
Cancelling a workflow: what GitHub's runner sends, and what must be left.

It sends SIGINT to its `docker run`, SIGTERM 7.5 s later and SIGKILL after 2.5 s more
(actions/runner, ProcessInvoker.cs). Without a terminal the client passes both on to the
container's process 1.
"""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import containers
import pytest
import runner

from reliability.model import RunStatus, Verdict

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(containers.BUILD_TIMEOUT_S),
    pytest.mark.usefixtures("image"),
]

SIGTERM_AFTER_S = 7.5
SIGKILL_AFTER_S = 2.5

SLOW_AGENT = {
    "agent": "slow",
    "backend": "simulated",
    "simulator": "pass-rate=1,latency=0.3,latency-sigma=1,seed=7",
    "loops": "1000",
    "parallel": "true",
    "max_workers": "4",
}
# Ends its first trials, then ignores every signal that can be ignored.
STUBBORN_AGENT = {
    "agent": "stubborn",
    "backend": "command",
    "command": 'sh -c \'trap "" INT TERM; '
    "mkdir /tmp/first 2>/dev/null && exec echo Hello; "
    "while :; do sleep 1; done'",
    "loops": "1000",
    "parallel": "true",
    "max_workers": "4",
}


def cancel_as_the_runner_does(client: subprocess.Popen[str]) -> None:
    """
    Send the client what the runner sends, each signal only if the one before it failed.
    """
    for number, grace_s in (
        (signal.SIGINT, SIGTERM_AFTER_S),
        (signal.SIGTERM, SIGKILL_AFTER_S),
    ):
        client.send_signal(number)
        try:
            client.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            continue
        return
    client.kill()


@pytest.mark.parametrize(
    "agent", [SLOW_AGENT, STUBBORN_AGENT], ids=["slow", "stubborn"]
)
def test_cancelled_step_leaves_log_summary_and_outputs(
    workspace: Path, agent: dict[str, str]
) -> None:
    """
    A cancelled run ends by itself with 130 and has said everything that it measured.
    """
    with runner.step(workspace, **agent) as step:
        step.wait_for_trials(1)
        cancel_as_the_runner_does(step.container.client)
        code, printed = step.container.output()

    result = step.result()

    assert 130 == code, printed
    assert step.examination().ok
    assert (RunStatus.CANCELLED, Verdict.INVALID) == (result.status, result.verdict)
    assert "invalid" == step.outputs()["verdict"]
    assert str(result.tally.passed) == step.outputs()["passed"]
    assert result.tally.passed >= 1
    assert "invalid" in step.summary.lower()


def test_sigterm_alone_ends_with_143(workspace: Path) -> None:
    """
    What `docker stop` and Kubernetes send leaves the same, under its own exit code.
    """
    with runner.step(workspace, **SLOW_AGENT) as step:
        step.wait_for_trials(1)
        step.container.signal("TERM")
        code, printed = step.container.output()

    assert 143 == code, printed
    assert step.examination().ok
    assert "invalid" == step.outputs()["verdict"]


def test_killed_container_leaves_every_finished_trial(workspace: Path) -> None:
    """
    After SIGKILL the log is not locked, and says so, but holds what had ended.
    """
    with runner.step(workspace, **SLOW_AGENT) as step:
        step.wait_for_trials(3)
        step.container.signal("KILL")
        code, printed = step.container.output()

    assert 137 == code, printed
    assert step.examination().damage is None
    assert not step.examination().locked
    assert step.result().tally.passed >= 3


def test_results_belong_to_the_owner_of_the_checkout(workspace: Path) -> None:
    """
    The next checkout on a self-hosted runner can remove what the action left.
    """
    with runner.step(workspace, **SLOW_AGENT | {"loops": "3"}) as step:
        code, printed = step.container.output()
    owner = (workspace.stat().st_uid, workspace.stat().st_gid)

    assert 0 == code, printed
    assert {owner} == {
        (path.stat().st_uid, path.stat().st_gid) for path in workspace.rglob("*")
    }
