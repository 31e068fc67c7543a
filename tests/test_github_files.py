"""
Outputs and summary reach the runner whole, and nobody else's words do.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from oracle.runner_parser import pairs_in

from reliability.errors import MeasureError
from reliability.github import files
from reliability.github.files import FileGuard, write_outputs, write_summary

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="path")
def make_path(tmp_path: Path) -> Path:
    """
    Return a command file as the runner makes it: empty.
    """
    path = tmp_path / "set_output_1"
    path.touch()
    return path


def fill_disk_after(size_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Make writes short, and fail when so many bytes are written.
    """
    room = [size_bytes]
    real_write = os.write

    def write(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        written = real_write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write)


def test_value_cannot_forge_an_output(path: Path) -> None:
    """
    A value that holds what ends other values is one value.
    """
    outputs = {
        "log": "a\nEOF\npass-rate=1\nx<<EOF\n",
        "verdict": "",
        "cost-usd": "=<<\r\n",
    }
    write_outputs(path, outputs)

    assert pairs_in(path.read_bytes().decode()) == list(outputs.items())


def test_outputs_follow_what_is_there(path: Path) -> None:
    """
    Outputs are appended, also behind a line that somebody left unfinished.
    """
    path.write_text("a=1")
    write_outputs(path, {"b": "2"})
    write_outputs(path, {"c": "3"})

    assert pairs_in(path.read_text()) == [("a", "1"), ("b", "2"), ("c", "3")]


def test_value_with_its_delimiter_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A value made to match the random delimiter is refused before anything is written.
    """
    monkeypatch.setattr(files, "_delimiter", lambda: "ghadelimiter_x")

    with pytest.raises(MeasureError, match="'log' holds the random word"):
        write_outputs(path, {"a": "1", "log": "ghadelimiter_x\npass-rate=1"})

    assert path.read_bytes() == b""


def test_delimiter_differs_each_time(path: Path) -> None:
    """
    No delimiter can be known beforehand.
    """
    write_outputs(path, {"a": "1", "b": "2"})
    write_outputs(path, {"c": "3"})
    found = re.findall(r"<<(.+)", path.read_text())

    assert len(set(found)) == 3
    assert all(len(delimiter) >= 32 for delimiter in found)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "é", "1a"])
def test_odd_output_name_is_refused(path: Path, name: str) -> None:
    """
    A name that could change how its line is read is refused.
    """
    with pytest.raises(MeasureError, match="not a plain word"):
        write_outputs(path, {name: "1"})


def test_lone_surrogate_is_shown(path: Path) -> None:
    """
    What UTF-8 cannot hold is written as its escape.
    """
    write_outputs(path, {"a": "x\udcff"})

    assert pairs_in(path.read_text()) == [("a", "x\\udcff")]


def test_half_written_outputs_are_undone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A full disk leaves the file as it was, since a torn value fails the step.
    """
    path.write_text("a=1\n")
    fill_disk_after(20, monkeypatch)

    with pytest.raises(MeasureError, match="No space left on device"):
        write_outputs(path, {"b": "2" * 100})

    assert path.read_text() == "a=1\n"


def test_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    """
    A link put in place of the file does not lead us elsewhere.
    """
    target = tmp_path / "target"
    target.write_text("precious")
    path.unlink()
    path.symlink_to(target)

    with pytest.raises(MeasureError, match="Cannot write"):
        write_outputs(path, {"a": "1"})
    with pytest.raises(MeasureError, match="Cannot write"):
        write_summary(path, "text")

    assert target.read_text() == "precious"


def test_summary_that_fits_is_written_whole(path: Path) -> None:
    """
    A short summary is appended as it is, ended by a newline.
    """
    written = write_summary(path, "## ✅ pass")
    more = write_summary(path, "more\n")

    assert path.read_text() == "## ✅ pass\nmore\n"
    assert path.stat().st_size == written + more


def test_long_summary_is_cut_on_a_row_and_says_so(path: Path) -> None:
    """
    Past the cap rows are left out, counted, and the file stays below the cap.
    """
    rows = [f"| {number} | {'x' * 300} |" for number in range(5000)]
    written = write_summary(path, "\n".join(rows))
    text = path.read_text()
    kept = [line for line in text.split("\n") if line.startswith("|")]

    assert rows[: len(kept)] == kept
    assert written == path.stat().st_size
    assert 899 * 1024 < written <= 900 * 1024
    assert f"{5000 - len(kept):,} of 5,000 lines are left out" in text


def test_cut_closes_what_is_open(path: Path) -> None:
    """
    A cut inside a fence inside details closes both, so the sentence is read as text.
    """
    inside = "line\n" * 1000
    text = f"<details><summary>a</summary>\n\n````text\n```\n{inside}````\n</details>\n"
    write_summary(path, text, cap_bytes=1000)
    kept = path.read_text()

    assert "line\n````\n\n</details>\n\n> **Cut here:**" in kept
    assert path.stat().st_size <= 1000


def test_cap_counts_what_is_there(path: Path) -> None:
    """
    The runner measures the file, so what it holds already uses up the cap.
    """
    path.write_text("x" * 600)
    written = write_summary(path, "line\n" * 100, cap_bytes=1000)

    assert 300 < written <= 400
    assert path.stat().st_size == 600 + written
    assert write_summary(path, "line\n" * 100, cap_bytes=1000) == 0


def test_guard_knows_our_own_writes(path: Path) -> None:
    """
    Outputs and summaries of our own are no tampering.
    """
    guard = FileGuard({"GITHUB_OUTPUT": path})
    write_outputs(path, {"a": "1"}, guard=guard)
    write_summary(path, "text", guard=guard)
    before = path.read_bytes()

    assert guard.tampered() == ()
    assert before == path.read_bytes()


def test_foreign_words_are_cut_away(path: Path, tmp_path: Path) -> None:
    """
    What somebody wrote before, between and after our writes is gone; ours stays.
    """
    untouched = tmp_path / "set_env_1"
    guard = FileGuard({"GITHUB_OUTPUT": path, "GITHUB_ENV": untouched})
    with path.open("a") as file:
        file.write("verdict=pass\n")
    write_outputs(path, {"a": "1"}, guard=guard)
    with path.open("a") as file:
        file.write("verdict=pass\n")
    inode = path.stat().st_ino
    found = guard.tampered()

    assert [("GITHUB_OUTPUT", path, True)] == [
        (item.name, item.path, item.is_restored) for item in found
    ]
    assert pairs_in(path.read_text()) == [("a", "1")]
    assert inode == path.stat().st_ino
    assert guard.tampered() == ()


def test_overwritten_file_is_put_back(path: Path) -> None:
    """
    Content from before us comes back when somebody shortens or changes it.
    """
    path.write_text("before=1\n")
    guard = FileGuard({"GITHUB_STATE": path})
    path.write_text("before=2\n")

    assert [item.is_restored for item in guard.tampered()] == [True]
    assert path.read_text() == "before=1\n"


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "missing"])
def test_replaced_file_is_made_anew(path: Path, tmp_path: Path, kind: str) -> None:
    """
    Our file comes back in place of another, and what a link leads to is left alone.
    """
    write_outputs(path, {"a": "1"})
    expected = path.read_bytes()
    guard = FileGuard({"GITHUB_OUTPUT": path})
    other = tmp_path / "other"
    other.write_text("precious")
    path.unlink()
    if kind == "link":
        path.symlink_to(other)
    elif kind == "hard link":
        path.hardlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)

    assert [item.is_restored for item in guard.tampered()] == [True]
    assert expected == path.read_bytes()
    assert path.is_file()
    assert not path.is_symlink()
    assert other.read_text() == "precious"


def test_file_that_cannot_be_put_back_is_reported(path: Path) -> None:
    """
    A folder in place of the file stays, and the guard says so.
    """
    guard = FileGuard({"GITHUB_OUTPUT": path})
    path.unlink()
    (path / "inside").mkdir(parents=True)

    assert [item.is_restored for item in guard.tampered()] == [False]


def test_missing_file_is_expected_to_stay_empty(tmp_path: Path) -> None:
    """
    A file that nobody made is no tampering; one that appears is.
    """
    path = tmp_path / "add_path_1"
    guard = FileGuard({"GITHUB_PATH": path})
    before = guard.tampered()
    path.write_text("/evil\n")

    assert before == ()
    assert [item.is_restored for item in guard.tampered()] == [True]
    assert path.read_bytes() == b""
