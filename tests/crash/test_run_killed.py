"""
A whole run is killed at random moments: what it had finished is in its log.
"""

from __future__ import annotations

import os
import pty
import random
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reliability.clock import SystemClock
from reliability.journal import examine, repair
from reliability.model import Outcome, RunStatus, Verdict
from reliability.results import read_result

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 50
LOOPS = 80
PROFILE = "latency=0.04,latency-sigma=0.5,rate-529=0.1,rate-drop=0.1,seed={seed}"
_ENDED = re.compile(rb"(\d+)/80")


def _run_until_killed(folder: Path, seed: int, delay_s: float) -> int:
    """
    Kill a parallel run after *delay_s* and return how many trials it showed as ended.
    """
    screen, terminal = pty.openpty()
    argv = [sys.executable, "-m", "reliability", "run", "x", "--backend", "simulated"]
    argv += ["--parallel", "--max-workers", "8", "--loops", str(LOOPS)]
    argv += ["--output-dir", str(folder), "--simulator", PROFILE.format(seed=seed)]
    child = subprocess.Popen(argv, stderr=terminal, stdout=subprocess.DEVNULL)
    os.close(terminal)
    shown = b""
    os.set_blocking(screen, False)
    until_s = time.monotonic() + delay_s
    while time.monotonic() < until_s and child.poll() is None:
        time.sleep(0.002)
        try:
            shown += os.read(screen, 65536)
        except (BlockingIOError, OSError):
            continue
    child.kill()
    child.wait()
    os.close(screen)
    counts = [int(count) for count in _ENDED.findall(shown)]
    return max(counts, default=0)


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_run_killed_at_any_moment_keeps_every_finished_trial(tmp_path: Path) -> None:
    """
    After `kill -9` each log is accepted or repaired, and no finished trial is missing.
    """
    chance = random.Random(4)
    logs = cut_short = shown_in_all = 0
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        shown = _run_until_killed(folder, number, chance.uniform(0.15, 1.1))
        shown_in_all += shown
        for log in folder.glob("*.jsonl"):
            logs += 1
            if not examine(log).ok:
                repair(log, clock=SystemClock())
            if log.stat().st_size == 0:
                continue
            result = read_result(log)
            ended = [t for t in result.trials if t.outcome is not Outcome.UNKNOWN]

            assert examine(log).ok
            assert shown <= len(ended)
            if result.status is RunStatus.STARTED:
                cut_short += 1
                assert result.verdict is Verdict.INVALID
    assert logs > ROUNDS // 2
    assert cut_short > ROUNDS // 3
    assert shown_in_all > ROUNDS
