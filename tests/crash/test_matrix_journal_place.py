"""
Rows 11 to 17 of the fault matrix: limits, places, company and clocks of the log.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import threading
from string import ascii_letters
from typing import TYPE_CHECKING, Any

import pytest
from fakes.faults import (
    limited,
    moved_clock,
    needs_root,
    read_only,
)
from fakes.invariants import check_invariants, of_kind, parse_log
from fakes.journals import new_journal

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.invariants import LogState
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

THREADS = 32
LINES = 1000
MOST_TEXT_BYTES = 256 * 1024 - 500  # Longer ones move out of their line.


@pytest.mark.parametrize("limit_bytes", [1000, 3000, 4500])
def test_row_11_limit_on_file_size_is_an_error_not_a_death(
    scene: Scene, limit_bytes: int
) -> None:
    """
    RLIMIT_FSIZE at the first, a middle and a late line: no SIGXFSZ, exit 3, all whole.
    """
    prefix = limited(f"--fsize={limit_bytes}")
    ended = scene.run(*scene.simulated(quiet=True, loops=20), prefix=prefix)
    events = check_invariants(scene, ended, log="whole")

    assert ended.code == 3
    assert "File too large" in ended.stderr or "only " in ended.stderr
    assert str(scene.log()) in ended.stderr
    assert bool(events) == (limit_bytes > 1000)
    assert of_kind(events, "run_finished") == []


@needs_root
def test_row_12_read_only_workspace_is_told_before_any_agent_call(scene: Scene) -> None:
    """
    No log can be made there: exit 3 with the place; the agent was never called.
    """
    called = scene.board / "called"
    scene.out = scene.workspace / "out"
    words = scene.command(f"touch {called}; echo Hello")
    with read_only(scene.workspace):
        ended = scene.run(*words)
        check_invariants(scene, ended, log="absent")

        assert ended.code == 3
        assert "Read-only file system" in ended.stderr
        assert str(scene.out) in ended.stderr
        assert not called.exists()


@needs_root
def test_row_12_read_only_workspace_can_still_be_measured(scene: Scene) -> None:
    """
    With the results elsewhere, an agent is tested in a workspace that nobody can write.
    """
    words = scene.command("echo Hello")
    with read_only(scene.workspace):
        ended = scene.run(*words)
        check_invariants(scene, ended)

        assert ended.code == 0, ended.console


@pytest.mark.parametrize("apart", [False, True], ids=["beside", "another container"])
@pytest.mark.parametrize("words", [("verify", "--repair"), ("resume",)])
def test_row_13_second_writer_of_a_log_stops_at_once_and_names_the_first(
    scene: Scene, words: tuple[str, ...], *, apart: bool
) -> None:
    """
    A log that is being written is nobody else's, also where its writer is out of sight.
    """
    if apart and os.geteuid() != 0:
        pytest.skip("another process namespace needs root")
    first = scene.start(*scene.simulated(latency_s=60))
    first.wait_for("trial_started")
    prefix = ["unshare", "--pid", "--fork", "--mount-proc"] if apart else []
    second = scene.run(*words, scene.log(), prefix=prefix)
    first.signal(2)
    ended = first.end()
    check_invariants(scene, ended)

    assert second.code == 3, second.console
    holder = "another process (perhaps in another container)"
    assert f"in use by {holder if apart else f'pid {first.pid} since'}" in second.stderr
    assert ended.code == 130
    assert len(scene.logs()) == 1


def _write_lines(journal: Any, thread: int) -> None:
    """
    Append lines of 1 byte to 256 KiB; a long one now and then.
    """
    chance = random.Random(thread)
    for number in range(LINES):
        most = 18 if number % 50 == 0 else 10
        size = min(int(2 ** chance.uniform(0, most)), MOST_TEXT_BYTES)
        fields = {
            "thread": thread,
            "number": number,
            "text": ascii_letters[thread] * size,
        }
        journal.append("line", fields)


def test_row_14_many_threads_that_log_at_once_mix_no_line(tmp_path: Path) -> None:
    """
    Thirty-two threads, a thousand lines each: all whole, dense, in each one's order.
    """
    with new_journal(tmp_path) as journal:
        threads = [
            threading.Thread(target=_write_lines, args=(journal, number))
            for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events, tail = parse_log(journal.path.read_bytes())

    assert (len(events), tail) == (THREADS * LINES, b"")
    for number in range(THREADS):
        mine = [event for event in events if event["thread"] == number]
        assert [event["number"] for event in mine] == list(range(LINES))
        assert all(set(event["text"]) == {ascii_letters[number]} for event in mine)


def test_row_14_many_workers_of_a_run_mix_no_line(scene: Scene) -> None:
    """
    The same of a whole run: thirty-two workers, five hundred trials, every event there.
    """
    words = scene.simulated(loops=500, parallel=True, max_workers=32, quiet=True)
    ended = scene.run(*words)
    events = check_invariants(scene, ended)

    assert ended.code == 0
    for kind in ("trial_started", "attempt_finished", "trial_finished"):
        numbers = sorted(event["trial"] for event in of_kind(events, kind))
        assert numbers == list(range(1, 501))


_WHAT = re.compile("symbolic link|not a regular file|[Dd]irectory")


def _place(kind: str, path: Path, log: Path) -> None:
    if kind == "link":
        path.symlink_to(log)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif os.geteuid() != 0:
        pytest.skip("only root can make a device")
    else:
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 3))


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "device"])
def test_row_15_only_a_regular_file_is_taken_for_a_log(scene: Scene, kind: str) -> None:
    """
    A link, FIFO, folder or device: refused by every command, at once, and unchanged.
    """
    first = scene.run(*scene.simulated(quiet=True))
    path = scene.folder / "chat_20261123T174059Z_7f3a9c.jsonl"
    _place(kind, path, scene.log())
    before = path.lstat()
    for words in (("verify",), ("verify", "--repair"), ("show",), ("report",)):
        ended = scene.run(*words, path)
        assert ended.code == 3, (words, ended.console)
        assert str(path) in ended.stderr
        assert _WHAT.search(ended.stderr)
    resumed = scene.run("resume", path)

    assert resumed.code == 3, resumed.console
    assert _WHAT.search(resumed.stderr)
    assert before.st_mode == path.lstat().st_mode
    check_invariants(scene, first)


def test_row_15_output_folder_that_is_no_folder_is_refused(scene: Scene) -> None:
    """
    A file, FIFO or broken link in the folder's place: exit 3 before any agent call.
    """
    called = scene.board / "called"
    for make in (
        lambda path: path.write_text(""),
        os.mkfifo,
        lambda path: path.symlink_to(scene.folder / "nowhere" / "else"),
    ):
        make(scene.out)
        ended = scene.run(*scene.command(f"touch {called}; echo Hello"))
        check_invariants(scene, ended, log="absent")

        assert ended.code == 3, ended.console
        assert str(scene.out) in ended.stderr
        assert not called.exists()
        scene.out.unlink()


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "shortened"])
def test_row_16_log_that_is_harmed_in_mid_run_is_noticed_at_the_next_line(
    scene: Scene, how: str
) -> None:
    """
    A log that is no longer the one that was begun: exit 3, and the run says why.
    """
    words = scene.simulated(latency_s=0.02, loops=1000)
    running = scene.start(*words)
    running.wait_for("trial_finished", 3)
    log = scene.log()
    if how == "deleted":
        log.unlink()
    elif how == "moved":
        log.rename(scene.folder / "moved")
    elif how == "replaced":
        copy = scene.folder / "copy"
        shutil.copy(log, copy)
        copy.replace(log)
    else:
        os.truncate(log, log.read_bytes().index(b"\n") + 1)
    ended = running.end()
    # A copy was taken in the middle of a line, or between two.
    states: dict[str, LogState] = {"replaced": "torn", "shortened": "whole"}
    left = states.get(how, "absent")
    check_invariants(scene, ended, log=left)

    assert ended.code == 3, ended.console
    assert str(log) in ended.stderr
    if how == "moved":
        events, _ = parse_log((scene.folder / "moved").read_bytes())
        assert len(of_kind(events, "trial_finished")) >= 3


@pytest.mark.parametrize("jump", ["+1d", "-1d", "-1h", "+1h"])
def test_row_17_jumping_wall_clock_changes_no_duration_and_no_order(
    scene: Scene, jump: str
) -> None:
    """
    A day forth or back, or an hour as at a change of summer time: durations stay true.
    """
    offset = scene.folder / "offset"
    offset.write_text("+0")
    profile = "pass-rate=1,rate-529=0.2"
    words = scene.simulated(profile, latency_s=0.05, loops=30, parallel=True)
    environ = {**moved_clock(offset), "TZ": "Europe/Berlin"}
    running = scene.start(*words, environ=environ)
    running.wait_for("trial_finished", 5)
    offset.write_text(jump)
    ended = running.end()
    events = check_invariants(scene, ended)
    times = [event["time"] for event in events]
    days = {moment[:13] for moment in times}

    assert ended.code == 0, ended.console
    assert len(days) > 1, "the clock did not jump"
    if jump.startswith("-"):
        assert times != sorted(times)
    for event in events:
        for name in ("duration_s", "waited_s"):
            assert 0 <= (event.get(name) or 0) < 60
