"""
Runs that are killed, gone on with, and killed again: the plan is done once.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from fakes.runs import command_line

from reliability.earlier import read_earlier
from reliability.errors import JournalError, UsageError
from reliability.journal import read_events
from reliability.model import RunStatus
from reliability.results import read_result

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 12
LOOPS = 60
PROFILE = "latency=0.04,latency-sigma=0.5,rate-drop=0.1,pass-rate=0.9,seed={seed}"


def _killed(words: list[str], delay_s: float) -> None:
    """
    Start a command and kill it after *delay_s*.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "reliability", *words, "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(delay_s)
    child.kill()
    child.wait()


def _newest(folder: Path, known: list[Path]) -> Path | None:
    """
    Return the log that is new, unless its run was killed before it held anything.

    One whose run was killed while it took over is not gone on with either.
    """
    for log in set(folder.glob("*.jsonl")) - set(known):
        known.append(log)
        try:
            read_earlier(log).require_all_taken_over()
        except (JournalError, UsageError):
            return None
        return log
    return None


@pytest.mark.crash
@pytest.mark.timeout(300)
def test_a_run_that_is_killed_again_and_again_is_done_once(tmp_path: Path) -> None:
    """
    Every trial is there, no measured one is run again, no log before has changed.
    """
    chance = random.Random(7)
    kills = 0
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        known: list[Path] = []
        words = ["run", "x", "--backend", "simulated", "--parallel", "--expect=Hello"]
        words += ["--max-workers=4", f"--loops={LOOPS}", f"--output-dir={folder}"]
        words += ["--simulator", PROFILE.format(seed=number), "--max-attempts=9"]
        _killed(words, chance.uniform(0.3, 1.0))
        log = _newest(folder, known)
        for _ in range(chance.randrange(4)):
            if log is None:
                break
            kills += 1
            _killed(["resume", str(log)], chance.uniform(0.2, 0.8))
            log = _newest(folder, known) or log
        if log is None:
            continue
        before = {path: path.read_bytes() for path in known}
        kept = read_earlier(log).kept

        done = command_line("resume", log, "--quiet", folder=tmp_path)

        assert done.returncode in {0, 1}, done.stderr
        last = _newest(folder, known) or log
        result = read_result(last)
        assert RunStatus.COMPLETED is result.status
        assert list(range(1, LOOPS + 1)) == [trial.number for trial in result.trials]
        assert kept.items() <= read_earlier(last).kept.items()
        if last != log:
            started = [
                event.fields["trial"]
                for event in read_events(last)
                if event.event == "trial_started"
            ]
            assert set(range(1, LOOPS + 1)) - set(kept) == set(started)
            assert len(set(started)) == len(started)
        assert before == {path: path.read_bytes() for path in before}
    assert kills > ROUNDS // 2
