"""
Rows 31 to 36 of the fault matrix: signals at every moment, and errors inside workers.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.artifact_faults import STALL
from fakes.artifact_service import ArtifactService
from fakes.faults import needs_root
from fakes.invariants import check_invariants, of_kind
from fakes.runs import ROOT, python
from fakes.scenes import COOKIE_NAME, SECRET_NAME
from oracle.runner_parser import pairs_in

if TYPE_CHECKING:
    from fakes.running import Running
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

# What the runner waits after each of its signals; actions/runner, ProcessInvoker.cs.
SIGTERM_AFTER_S = 7.5
SIGKILL_AFTER_S = 2.5
STUBBORN = "trap '' TERM INT; touch {up}; while :; do sleep 0.2; done"


def _cancel_as_the_runner_does(running: Running) -> None:
    """
    Send each signal of the runner, if the one before did not help.
    """
    for number, grace_s in (
        (signal.SIGINT, SIGTERM_AFTER_S),
        (signal.SIGTERM, SIGKILL_AFTER_S),
        (signal.SIGKILL, 0),
    ):
        running.signal(number)
        if running.has_ended(grace_s):
            return


@pytest.mark.parametrize("parallel", ["true", "false"])
def test_row_31_step_that_the_runner_cancels_has_said_everything(
    scene: Scene, parallel: str
) -> None:
    """
    INT, TERM, KILL at the runner's times: 130 by itself, `cancelled` everywhere.
    """
    up = scene.board / "up"
    stay = STUBBORN.format(up=up)
    script = f"case $RELIABILITY_TRIAL_ID in *-1-1) echo Hello ;; *) {stay} ;; esac"
    scene.command(script)  # Puts the agent into the workspace.
    running = scene.start_step(
        agent="stubborn",
        backend="command",
        command="sh agent.sh",
        expect="Hello",
        loops=20,
        delay=0,
        parallel=parallel,
        max_workers=4,
        output_dir="out",
        pass_env=f"{SECRET_NAME}\n{COOKIE_NAME}",
    )
    running.wait_for("trial_finished")
    running.wait_until(up.exists)
    _cancel_as_the_runner_does(running)
    ended = running.end()
    events = check_invariants(scene, ended, is_step=True)
    outputs = dict(pairs_in(scene.files["GITHUB_OUTPUT"].read_text()))
    results = json.loads((scene.out / "results.json").read_text())

    assert ended.code == 130, ended.console
    assert events[-1]["status"] == results["status"] == "cancelled"
    assert outputs["verdict"] == "invalid"
    assert outputs["passed"] == "1"
    assert "ancelled" in scene.files["GITHUB_STEP_SUMMARY"].read_text()


@needs_root
def test_row_32_sigterm_to_process_1_ends_with_143(
    scene: Scene,
) -> None:
    """
    Below an init in a process namespace, as in a container: locked and reported.

    The image itself is tested in `tests/docker/test_signals.py`.
    """
    init = shutil.which("tini")
    if init is None:
        pytest.skip("tini is not installed")
    up = scene.board / "up"
    script = STUBBORN.format(up=up)
    inside = ["unshare", "--pid", "--fork", "--mount-proc", init, "-g", "--"]
    running = scene.start(*scene.command(script), prefix=inside)
    running.wait_until(up.exists)
    (first,) = _children(running.pid)
    os.kill(first, signal.SIGTERM)
    ended = running.end()
    events = check_invariants(scene, ended)

    assert ended.code == 143, ended.console
    assert events[-1]["status"] == "cancelled"
    assert events[-1]["signal"] == signal.SIGTERM


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_row_33_second_signal_kills_the_children_at_once(
    scene: Scene, second: signal.Signals
) -> None:
    """
    The agent gets no more than the grace that it has used; the log is locked as ever.
    """
    ticks = scene.board / "ticks"
    script = f"""
    trap 'echo asked >>{ticks}' TERM
    while :; do echo tick >>{ticks}; sleep 0.05; done
    """
    running = scene.start(*scene.command(script))
    running.wait_until(ticks.exists)
    running.signal(signal.SIGINT)
    running.wait_until(lambda: "asked" in ticks.read_text())
    running.signal(second)
    ended = running.end()
    events = check_invariants(scene, ended)
    _, _, after = ticks.read_text().partition("asked")

    assert ended.code == 130, ended.console
    assert events[-1]["status"] == "cancelled"
    # The whole grace of 2.5 s has room for some forty-five.
    assert after.count("tick") < 20


@pytest.mark.parametrize("parallel", [True, False])
def test_row_34_signal_during_the_wait_for_another_attempt_ends_it(
    scene: Scene, *, parallel: bool
) -> None:
    """
    A wait of eight minutes is left at once.
    """
    given: dict[str, Any] = {"parallel": True} if parallel else {}
    words = scene.simulated("pass-rate=1,rate-429=1,retry-after=500", **given)
    running = scene.start(*words)
    running.wait_for("attempt_finished")
    running.signal(signal.SIGINT)
    ended = running.end()
    events = check_invariants(scene, ended)

    assert ended.code == 130, ended.console
    assert events[-1]["counts"]["passed"] == 0


@pytest.mark.parametrize("step", ["CreateArtifact", "block", "FinalizeArtifact"])
def test_row_35_signal_during_the_upload_leaves_the_local_files_complete(
    scene: Scene, step: str
) -> None:
    """
    A service that never answers: the upload is given up, the verdict and files stay.
    """
    with ArtifactService() as service:
        service.faults[step] = [STALL] * 10
        running = scene.start_step(
            environ={
                "ACTIONS_RUNTIME_TOKEN": service.token,
                "ACTIONS_RESULTS_URL": service.origin,
            },
            agent="greeter",
            backend="simulated",
            simulator=f"latency=0,pass-rate=1,answer=Hello {scene.secret}",
            expect="Hello",
            loops=3,
            delay=0,
            output_dir="out",
        )
        running.wait_until(lambda: step in service.calls)
        running.signal(signal.SIGINT)
        ended = running.end()
    check_invariants(scene, ended, is_step=True)
    outputs = dict(pairs_in(scene.files["GITHUB_OUTPUT"].read_text()))

    assert ended.code == 0, ended.console
    assert outputs["verdict"] == "pass"
    assert outputs["artifact-id"] == ""
    assert "No artifact" in ended.stdout
    for name in ("report.html", "summary.md", "junit.xml"):
        assert (scene.out / name).stat().st_size > 0


@pytest.mark.parametrize(
    "kind",
    "RuntimeError MemoryError SystemExit GeneratorExit BaseException KeyboardInterrupt "
    "StopIteration RecursionError".split(),
)
@pytest.mark.parametrize("parallel", [True, False])
def test_row_36_whatever_a_worker_raises_is_its_trials_trouble(
    scene: Scene, kind: str, *, parallel: bool
) -> None:
    """
    The trial is invalid, the pool lives on, and the other trials are measured.
    """
    given: dict[str, Any] = {"parallel": True} if parallel else {}
    words = scene.simulated(loops=10, **given)
    argv = python(ROOT / "tests" / "fakes" / "odd_agents.py", kind, *words)
    ended = scene.start(argv=argv).end()
    events = check_invariants(scene, ended)
    outcomes = {one["trial"]: one for one in of_kind(events, "trial_finished")}

    assert ended.code == 4, ended.console
    assert outcomes.pop(2)["outcome"] == "invalid"
    assert {"pass"} == {one["outcome"] for one in outcomes.values()}
    assert len(outcomes) == 9


def test_row_36_interrupt_from_outside_ends_the_run(scene: Scene) -> None:
    """
    Ctrl-C comes as a signal to the main thread, and so it ends the run as one.
    """
    words = scene.simulated(latency_s=60, loops=10, parallel=True)
    argv = python(ROOT / "tests" / "fakes" / "odd_agents.py", "RuntimeError", *words)
    running = scene.start(argv=argv)
    running.wait_for("trial_finished")
    running.signal(signal.SIGINT)
    ended = running.end()
    check_invariants(scene, ended)

    assert ended.code == 130, ended.console
