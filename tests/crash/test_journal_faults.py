"""
The log under real faults: kills, full disks, failing and short writes, failing syncs.

Faults are injected into a real writer process: by SIGKILL, by strace at the n-th system
call, by a file system of 64 KiB, by a limit on file size. After each of them the log
parses or can be repaired, and no line that the writer acknowledged is missing.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.journals import (
    SteppedClock,
    crashed_log,
    new_journal,
    reopened,
    start_writer,
    writer_argv,
    writer_environ,
)

from reliability.errors import JournalError
from reliability.journal import examine, read_events, repair

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE_S = 60
STRACE = shutil.which("strace")
PRLIMIT = shutil.which("prlimit")
LINES = 4

needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def _kill_at_random(directory: Path, seed: int) -> None:
    """
    Kill a writer after a random number of lines and check what it left behind.
    """
    lines_before_kill = random.Random(seed).randrange(1, 120)
    size = random.Random(seed).choice(["10", "3000", "mixed"])
    child = start_writer("create", directory, "r1", 0, size)
    assert child.stdout is not None
    path = Path(child.stdout.readline().strip())
    for _ in range(lines_before_kill):
        child.stdout.readline()
    child.kill()
    out, _ = child.communicate(timeout=DEADLINE_S)
    acknowledged = lines_before_kill + len(out.split())

    assert child.returncode == -signal.SIGKILL
    found = examine(path)
    assert found.damage is None, found
    assert found.lines >= acknowledged
    repair(path, clock=SteppedClock())
    assert examine(path).intact
    assert [e.fields["number"] for e in read_events(path)] == list(range(found.lines))
    with reopened(path) as journal:
        assert journal.append("x", {}) == found.lines + 1


@pytest.mark.parametrize("seed", range(5))
def test_killed_writer_loses_no_acknowledged_line(tmp_path: Path, seed: int) -> None:
    """
    After SIGKILL at a random moment, the log is whole or repairable and complete.
    """
    _kill_at_random(tmp_path, seed)


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(5, 55))
def test_writer_killed_at_fifty_moments_loses_no_acknowledged_line(
    tmp_path: Path, seed: int
) -> None:
    """
    The same at fifty more moments, with other lengths of lines.
    """
    _kill_at_random(tmp_path, seed)


def _finish_under_strace(
    path: Path, calls: str, fault: str, *, only_log: bool = True
) -> tuple[subprocess.CompletedProcess[str], str]:
    """
    Let a writer finish the log while strace injects a fault; return also the trace.
    """
    assert STRACE is not None
    trace = path.with_name("trace.txt")
    watched = ["-P", str(path)] if only_log else []
    argv = [STRACE, "-f", "-o", str(trace), *watched]
    argv += ["-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]
    done = subprocess.run(
        [*argv, *writer_argv("finish", path, LINES)],
        env=writer_environ(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return done, trace.read_text()


def _acknowledged_count(output: str) -> int:
    """
    Return how many numbers (and not hashes) the writer said.
    """
    return sum(1 for word in output.split() if len(word) < 64)


@pytest.mark.crash
@needs_strace
@pytest.mark.parametrize("number", range(1, LINES + 2))
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error=ENOSPC", "No space left on device"),
        ("error=EIO", "Input/output error"),
        ("error=EDQUOT", "Disk quota exceeded"),
        ("retval=3", "only 3 of the"),
        ("retval=0", "only 0 of the"),
    ],
)
def test_write_that_fails_is_undone_and_ends_the_run_as_not_measured(
    tmp_path: Path, number: int, fault: str, words: str
) -> None:
    """
    ENOSPC, EIO, EDQUOT or a short count at the n-th line: exit 3, n-1 whole lines.
    """
    path = crashed_log(tmp_path)
    done, _ = _finish_under_strace(path, "write", f"{fault}:when={number}")

    assert done.returncode == 3, done.stderr
    assert words in done.stderr
    assert str(path) in done.stderr
    assert "bytes free" in done.stderr
    found = examine(path)
    assert (found.intact, found.locked, found.lines) == (True, False, number - 1)
    assert _acknowledged_count(done.stdout) == number - 1


@pytest.mark.crash
@needs_strace
def test_torn_tail_that_cannot_be_cut_is_said_and_left(tmp_path: Path) -> None:
    """
    When cutting fails, the log stays readable, repairable, and as it was.
    """
    path = crashed_log(tmp_path, "one")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq":2,')
    done, _ = _finish_under_strace(path, "ftruncate", "error=EIO:when=1")

    assert done.returncode == 3
    assert "cannot cut the torn tail" in done.stderr
    assert path.read_bytes() == whole + b'{"seq":2,'
    assert examine(path).repairable


@pytest.mark.crash
@needs_strace
@pytest.mark.parametrize("number", range(1, LINES + 2))
def test_writer_killed_at_each_write_leaves_whole_lines(
    tmp_path: Path, number: int
) -> None:
    """
    SIGKILL at the n-th write of a line: what was acknowledged is there, whole.
    """
    path = crashed_log(tmp_path)
    done, _ = _finish_under_strace(path, "write", f"signal=KILL:when={number}")

    assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    assert _acknowledged_count(done.stdout) == number - 1
    repair(path, clock=SteppedClock())
    found = examine(path)
    assert found.intact
    assert found.lines >= number - 1


@pytest.mark.crash
@needs_strace
def test_failed_sync_ends_the_run_and_is_not_repeated(tmp_path: Path) -> None:
    """
    EIO at the log's first sync: exit 3, one sync in all, no sidecar.
    """
    path = crashed_log(tmp_path)
    done, trace = _finish_under_strace(path, "fsync", "error=EIO:when=1")

    assert done.returncode == 3
    assert "cannot be synced" in done.stderr
    assert trace.count("fsync(") == 1
    assert examine(path).recorded_sha256 is None


def _first_of_ours(directory: Path, calls: str) -> int:
    """
    Return how many such calls Python makes before it opens the log, and one more.
    """
    path = crashed_log(directory)
    _, trace = _finish_under_strace(path, calls, "delay_enter=0", only_log=False)
    opened = [n for n, line in enumerate(trace.splitlines(), 1) if str(path) in line]
    return opened[0] if calls == "openat" else 1


@pytest.mark.crash
@needs_strace
@pytest.mark.parametrize("calls", ["fsync", "rename", "fchmod", "openat"])
def test_writer_killed_anywhere_in_its_end_can_be_finished_or_is(
    tmp_path: Path, calls: str
) -> None:
    """
    SIGKILL at the n-th such call, for all n: locked and right, or still to be locked.
    """
    for number in range(_first_of_ours(tmp_path, calls), 400):
        folder = tmp_path / str(number)
        path = crashed_log(folder)
        fault = f"signal=KILL:when={number}"
        done, _ = _finish_under_strace(path, calls, fault, only_log=False)
        found = examine(path)

        assert found.intact, found
        assert found.lines >= _acknowledged_count(done.stdout)
        if done.returncode == 0:
            break
        if found.recorded_sha256 is None:
            with reopened(path) as journal:
                journal.append("run_finished", {})
                journal.lock()
        assert examine(path).locked
    assert done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """
    Mount a file system of 64 KiB.
    """
    place = tmp_path / "disk"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(argv, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root and its rights")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_is_named_and_every_line_before_is_whole(small_disk: Path) -> None:
    """
    A disk that fills up: exit 3 with path and room, the torn part is taken back.
    """
    child = start_writer("create", small_disk, "r1", 0, "5000")
    out, err = child.communicate(timeout=DEADLINE_S)
    path, *numbers = out.split()

    assert child.returncode == 3
    assert path in err
    assert "bytes free" in err
    found = examine(Path(path))
    assert (found.intact, found.lines) == (True, len(numbers))
    assert 8 < found.lines < 13


def test_read_only_disk_is_an_error_before_anything_runs(small_disk: Path) -> None:
    """
    A log cannot begin on a read-only file system, and the message names the place.
    """
    argv = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(argv, check=True)
    for place in (small_disk, small_disk / "new"):
        with pytest.raises(JournalError, match=f"{place}.*Read-only file system"):
            new_journal(place)


def test_full_disk_for_a_side_file_is_named_and_leaves_no_part(
    small_disk: Path,
) -> None:
    """
    A text that does not fit beside the log: exit 3, no half file, no line about it.
    """
    child = start_writer("create", small_disk, "r1", 0, "300000")
    out, err = child.communicate(timeout=DEADLINE_S)
    path = Path(out.split()[0])

    assert (child.returncode, out.split()[1:]) == (3, [])
    assert "No space left on device" in err
    assert list(path.with_name(f"{path.name}.d").iterdir()) == []
    assert (examine(path).intact, examine(path).lines) == (True, 0)


@pytest.mark.skipif(PRLIMIT is None, reason="prlimit is not installed")
def test_limit_on_file_size_is_an_error_not_a_death(tmp_path: Path) -> None:
    """
    RLIMIT_FSIZE: no SIGXFSZ death; the line that crosses it is taken back, exit 3.
    """
    path = crashed_log(tmp_path)
    argv = [str(PRLIMIT), "--fsize=3000", *writer_argv("finish", path, LINES)]
    done = subprocess.run(
        argv,
        env=writer_environ(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert done.returncode == 3, done.stderr
    assert (examine(path).intact, examine(path).lines) == (True, 2)
