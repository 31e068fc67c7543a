"""
Rows 1 to 5 of the fault matrix: kills at each line, torn and altered logs.

Each fault meets a whole real run; the same faults at every line of the log alone are in
`test_journal_faults.py`.
"""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from fakes.faults import needs_strace, numbers_of, traced
from fakes.invariants import check_invariants, line_writes, of_kind

from reliability.clock import SystemClock
from reliability.journal import examine, repair
from reliability.model import Outcome
from reliability.results import read_result

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.running import Ended
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


def _killed_at(scene: Scene, words: list[str], number: int) -> tuple[Path, Ended]:
    """
    Kill a run before its n-th write and return its log.
    """
    shutil.rmtree(scene.out, ignore_errors=True)
    fault = f"write:signal=KILL:when={number}"
    ended = scene.run(*words, prefix=traced(scene.folder / "trace", "write", fault))
    scene.sweep_temporary()
    return scene.log(), ended


def _unlocked(scene: Scene) -> Path:
    """
    Leave the log of a run that was killed before its last line.
    """
    check_invariants(scene, scene.run(*scene.simulated(quiet=True)))
    log = scene.log()
    log.with_name(f"{log.name}.sha256").unlink()
    log.chmod(0o600)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))
    return log


def _resumed(scene: Scene, log: Path) -> list[dict[str, Any]]:
    """
    Resume *log* and return the events of the new one.
    """
    before = log.read_bytes()
    ended = scene.run("resume", log, "--quiet")
    events = check_invariants(scene, ended)

    assert ended.code == 0, ended.console
    assert log.read_bytes() == before
    assert len(scene.logs()) == 2
    return events


@needs_strace
def test_row_01_run_killed_at_each_write_is_resumed_to_its_end(scene: Scene) -> None:
    """
    SIGKILL at every line: what was acknowledged is whole, and resume does the rest.
    """
    words = scene.simulated(answer="Hello", quiet=True)
    numbers = line_writes(scene, words)
    for lines, number in enumerate(numbers):
        log, ended = _killed_at(scene, words, number)
        events = check_invariants(scene, ended, log="torn")

        assert ended.code == -9
        assert len(events) == lines
        if not events:
            continue  # Nothing was begun, so there is nothing to resume.
        finished = len(of_kind(events, "trial_finished"))
        again = _resumed(scene, log)
        assert len(of_kind(again, "trial_reused")) == finished
        assert len(of_kind(again, "trial_finished")) == 3 - finished
        assert again[-1]["counts"]["passed"] == 3


@needs_strace
def test_row_02_trial_whose_last_line_is_missing_is_unknown_and_run_again(
    scene: Scene,
) -> None:
    """
    Killed between a trial's end and its line: unknown, measured again, counted once.
    """
    words = scene.simulated(answer="Hello", quiet=True)
    trace = scene.folder / "calibration"
    scene.run(*words, prefix=traced(trace, "write"))
    numbers = numbers_of(trace, "write", ".jsonl")
    lines = scene.log().read_bytes().splitlines()
    second = [at for at, line in enumerate(lines) if b"trial_finished" in line][1]
    log, ended = _killed_at(scene, words, numbers[second])
    events = check_invariants(scene, ended, log="torn")
    outcomes = [trial.outcome for trial in read_result(log).trials]

    assert events[-1]["event"] == "attempt_finished"
    assert outcomes == [Outcome.PASS, Outcome.UNKNOWN]
    again = _resumed(scene, log)
    ended_trials = of_kind(again, "trial_reused") + of_kind(again, "trial_finished")
    assert [1, 2, 3] == sorted(event["loop"] for event in ended_trials)
    assert again[-1]["counts"]["passed"] == 3


def test_row_03_tail_torn_at_each_byte_is_dropped_and_cut_with_a_copy(
    scene: Scene,
) -> None:
    """
    The last line cut anywhere: readers see the rest, repair keeps the file as it was.
    """
    log = _unlocked(scene)
    whole = log.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    lines = whole.count(b"\n")
    for cut in range(last + 1, len(whole)):
        log.write_bytes(whole[:cut])
        found = examine(log)
        assert (found.damage, found.lines) == (None, lines - 1)
        assert len(read_result(log).trials) == 3
        copy = repair(log, clock=SystemClock())
        assert copy is not None
        assert copy.read_bytes() == whole[:cut]
        assert log.read_bytes() == whole[:last]
        copy.unlink()
    log.write_bytes(whole[:-7])
    told = scene.run("verify", log)
    mended = scene.run("verify", "--repair", log)
    check_invariants(scene, mended, log="whole", is_run=False)

    assert (told.code, mended.code) == (1, 0), told.console + mended.console
    assert f"{log.name}.broken" in mended.console
    assert log.with_name(f"{log.name}.broken").read_bytes() == whole[:-7]


def test_row_04_flipped_bit_is_refused_with_its_place_and_nothing_is_rewritten(
    scene: Scene,
) -> None:
    """
    Damage in the middle: each command says where and leaves every file as it is.
    """
    log = _unlocked(scene)
    whole = log.read_bytes()
    for place in random.Random(4).sample(range(whole.rindex(b"\n", 0, -1)), 5):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << (place % 8)
        log.write_bytes(spoilt)
        line_starts = whole.rfind(b"\n", 0, place) + 1
        before = sorted(scene.out.iterdir())
        for words, code in (
            (("verify", log), 1),
            (("verify", "--repair", log), 3),
            (("show", log), 3),
            (("report", log), 3),
            (("resume", log), 3),
        ):
            ended = scene.run(*words)
            assert ended.code == code, ended.console
            assert f"byte {line_starts}" in ended.console.replace(",", "")
        assert log.read_bytes() == spoilt
        assert sorted(scene.out.iterdir()) == before
    log.write_bytes(whole)
    check_invariants(scene, ended, log="whole", is_run=False)


@pytest.mark.parametrize("kind", ["zeros", "noise", "lines"])
def test_row_05_foreign_bytes_at_the_end_are_a_torn_tail(
    scene: Scene, kind: str
) -> None:
    """
    Four KiB behind the last line: told, cut on request, and the file kept as it was.
    """
    log = _unlocked(scene)
    whole = log.read_bytes()
    tail = {
        "zeros": bytes(4096),
        "noise": random.Random(5).randbytes(4096),
        "lines": b"no line of ours\n" * 256,
    }[kind]
    log.write_bytes(whole + tail)
    told = scene.run("verify", log)
    mended = scene.run("verify", "--repair", log)
    events = check_invariants(scene, mended, log="whole", is_run=False)

    assert told.code == 1
    assert f"byte {len(whole)}" in told.console.replace(",", "")
    assert mended.code == 0, mended.console
    assert log.read_bytes() == whole
    assert log.with_name(f"{log.name}.broken").read_bytes() == whole + tail
    assert len(of_kind(events, "trial_finished")) == 3
