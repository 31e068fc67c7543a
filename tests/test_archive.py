"""
The zip of an artifact: reproducible, plain files only, honest about what it lacks.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from reliability.github.archive import ArchiveError, write_archive


def test_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """
    Neither the order, nor the time, nor the mode of a file changes the archive.
    """
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1" * 5_000_000)
    other.write_bytes(b"2")
    first, second = io.BytesIO(), io.BytesIO()
    archive = write_archive({"a": one, "b/c": other}, first)
    one.chmod(0o600)
    os.utime(other, (1, 1))
    write_archive({"b/c": other, "a": one}, second)

    assert first.getvalue() == second.getvalue()
    assert archive.sha256 == hashlib.sha256(first.getvalue()).hexdigest()
    assert archive.size_bytes == len(first.getvalue()) < 20_000
    with zipfile.ZipFile(first) as zipped:
        assert zipped.testzip() is None
        assert ["a", "b/c"] == zipped.namelist()
        assert b"2" == zipped.read("b/c")
        assert {1980} == {info.date_time[0] for info in zipped.infolist()}


def make_odd(path: Path, kind: str) -> None:
    """
    Put something that is no regular file at *path*.
    """
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_only_regular_files_are_read(tmp_path: Path, kind: str) -> None:
    """
    A link is not followed, a pipe is not waited for, and the name is told.
    """
    make_odd(tmp_path / "x", kind)

    with pytest.raises(ArchiveError, match="'in/side'"):
        write_archive({"in/side": tmp_path / "x"}, io.BytesIO())


def test_archive_of_nothing_is_refused() -> None:
    """
    An empty artifact would look like a result.
    """
    with pytest.raises(ArchiveError, match="no file"):
        write_archive({}, io.BytesIO())


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "../a", "a/./b", "a//b", "a\\b", "a:b"]
)
def test_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    """
    Names inside are relative paths without tricks.
    """
    with pytest.raises(ArchiveError):
        write_archive({name: Path("/dev/null")}, io.BytesIO())


@given(st.dictionaries(st.text(min_size=1), st.just(Path(__file__)), max_size=3))
def test_any_names_are_stored_or_refused(files: dict[str, Path]) -> None:
    """
    What is not refused can be read back under its name.
    """
    target = io.BytesIO()
    try:
        write_archive(files, target)
    except ArchiveError:
        return

    with zipfile.ZipFile(target) as zipped:
        assert set(zipped.namelist()) == set(files)


def test_checkpoint_can_stop_a_long_archive(tmp_path: Path) -> None:
    """
    Giving up is possible in the middle of a file.
    """
    path = tmp_path / "big"
    path.write_bytes(b"x" * 3_000_000)

    def stop() -> None:
        """
        Give up.
        """
        raise TimeoutError

    with pytest.raises(TimeoutError):
        write_archive({"big": path}, io.BytesIO(), checkpoint=stop)
