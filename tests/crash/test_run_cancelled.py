"""
A whole run is cancelled by signals: it ends by itself, with everything written.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reliability.journal import examine

if TYPE_CHECKING:
    from pathlib import Path

STUBBORN = "trap '' TERM INT; while :; do sleep 0.2; done"
PATIENT = "latency=0,rate-429=1,retry-after=500"
SLOW = "latency=300"

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]


def _start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "reliability", "run", "x", *arguments]
    # In place: a copy of the folder at hand is none of these tests' business.
    in_place = ["--isolation", "none", "--run-as", "root"]
    return subprocess.Popen(
        [*argv, *in_place, "--output-dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(folder: Path, event: str) -> None:
    """
    Wait until the log has an *event*.
    """
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s:
        if any(event in log.read_text() for log in folder.glob("*.jsonl")):
            return
        time.sleep(0.02)
    raise AssertionError(f"no {event} in the log")


def _assert_left_in_order(folder: Path) -> None:
    log = next(folder.glob("*.jsonl"))
    results = json.loads((folder / "results.json").read_text())

    assert examine(log).locked
    assert results["verdict"] == "invalid"
    assert results["status"] == "cancelled"
    for name in ("summary.md", "report.html", "junit.xml"):
        assert (folder / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
@pytest.mark.parametrize("mode", ["--parallel", "--no-parallel"])
@pytest.mark.parametrize(
    ("arguments", "event"),
    [
        (("--backend", "command", "--command", f'sh -c "{STUBBORN}"'), "trial_started"),
        (("--backend", "simulated", "--simulator", PATIENT), "attempt_finished"),
        (("--backend", "simulated", "--simulator", SLOW), "trial_started"),
    ],
    ids=["stubborn child", "waiting to retry", "waiting for an answer"],
)
def test_cancelled_run_leaves_a_locked_log_and_all_reports(
    tmp_path: Path,
    number: int,
    code: int,
    mode: str,
    arguments: tuple[str, ...],
    event: str,
) -> None:
    """
    Whatever a run waits for, one signal ends it with its own exit code.
    """
    child = _start(tmp_path, "--loops", "4", mode, *arguments)
    _wait_for(tmp_path, event)
    child.send_signal(number)

    assert child.wait(timeout=20) == code
    _assert_left_in_order(tmp_path)


def test_child_of_a_cancelled_run_does_not_outlive_it(tmp_path: Path) -> None:
    """
    A child that ignores SIGTERM is gone when the cancelled run has ended.
    """
    pid_file = tmp_path / "pid"
    script = f"echo $$ > {pid_file}; {STUBBORN}"
    command = shlex.join(["sh", "-c", script])
    child = _start(tmp_path / "out", "--backend", "command", "--command", command)
    until_s = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text().strip()):
        assert time.monotonic() < until_s
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    child.wait(timeout=20)

    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
