"""
What a writer of the log promises to the run: whole lines, one writer, one end.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from fakes.journals import new_journal, reopened, start_writer, writer_environ

from reliability.errors import JournalError
from reliability.journal import examine, read_events


def test_log_is_named_after_base_name_utc_time_and_run_id(tmp_path: Path) -> None:
    """
    A log's name says what it is of, when it began, and of which run.
    """
    with new_journal(tmp_path / "new" / "folder") as journal:
        name = journal.path.name

    assert name == "chat_20261123T174059Z_r1.jsonl"


def test_log_is_private_while_it_is_written(tmp_path: Path) -> None:
    """
    Nobody but its owner can read a log that is being written.
    """
    with new_journal(tmp_path) as journal:
        mode = stat.S_IMODE(journal.path.stat().st_mode)

    assert mode == 0o600


def test_line_has_its_members_in_order_and_its_checksum_last(tmp_path: Path) -> None:
    """
    A line is seq, time, run_id, event, the event's fields, crc32 of all before.
    """
    with new_journal(tmp_path) as journal:
        journal.append("trial_started", {"trial": 7, "case": "hello"})
        line = journal.path.read_bytes()
    body = (
        b'{"seq":1,"time":"2026-11-23T17:40:59.124Z","run_id":"r1",'
        b'"event":"trial_started","trial":7,"case":"hello"}'
    )

    assert line == body[:-1] + b',"crc32":"%08x"}\n' % crc32(body)


def test_numbers_are_dense_from_one(tmp_path: Path) -> None:
    """
    Each append returns the next number.
    """
    with new_journal(tmp_path) as journal:
        numbers = [journal.append("x", {}) for _ in range(5)]

    assert numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "name",
    ["name", "message", "msg", "args", "exc_info", "stack_info", "asctime", "_x", ""],
)
def test_any_field_name_that_logging_reserves_works(tmp_path: Path, name: str) -> None:
    """
    An event may have a field of a name that `logging` keeps for itself.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {name: "kept"})

        assert [{name: "kept"}] == [e.fields for e in read_events(journal.path)]


@pytest.mark.parametrize("name", ["seq", "time", "run_id", "event", "crc32"])
def test_field_named_as_the_line_itself_is_refused(tmp_path: Path, name: str) -> None:
    """
    An event cannot overwrite what the line says of itself.
    """
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match=name):
            journal.append("x", {name: 1})

        assert journal.path.read_bytes() == b""


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        object(),
        {1, 2},
        b"bytes",
        Path("/x"),
        10**5000,
        {"deep": [math.nan]},
        {("no", "key"): 1},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_json_is_refused_and_the_log_goes_on(
    tmp_path: Path, value: Any
) -> None:
    """
    Nothing is turned into text behind the caller's back; the next event has no gap.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {})
        with pytest.raises(JournalError, match="cannot be logged"):
            journal.append("x", {"value": value})

        assert journal.append("x", {}) == 2


def test_endless_nesting_is_refused_and_the_log_goes_on(tmp_path: Path) -> None:
    """
    An event that contains itself, or is nested too deep, is an error of that event.
    """
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match="cannot be logged"):
            journal.append("x", {"deep": deep})

        assert journal.append("x", {}) == 1
    while deep:  # A list this deep overflows the stack when it is freed at once.
        deep = deep.pop()


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udfffb", "\u2028\x85\r\n\x00\x1b[31m", "😀", '{"seq":1,']
)
def test_hostile_text_comes_back_and_stays_on_one_ascii_line(
    tmp_path: Path, text: str
) -> None:
    """
    Lone surrogates, line breaks of every kind and control characters survive.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {"text": text})
        content = journal.path.read_bytes()

        assert (content.count(b"\n"), content.isascii()) == (1, True)
        assert [text] == [e.fields["text"] for e in read_events(journal.path)]


def test_fields_are_redacted_before_they_are_written(tmp_path: Path) -> None:
    """
    What the redactor returns is what is written, and nothing else.
    """
    with new_journal(tmp_path, redact=lambda _fields: {"text": "***"}) as journal:
        journal.append("x", {"text": "secret"})

        assert b"secret" not in journal.path.read_bytes()
        assert [{"text": "***"}] == [e.fields for e in read_events(journal.path)]


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


def test_new_log_never_replaces_a_file(tmp_path: Path) -> None:
    """
    A log is created exclusively.
    """
    new_journal(tmp_path).close()

    with pytest.raises(JournalError, match="cannot open"):
        new_journal(tmp_path)


def _symlink(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize("make", [_symlink, os.mkfifo, os.mkdir])
def test_new_log_is_refused_where_something_else_stands(
    tmp_path: Path, make: Any
) -> None:
    """
    A link, FIFO or folder in the log's place is an error before any agent call.
    """
    make(tmp_path / "chat_20261123T174059Z_r1.jsonl")

    with pytest.raises(JournalError, match="cannot open"):
        new_journal(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("make", [_symlink, os.mkfifo, os.mkdir, None])
def test_only_a_regular_file_is_read_or_reopened(tmp_path: Path, make: Any) -> None:
    """
    A link, FIFO, folder or device is refused without waiting for anything.
    """
    path = tmp_path / "log.jsonl" if make else Path("/dev/null")
    if make:
        make(path)

    for use in (reopened, examine, lambda place: list(read_events(place))):
        with pytest.raises(JournalError, match=r"cannot open|not a regular file"):
            use(path)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """
    A file where the folder should be, and a folder that takes no file, say so.
    """
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError, match="file"):
        new_journal(tmp_path / "file")
    with pytest.raises(JournalError, match="/proc"):
        new_journal(Path("/proc"))


@pytest.mark.parametrize(
    "names",
    [
        {"base_name": "../x"},
        {"base_name": ""},
        {"base_name": ".x"},
        {"base_name": "-x"},
        {"base_name": "a\n"},
        {"base_name": "a" * 101},
        {"run_id": "a_b"},
        {"run_id": "a/b"},
        {"run_id": ""},
    ],
)
def test_name_that_could_leave_the_folder_is_refused(
    tmp_path: Path, names: dict[str, str]
) -> None:
    """
    Nothing in a name leads anywhere but into the folder.
    """
    with pytest.raises(JournalError, match=r"base name|run id"):
        new_journal(tmp_path, **names)
    assert list(tmp_path.iterdir()) == []


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
def test_log_harmed_from_outside_is_dead_at_the_next_line(
    tmp_path: Path, harm: Any, word: str
) -> None:
    """
    A deleted, replaced, cut or foreign-written log is noticed, for good.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {})
        harm(journal.path)
        reasons = []
        for use in (lambda: journal.append("x", {}), journal.check, journal.lock):
            with pytest.raises(JournalError, match=word) as caught:
                use()
            reasons.append(caught.value.what)

    assert len(set(reasons)) == 1


def test_signal_between_writing_and_counting_leaves_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ctrl-C right after the write: the line counts, and the next one follows it.
    """
    write = os.write

    def interrupted(fd: int, line: bytes) -> int:
        write(fd, line)
        raise KeyboardInterrupt

    with new_journal(tmp_path) as journal:
        journal.append("x", {})
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "write", interrupted)
            journal.append("x", {})
        number = journal.append("run_finished", {})
        journal.lock()

    assert number == 3
    assert examine(journal.path).ok


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


def test_reading_a_log_imports_no_writer_libraries() -> None:
    """
    `logging` and the formatter are loaded by the first writer, not by a reader.
    """
    code = (
        "import sys, reliability.journal; "
        "print({'logging', 'pythonjsonlogger'} & set(sys.modules))"
    )
    argv = [sys.executable, "-c", code]
    seen = subprocess.run(
        argv, env=writer_environ(), capture_output=True, text=True, check=True
    )

    assert seen.stdout == "set()\n"


def test_line_is_json_for_any_reader(tmp_path: Path) -> None:
    """
    Each line parses with a plain JSON parser.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {"a": [1, None, True, 0.1], "b": {"c": "d"}})
        parsed = json.loads(journal.path.read_text("ascii"))

    assert (parsed["a"], parsed["b"]) == ([1, None, True, 0.1], {"c": "d"})
