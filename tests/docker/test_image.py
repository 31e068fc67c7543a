"""
The image on a laptop: `docker run`, with and without root, and as a base for others.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import containers
import pytest

from reliability.journal import examine
from reliability.results import read_result

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(containers.BUILD_TIMEOUT_S)]

PASSES = ("--backend", "simulated", "--simulator", "pass-rate=1,latency=0,seed=7")
OTHER_UID = 12345


def mounted(workspace: Path) -> str:
    """
    Return the flag that mounts a folder where the image works by itself.
    """
    return f"--volume={workspace}:/github/workspace"


def only_log(workspace: Path) -> Path:
    """
    Return the one log that a run left.
    """
    (log,) = workspace.glob("reliability-results/*.jsonl")
    return log


def test_demo_runs_without_a_key_a_mount_or_a_network(image: str) -> None:
    """
    `docker run IMAGE demo` works offline, says that it simulates, and ends with 0.
    """
    code, printed = containers.run("demo", image=image, flags=["--network=none"])

    assert 0 == code, printed
    assert "simulated" in printed.lower()


def test_run_leaves_a_locked_log_in_the_mounted_folder(
    image: str, workspace: Path
) -> None:
    """
    The command in the image does what it does outside: trials, a log, exit code 0.
    """
    code, printed = containers.run(
        *("run", "x", *PASSES, "--loops", "5", "--parallel"),
        image=image,
        flags=[mounted(workspace)],
    )

    assert 0 == code, printed
    assert examine(only_log(workspace)).ok
    assert 5 == read_result(only_log(workspace)).tally.passed


def test_reliability_is_a_command_in_the_image(image: str) -> None:
    """
    Images built on ours and `docker exec` find the command by its name.
    """
    code, printed = containers.run(
        "--version", image=image, flags=["--entrypoint=reliability"]
    )

    assert 0 == code, printed
    assert printed.startswith("reliability")


def test_claude_code_starts_in_the_image(image: str) -> None:
    """
    The Claude Code CLI is on PATH and has all that it links to.
    """
    code, printed = containers.run(
        "--version",
        image=image,
        flags=["--entrypoint=claude", "--network=none", "--read-only"],
    )

    assert 0 == code, printed
    assert "Claude Code" in printed


def test_foreign_user_gets_results_of_its_own(image: str, workspace: Path) -> None:
    """
    With `--user` the results belong to that user, and nothing asks for root.
    """
    user = os.geteuid() or OTHER_UID
    if os.geteuid() == 0:
        os.chown(workspace, OTHER_UID, OTHER_UID)

    code, printed = containers.run(
        *("run", "x", *PASSES, "--loops", "2", "--delay", "0"),
        image=image,
        flags=[mounted(workspace), f"--user={user}:{user}"],
    )

    assert 0 == code, printed
    assert {user} == {path.stat().st_uid for path in workspace.rglob("*")}


def test_read_only_root_is_enough(image: str, workspace: Path) -> None:
    """
    Nothing is written outside the mounted folder and the temporary one.
    """
    code, printed = containers.run(
        *("run", "x", *PASSES, "--loops", "2", "--delay", "0"),
        image=image,
        flags=[mounted(workspace), "--read-only", "--tmpfs=/tmp"],
    )

    assert 0 == code, printed
    assert examine(only_log(workspace)).ok


def test_wrong_options_end_with_2_before_anything_is_written(
    image: str, workspace: Path
) -> None:
    """
    Two wrong values are both named, and the folder stays empty.
    """
    code, printed = containers.run(
        *("run", "x", "--loops", "none", "--backend", "magic"),
        image=image,
        flags=[mounted(workspace)],
    )

    assert 2 == code, printed
    assert "--loops" in printed
    assert "--backend" in printed
    assert [] == list(workspace.iterdir())


def test_orphans_of_agents_do_not_stay_as_zombies(image: str, workspace: Path) -> None:
    """
    A process that an agent left behind is reaped when it ends.
    """
    leaves_orphan = "sh -c 'setsid sh -c \"sleep 0.05\" >/dev/null 2>&1 & echo Hello'"
    arguments = ("run", "x", "--backend", "command", "--command", leaves_orphan)

    with containers.started(
        *(*arguments, "--loops", "500", "--delay", "0.2"),
        image=image,
        flags=[mounted(workspace)],
    ) as container:
        container.wait_until(
            lambda: ended_trials(workspace) >= 10, what="10 trials have ended"
        )
        # A trial that ends just now may show one; those of ten trials would stay.
        container.wait_until(lambda: not zombies(container), what="no zombie is left")
        container.signal("TERM")
        code, printed = container.output()

    assert 143 == code, printed


def ended_trials(workspace: Path) -> int:
    """
    Count the trials in the log so far.
    """
    logs = workspace.glob("reliability-results/*.jsonl")
    return sum(log.read_text().count('"trial_finished"') for log in logs)


def zombies(container: containers.Container) -> list[str]:
    """
    List the processes in the container that ended and were not reaped.
    """
    states = container.inside("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true")
    return [line for line in states.splitlines() if ") Z " in line]


def test_image_with_own_toolchain_works_as_ours(
    image: str, tree: Path, workspace: Path
) -> None:
    """
    The example builds on our image, and an agent in it finds the toolchain.
    """
    tag = f"{image}-own-toolchain"
    containers.build(tree / "examples/own-toolchain", tag, RELIABILITY_IMAGE=image)

    code, printed = containers.run(
        *("run", "x", "--backend", "command", "--loops", "2", "--delay", "0"),
        *("--command", "node --print 6*7", "--expect", "equals:42"),
        image=tag,
        flags=[mounted(workspace)],
    )

    assert 0 == code, printed
    assert 2 == read_result(only_log(workspace)).tally.passed
