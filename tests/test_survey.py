"""
What an agent left behind: found, bounded, and told.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.folders import needs_root, tools
from hypothesis import given, strategies as st

from reliability.engine import survey
from reliability.engine.leftovers import (
    DIFF_CAP_BYTES,
    MAX_NAMES,
    describe_leftovers,
    printable,
)
from reliability.engine.survey import Survey, survey_tree
from reliability.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OLD = {"a": "one\ntwo\n", "b": "b", "d/e": "e", "d/f/g": "g", "big": "x" * 2_000_000}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    Hold an origin, and a tree that was copied from it.
    """
    for name, text in OLD.items():
        place = tmp_path / "origin" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    (tmp_path / "origin" / "link").symlink_to("a")
    shutil.copytree(tmp_path / "origin", tmp_path / "tree", symlinks=True)
    (tmp_path / "marker").touch()
    return tmp_path


def look(folder: Path, **changes: Any) -> Survey:
    """
    Survey the tree; whatever was done since the copy is the agent's doing.
    """
    usual: dict[str, Any] = {
        "owner_uid": os.geteuid(),
        "began_ns": (folder / "marker").stat().st_ctime_ns,
    }
    return survey_tree(folder / "tree", folder / "origin", **usual | changes)


def told(folder: Path, redact: Callable[[str], str] = str) -> Mapping[str, Any]:
    """
    Return the evidence for the log.
    """
    return describe_leftovers(
        look(folder), folder / "origin", tools=tools(), redact=redact
    )


def test_nothing_is_told_of_an_agent_that_changed_nothing(folder: Path) -> None:
    """
    Reading, touching and writing the same is no change.
    """
    (folder / "tree" / "a").read_bytes()
    (folder / "tree" / "b").touch()
    (folder / "tree" / "d" / "e").write_text("e", encoding="utf-8")
    (folder / "tree" / "x").touch()
    (folder / "tree" / "x").unlink()

    assert {} == told(folder)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda top: (top / "new").touch(), ("new", "", "")),
        (lambda top: (top / "a").write_text("1"), ("", "a", "")),
        (lambda top: (top / "a").write_text("ONE\ntwo\n"), ("", "a", "")),
        (lambda top: (top / "a").chmod(0o755), ("", "a", "")),
        (lambda top: (top / "a").unlink(), ("", "", "a")),
        (lambda top: shutil.rmtree(top / "d"), ("", "", "d/")),
        (lambda top: (top / "n" / "m").mkdir(parents=True), ("n/ n/m/", "", "")),
        (lambda top: (top / "a").rename(top / "c"), ("c", "", "a")),
        (lambda top: swap(top / "a", top / "b"), ("", "a b", "")),
        (lambda top: relink(top / "link", "b"), ("", "link", "")),
        (lambda top: relink(top / "link", "a"), ("", "", "")),
        (lambda top: relink(top / "a", "/etc/passwd"), ("", "a", "")),
        (lambda top: to_folder(top / "a"), ("a/in", "a/", "")),
        (lambda top: to_file(top / "d"), ("", "d", "")),
        (lambda top: (top / "big").write_text("y" * 2_000_000), ("", "big", "")),
        (lambda top: os.truncate(top / "big", 2_000_001), ("", "big", "")),
        (lambda top: os.utime(top / "a", ns=(0, 0)), ("", "", "")),
        (lambda top: back_dated(top / "a"), ("", "a", "")),
    ],
)
def test_every_kind_of_change_is_found(
    act: Callable[[Path], object], expected: tuple[str, str, str], folder: Path
) -> None:
    """
    By the names of what was added, changed and removed.
    """
    act(folder / "tree")
    found = look(folder)
    names = (found.added, found.changed, found.removed)

    assert expected == tuple(b" ".join(sorted(each)).decode() for each in names)


def swap(one: Path, other: Path) -> None:
    """
    Exchange two files without writing to either.
    """
    one.rename(one.with_name("tmp"))
    other.rename(one)
    one.with_name("tmp").rename(other)


def relink(place: Path, target: str) -> None:
    """
    Put a link in the place of what is there.
    """
    place.unlink()
    place.symlink_to(target)


def to_folder(place: Path) -> None:
    """
    Put a folder in the place of a file.
    """
    place.unlink()
    place.mkdir()
    (place / "in").touch()


def to_file(place: Path) -> None:
    """
    Put a file in the place of a folder.
    """
    shutil.rmtree(place)
    place.touch()


def back_dated(place: Path) -> None:
    """
    Change a file and set its times back: size and time are as they were.
    """
    before = place.stat()
    place.write_text("TWO\none\n", encoding="utf-8")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_was_done_before_the_agent_began_is_not_its_doing(folder: Path) -> None:
    """
    The user's set-up adds, changes and removes; the agent's part is told apart.
    """
    tree = folder / "tree"
    for name in ("lib/kept", "lib/edited", "lib/gone"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("installed", encoding="utf-8")
    (tree / "b").write_text("set up", encoding="utf-8")
    (tree / "a").write_text("set up", encoding="utf-8")
    before = look(folder)
    (tree / "lib" / "edited").write_text("edited", encoding="utf-8")
    (tree / "lib" / "gone").unlink()
    (tree / "a").write_text("agent", encoding="utf-8")
    (tree / "own").write_text("agent", encoding="utf-8")
    found = look(folder, known=before.ctimes_ns)

    assert {b"own"} == found.added
    assert {b"a", b"lib/edited"} == found.changed
    assert {b"lib/gone"} == found.removed


def test_a_diff_shows_what_was_written(folder: Path) -> None:
    """
    As diff -u does; a file that is new is compared with nothing.
    """
    (folder / "tree" / "a").write_text("one\n2\n", encoding="utf-8")
    (folder / "tree" / "new").write_text("line", encoding="utf-8")
    (folder / "tree" / "binary").write_bytes(b"a\0b")
    (folder / "tree" / "big").write_text("small", encoding="utf-8")
    evidence = told(folder)

    assert (
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
        "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+line\n"
        "\\ No newline at end of file\n"
    ) == evidence["diff"]
    assert ["binary", "new"] == evidence["added"]
    assert ["a", "big"] == evidence["changed"]


def test_names_and_diff_are_capped(folder: Path) -> None:
    """
    The log stays small, and says how much is not in it.
    """
    for number in range(MAX_NAMES + 50):
        line = f"{number:03} " * 300
        (folder / "tree" / f"n{number:03}").write_text(line, encoding="utf-8")
    evidence = told(folder)

    assert MAX_NAMES == len(evidence["added"])
    assert 50 == evidence["left_out"]
    assert len(evidence["diff"].encode()) < DIFF_CAP_BYTES + 200
    assert evidence["diff"].endswith("[the rest is left out]\n")


def test_secrets_are_in_neither_names_nor_diff(folder: Path) -> None:
    """
    Redacted before anything is cut.
    """
    secret = "hush-hush-hush"
    (folder / "tree" / f"is {secret}").write_text(f"it is {secret}", encoding="utf-8")
    evidence = told(folder, Redactor([secret]).text)

    assert ["is [redacted]"] == evidence["added"]
    assert "it is [redacted]" in evidence["diff"]
    assert secret not in str(evidence)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain", "plain"),
        ("Grüße".encode(), "Grüße"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"a\nb\tc", "a\\nb\\tc"),
        (b"\x1b[31m", "\\u001b[31m"),
        ("\u202egnp".encode(), "\\u202egnp"),
        (b"x" * 600, "x" * 500 + "..."),
    ],
)
def test_odd_names_are_one_line_of_text(name: bytes, shown: str) -> None:
    """
    Whatever a file system takes as a name.
    """
    assert shown == printable(name)


@given(st.binary(min_size=1, max_size=50))
def test_any_name_can_be_shown(name: bytes) -> None:
    """
    On one line, and as UTF-8.
    """
    text = printable(name)

    assert 1 == len(text.splitlines() or [""])
    assert text.isprintable()
    text.encode("utf-8")


def test_odd_names_survive_in_the_evidence(folder: Path) -> None:
    """
    Names that are no UTF-8, with newlines, or that look like an option of diff.
    """
    tree = os.fsencode(folder / "tree")
    for name in (b"\xff", b"a\nb", b"--help", b"-"):
        Path(os.fsdecode(tree + b"/" + name)).write_text("x\n", encoding="utf-8")
    evidence = told(folder)

    assert ["-", "--help", "a\\nb", "\\xff"] == evidence["added"]
    assert 4 == evidence["diff"].count("+x\n")
    assert "+++ b/\\xff\n" in evidence["diff"]


def test_a_link_is_never_followed(folder: Path) -> None:
    """
    Neither for what it leads to nor into a folder.
    """
    (folder / "outside").mkdir()
    (folder / "outside" / "secret").write_text("secret", encoding="utf-8")
    relink(folder / "tree" / "a", str(folder / "outside" / "secret"))
    shutil.rmtree(folder / "tree" / "d")
    (folder / "tree" / "d").symlink_to(folder / "outside")
    (folder / "tree" / "loop").symlink_to(".")
    evidence = told(folder)

    assert ["a", "d"] == evidence["changed"]
    assert ["loop"] == evidence["added"]
    assert "" == evidence["diff"]


def test_special_files_are_named_and_not_opened(folder: Path) -> None:
    """
    A FIFO would make a reader wait for ever.
    """
    os.mkfifo(folder / "tree" / "pipe")
    (folder / "tree" / "a").unlink()
    os.mkfifo(folder / "tree" / "a")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder / "tree")
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    evidence = told(folder)

    assert ["pipe", "socket"] == evidence["added"]
    assert ["a"] == evidence["changed"]


@needs_root
def test_a_hard_link_to_a_file_of_others_is_not_read(folder: Path) -> None:
    """
    Root could read it for the agent, into a log that the agent's author can read.
    """
    secret = folder / "secret"
    secret.write_text("secret of root", encoding="utf-8")
    os.link(secret, folder / "tree" / "linked")
    found = look(folder, owner_uid=12345)

    assert {b"linked"} == found.added
    assert {} == found.texts


def test_a_file_without_end_costs_nothing(folder: Path) -> None:
    """
    A sparse TiB is named; only small files are read.
    """
    with (folder / "tree" / "sparse").open("wb") as file:
        try:
            file.truncate(2**40)
        except OSError:
            file.truncate(2**33)
    found = look(folder)

    assert {b"sparse"} == found.added
    assert {} == found.texts


@pytest.mark.parametrize("entries", [10, 100])
def test_too_many_entries_end_the_search(
    entries: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In one folder or in many; it says so.
    """
    monkeypatch.setattr(survey, "MAX_ENTRIES", 50)
    for number in range(0, 1000, entries):
        (folder / "tree" / f"n{number}").mkdir()
        for inner in range(entries):
            (folder / "tree" / f"n{number}" / str(inner)).touch()
    found = look(folder)

    assert "more than 50 entries" == found.incomplete
    assert len(found.added) <= 50
    assert told(folder)["incomplete"]


def test_folders_without_end_are_entered_so_far_and_no_further(folder: Path) -> None:
    """
    Each level costs an open file; a machine has only so many.
    """
    below = folder / "tree"
    for _ in range(survey.MAX_DEPTH + 20):
        below /= "n"
        below.mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = look(folder)

    assert "folders below 64 others" == found.incomplete
    assert survey.MAX_DEPTH + 1 == len(found.added)
    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_reading_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Past the total, files are judged by size and time alone.
    """
    monkeypatch.setattr(survey, "READ_TOTAL_BYTES", 10)
    (folder / "tree" / "a").write_text("one\nTWO\n", encoding="utf-8")
    (folder / "tree" / "b").write_text("bb" * 10, encoding="utf-8")
    (folder / "tree" / "d" / "e").touch()
    found = look(folder)

    assert {b"a", b"b", b"d/e"} >= found.changed >= {b"a", b"b"}
    assert {b"a"} == set(found.texts)


def test_a_folder_that_changes_meanwhile_leads_nowhere(folder: Path) -> None:
    """
    A link put in the place of a folder is not walked through, also in between.
    """
    outside = folder / "outside"
    (outside / "f").mkdir(parents=True)
    (outside / "f" / "secret").write_text("secret", encoding="utf-8")
    tree = folder / "tree"
    stop = threading.Event()

    def flip() -> None:
        """
        Exchange the folder and a link to one outside, again and again.
        """
        while not stop.is_set():
            (tree / "d").rename(tree / "was")
            (tree / "d").symlink_to(outside)
            (tree / "d").unlink()
            (tree / "was").rename(tree / "d")

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        found = [look(folder) for _ in range(200)]
    finally:
        stop.set()
        thread.join()

    assert not any(b"secret" in path for each in found for path in each.added)
    assert not any(b"secret" in text for each in found for text in each.texts.values())


def test_a_comparison_that_takes_too_long_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The file is still named.
    """
    monkeypatch.setattr("reliability.engine.leftovers._DIFF_TIMEOUT_S", 0.0)
    (folder / "tree" / "a").write_text("1", encoding="utf-8")
    evidence = told(folder)

    assert ["a"] == evidence["changed"]
    assert evidence["diff"].startswith("[no diff of a: diff: stopped at the time limit")


def test_a_write_through_a_mapping_is_found(folder: Path) -> None:
    """
    The kernel sets the ctime for it as well, on a disk and in memory.
    """
    program = (
        "import mmap, sys; file = open(sys.argv[1], 'r+b');"
        "memory = mmap.mmap(file.fileno(), 0); memory[0] = 88"
    )
    place = folder / "tree" / "a"
    subprocess.run(["python3", "-c", program, str(place)], check=True, timeout=20)

    assert stat.S_ISREG(place.stat().st_mode)
    assert {b"a"} == look(folder).changed
