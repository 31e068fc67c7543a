"""
The real Claude Code CLI ended in mid-tool in every way that ends happen.

Each way is taken for as many trials as `RELIABILITY_TEST_KILLS` says, eight at once;
without it for a few. A trial counts as killed in mid-tool only if its tool left word
that it had begun, and none that it had come to its end.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.claude_cli import find_claude_cli
from fakes.faults import needs_root
from fakes.invariants import check_invariants, of_kind
from fakes.mid_tool import MidTool
from fakes.scenes import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.running import Running

pytestmark = [pytest.mark.claude, pytest.mark.crash, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("RELIABILITY_TEST_KILLS", "4"))
AT_ONCE = 8
NEVER_S = 300
DEADLINE_S = 8
# The tool has begun about a second after the start; the start gate is not counted.


@pytest.fixture(scope="module")
def cli() -> Path:
    """
    The real program.
    """
    return find_claude_cli()


def rounds(folder: Path, cli: Path) -> Iterator[MidTool]:
    """
    Yield a fresh scene for each crowd of trials, until there are enough of them.
    """
    for number, first in enumerate(range(0, KILLS, AT_ONCE)):
        trials = min(AT_ONCE, KILLS - first)
        yield from staged(folder / f"round-{number}", cli, trials=trials)


def staged(folder: Path, cli: Path, *, trials: int) -> Iterator[MidTool]:
    """
    Yield a scene with a service; clear it away whatever comes.
    """
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    scene = Scene(folder)
    try:
        tool = MidTool(scene, cli, trials=trials, workers=AT_ONCE)
        with tool.simulator:
            yield tool
    finally:
        scene.clear_away()


def check_all_ended_in_mid_tool(
    tool: MidTool, events: list[dict[str, Any]], end: tuple[str, str]
) -> None:
    """
    Check that each trial was in its tool, and has this outcome and kind, with a reason.
    """
    attempts = of_kind(events, "attempt_finished")
    trials = of_kind(events, "trial_finished")

    assert tool.in_mid_tool() == tool.trials
    assert tool.simulator.stats().by_status == {200: tool.trials}
    assert [["Bash"]] * tool.trials == [each["tool_calls"] for each in attempts]
    assert [end] * tool.trials == [(each["outcome"], each["kind"]) for each in trials]
    assert all(each["reason"] for each in trials)


def test_a_deadline_in_mid_tool_leaves_no_process(scene: Scene, cli: Path) -> None:
    """
    One run, in which trials end at their time limit while others start.
    """
    tool = MidTool(scene, cli, trials=KILLS, workers=AT_ONCE)
    with tool.simulator:
        ended = tool.start(timeout_s=DEADLINE_S).end(hang_s=60 + 4 * KILLS)
        events = check_invariants(scene, ended)

    assert ended.code == 1, ended.console
    check_all_ended_in_mid_tool(tool, events, ("fail", "timeout"))


def test_a_cli_killed_in_mid_tool_leaves_no_process(scene: Scene, cli: Path) -> None:
    """
    SIGKILL of the CLI alone, which gives it no time to end its tool.
    """
    for tool in rounds(scene.folder, cli):
        running = tool.start(timeout_s=NEVER_S)
        tool.wait_for_all(running)
        tool.kill_clis()
        ended = running.end()
        events = check_invariants(tool.scene, ended)

        assert ended.code == 3, ended.console
        check_all_ended_in_mid_tool(tool, events, ("invalid", "out-of-memory"))


@pytest.mark.parametrize(
    "signals",
    [("SIGINT",), ("SIGINT", "SIGINT"), ("SIGTERM",), ("SIGHUP",)],
    ids="-".join,
)
def test_a_run_cancelled_in_mid_tool_leaves_no_process(
    scene: Scene, cli: Path, signals: tuple[str, ...]
) -> None:
    """
    Every trial ends as cancelled, and the log is locked.
    """
    for tool in rounds(scene.folder, cli):
        running = tool.start(timeout_s=NEVER_S)
        tool.wait_for_all(running)
        for name in signals:
            running.signal(signal.Signals[name])
        ended = running.end()
        events = check_invariants(tool.scene, ended)

        assert ended.code == 128 + signal.Signals[signals[0]], ended.console
        check_all_ended_in_mid_tool(tool, events, ("invalid", "cancelled"))


@needs_root
def test_a_container_whose_run_is_killed_in_mid_tool_leaves_no_process(
    scene: Scene, cli: Path
) -> None:
    """
    SIGKILL of the run below an init: the log is whole, and a resumed run ends it.
    """
    init = shutil.which("tini")
    if init is None:
        pytest.skip("tini is not installed")
    inside = ["unshare", "--pid", "--fork", "--mount-proc", init, "-g", "--"]
    for tool in rounds(scene.folder, cli):
        running = tool.start(timeout_s=NEVER_S, prefix=inside)
        tool.wait_for_all(running)
        os.kill(_run_below(running), signal.SIGKILL)
        ended = running.end()
        tool.scene.sweep_temporary()
        events = check_invariants(tool.scene, ended, log="whole", is_run=False)
        resumed = tool.resume().end()
        after = check_invariants(tool.scene, resumed)

        assert tool.in_mid_tool() == tool.trials
        assert tool.trials == len(of_kind(events, "trial_started"))
        assert [] == of_kind(events, "trial_finished")
        assert resumed.code == 0, resumed.console
        assert ["pass"] * tool.trials == [
            trial["outcome"] for trial in of_kind(after, "trial_finished")
        ]


def _run_below(running: Running) -> int:
    """
    Return the pid of the run that an init in a namespace of its own has started.
    """
    pid = running.pid
    for _ in ("init", "run"):
        (word,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pid = int(word)
    return pid
