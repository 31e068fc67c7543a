"""
What a writer of the log promises to the run: one writer, one file, one end.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.hand_clock import HandClock
from fakes.journals import new_journal, reopened, start_writer, writer_environ

from reliability.errors import JournalError
from reliability.journal import examine
from reliability.journal.tail import LOOK_EVERY_S


def test_log_is_private_while_it_is_written(tmp_path: Path) -> None:
    """
    Nobody but its owner can read a log that is being written.
    """
    with new_journal(tmp_path) as journal:
        mode = stat.S_IMODE(journal.path.stat().st_mode)

    assert mode == 0o600


def test_lock_records_the_hash_as_sha256sum_does(tmp_path: Path) -> None:
    """
    `sha256sum -c` accepts the sidecar, and the log is read-only for all.
    """
    with new_journal(tmp_path) as journal:
        journal.append("run_finished", {})
        digest = journal.lock()
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", f"{journal.path.name}.sha256"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert digest == hashlib.sha256(journal.path.read_bytes()).hexdigest()
    assert checked.returncode == 0, checked.stderr
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o444


def test_second_lock_returns_the_same_hash(tmp_path: Path) -> None:
    """
    Locking twice is harmless.
    """
    journal = new_journal(tmp_path)
    first = journal.lock()
    journal.close()

    assert journal.lock() == first


def test_locked_and_closed_logs_take_no_line(tmp_path: Path) -> None:
    """
    After its end a log refuses lines, and a closed one cannot be locked.
    """
    locked = new_journal(tmp_path)
    locked.lock()
    closed = new_journal(tmp_path, run_id="r2")
    closed.close()
    closed.close()

    with pytest.raises(JournalError, match="locked"):
        locked.append("x", {})
    with pytest.raises(JournalError, match="closed"):
        closed.append("x", {})
    with pytest.raises(JournalError, match="closed"):
        closed.lock()


def test_lock_refuses_a_file_that_is_not_what_was_written(tmp_path: Path) -> None:
    """
    One byte changed behind the writer's back, same size: no hash is recorded.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {"text": "true"})
        with journal.path.open("r+b") as other:
            other.seek(3)
            other.write(b"X")
        with pytest.raises(JournalError, match="not what was written"):
            journal.lock()

    assert [journal.path] == list(tmp_path.iterdir())


def test_reopened_log_goes_on_with_the_next_number(tmp_path: Path) -> None:
    """
    A run that was interrupted continues in its log, and the end fits the whole.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {})
    with reopened(journal.path) as again:
        number = again.append("run_finished", {})
        again.lock()

    assert (number, again.run_id) == (2, "r1")
    assert examine(journal.path).locked


def test_reopened_log_without_a_line_takes_its_run_id_from_its_name(
    tmp_path: Path,
) -> None:
    """
    A run killed before its first line can be resumed.
    """
    new_journal(tmp_path, run_id="r-42").close()
    path = next(tmp_path.iterdir())
    with reopened(path) as journal:
        again = (journal.run_id, journal.append("x", {}))

    assert again == ("r-42", 1)


def test_finished_log_is_not_reopened(tmp_path: Path) -> None:
    """
    A locked log stays as it is.
    """
    with new_journal(tmp_path) as journal:
        journal.lock()

    with pytest.raises(JournalError, match="locked when its run ended"):
        reopened(journal.path)


def test_second_writer_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    """
    A log that another process writes is refused by name of its holder.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {})
    child = start_writer("hold", journal.path)
    assert child.stdout is not None
    with child:
        child.stdout.readline()
        with pytest.raises(JournalError) as caught:
            reopened(journal.path)
        child.communicate("")

    assert re.search(
        rf"in use by pid {child.pid} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        str(caught.value),
    )


def test_second_writer_in_the_same_process_is_refused(tmp_path: Path) -> None:
    """
    The lock holds inside one process too, and after the first has ended it is free.
    """
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match=f"pid {os.getpid()}"):
            reopened(journal.path)
        with pytest.raises(JournalError, match="in use"):
            reopened(journal.path, wait_s=0.03)
    reopened(journal.path).close()


def _replace(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.write_bytes(path.with_name("moved").read_bytes())


def _append_foreign(path: Path) -> None:
    with path.open("ab") as other:
        other.write(b"foreign\n")


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (Path.unlink, "no longer"),
        (_replace, "another file"),
        (_append_foreign, "something else changed"),
        (lambda path: os.truncate(path, 3), "something else changed"),
    ],
)
@pytest.mark.parametrize("lines_between", [0, 3])
def test_log_harmed_from_outside_is_dead_at_the_next_look(
    tmp_path: Path, harm: Any, word: str, lines_between: int
) -> None:
    """
    A deleted, replaced, cut or foreign-written log is noticed, for good.
    """
    clock = HandClock()
    with new_journal(tmp_path, clock=clock) as journal:
        journal.append("x", {})
        harm(journal.path)
        for _ in range(lines_between):
            journal.append("x", {})
        clock.elapsed_s += 2 * LOOK_EVERY_S
        reasons = []
        for use in (lambda: journal.append("x", {}), journal.check, journal.lock):
            with pytest.raises(JournalError, match=word) as caught:
                use()
            reasons.append(caught.value.what)

    assert len(set(reasons)) == 1


@pytest.mark.parametrize("harm", [Path.unlink, _replace, _append_foreign])
def test_log_harmed_between_two_looks_is_never_locked(
    tmp_path: Path, harm: Any
) -> None:
    """
    Lines may still be taken for a moment; a hash is never given.
    """
    with new_journal(tmp_path, clock=HandClock()) as journal:
        journal.append("x", {})
        harm(journal.path)
        journal.append("x", {})

        with pytest.raises(JournalError):
            journal.lock()


def test_forked_copy_of_the_writer_is_refused(tmp_path: Path) -> None:
    """
    A fork shares the lock but not the syncing thread, so it may not write.
    """
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from fakes.journals import new_journal\n"
        "from reliability.errors import JournalError\n"
        "journal = new_journal(Path(sys.argv[1]))\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try:\n"
        "        journal.append('x', {})\n"
        "    except JournalError:\n"
        "        journal.close()\n"
        "        os._exit(7)\n"
        "    os._exit(0)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "journal.append('x', {})\n"
        "journal.close()\n"
        "sys.exit(code)\n"
    )
    argv = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)]
    done = subprocess.run(argv, env=writer_environ(), check=False)

    assert done.returncode == 7
    assert examine(next(tmp_path.iterdir())).lines == 1


def test_child_process_does_not_inherit_the_log(tmp_path: Path) -> None:
    """
    The descriptor, and with it the lock, is closed on exec.
    """
    with new_journal(tmp_path) as journal:
        links = "import os; print([os.readlink(f'/proc/self/fd/{n}') for n in range(9)"
        links += " if os.path.lexists(f'/proc/self/fd/{n}')])"
        seen = subprocess.run(
            [sys.executable, "-c", links],
            close_fds=False,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert journal.path.name not in seen
