"""
Where a log may be: a new regular file of its own in a folder, never elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from fakes.journals import new_journal, reopened

from reliability.errors import JournalError
from reliability.journal import examine, read_events


def test_log_is_named_after_base_name_utc_time_and_run_id(tmp_path: Path) -> None:
    """
    A log's name says what it is of, when it began, and of which run.
    """
    with new_journal(tmp_path / "new" / "folder") as journal:
        name = journal.path.name

    assert name == "chat_20261123T174059Z_r1.jsonl"


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
