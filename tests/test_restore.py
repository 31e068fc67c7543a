"""
A used copy is made as its origin again, or thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.folders import picture, rooms, tools
from hypothesis import given, settings, strategies as st

from reliability.engine import restore
from reliability.engine.restore import restore_tree
from reliability.engine.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable

DEEDS = [
    *("echo x >> {0}", "rm -rf {0}", "chmod 000 {0}", "chmod 777 {0}", ": > {0}"),
    *("touch -d @1 {0}", "mv {0} moved", "ln -f {0} hard", "ln -sfn /etc {0}"),
    *("mkdir -p {0}/deep/er", "mkfifo {0}.pipe", "truncate -s 1G {0}", "cp a {0}"),
    *("rm -rf {0}; mkdir {0}", "mv a t; mv {0} a; mv t {0}", "touch -h {0}"),
    *("echo x > {0}/new", "rmdir {0}", "touch -r {0} r; echo y > {0}; touch -r r {0}"),
]
PLACES = ["a", "b", "d", "d/e", "d/f", "d/f/g", "link", ".", "new"]


def make_pair(folder: Path) -> int:
    """
    Make an origin and its copy; return the moment from which on deeds count.
    """
    origin = folder / "origin"
    (origin / "d" / "f").mkdir(parents=True)
    for name in ("a", "b", "d/e", "d/f/g"):
        (origin / name).write_text(f"{name}\n", encoding="utf-8")
    (origin / "b").chmod(0o755)
    (origin / "link").symlink_to("a")
    os.utime(origin / "a", ns=(7, 7))
    subprocess.run(["cp", "-a", origin, folder / "tree"], check=True, timeout=20)
    (folder / "marker").touch()
    return (folder / "marker").stat().st_ctime_ns


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, int]:
    """
    A folder with an origin and its copy.
    """
    return tmp_path, make_pair(tmp_path)


def is_restored(pair: tuple[Path, int]) -> bool:
    """
    Restore the copy; tell whether that was done.
    """
    folder, since_ns = pair
    return restore_tree(folder / "tree", folder / "origin", since_ns=since_ns)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(PLACES)), max_size=6))
def test_whatever_was_done_is_undone(deeds: list[tuple[str, str]]) -> None:
    """
    Content, kind, mode, times, links: no trial can tell that there was one before it.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        since_ns = make_pair(folder)
        script = "\n".join(f"({deed.format(place)})" for deed, place in deeds)
        subprocess.run(
            ["sh", "-c", f"{script}\ntrue"],
            cwd=folder / "tree",
            capture_output=True,
            check=True,
            timeout=20,
        )
        done = is_restored((folder, since_ns))

        # Without root, a folder that is closed is left to a fresh copy.
        assert done or os.geteuid() != 0
        assert not done or picture(folder / "origin") == picture(folder / "tree")


def test_attributes_are_as_they_were(pair: tuple[Path, int]) -> None:
    """
    Of files and folders; those that are new are gone.
    """
    folder, _ = pair
    try:
        os.setxattr(folder / "origin" / "a", "user.kept", b"1")
    except OSError:
        pytest.skip("this file system keeps no attributes")
    os.setxattr(folder / "origin" / "d", "user.kept", b"1")
    for place in ("a", "d"):
        os.setxattr(folder / "tree" / place, "user.own", b"2")

    assert is_restored(pair)
    for place in ("a", "d"):
        assert ["user.kept"] == os.listxattr(folder / "tree" / place)
        assert b"1" == os.getxattr(folder / "tree" / place, "user.kept")


def test_a_change_that_hides_is_found(pair: tuple[Path, int]) -> None:
    """
    Same size, same times, written through a mapping.
    """
    folder, _ = pair
    place = folder / "tree" / "d" / "e"
    before = place.stat()
    program = (
        "import mmap, sys; file = open(sys.argv[1], 'r+b');"
        "memory = mmap.mmap(file.fileno(), 0); memory[0] = 88"
    )
    subprocess.run(["python3", "-c", program, place], check=True, timeout=20)
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert is_restored(pair)
    assert "d/e\n" == place.read_text(encoding="utf-8")


def test_an_open_file_leads_nowhere(pair: tuple[Path, int]) -> None:
    """
    Who kept a descriptor writes to a file that is gone.
    """
    folder, _ = pair
    with (folder / "tree" / "a").open("a", encoding="utf-8") as file:
        file.write("1")
        file.flush()

        assert is_restored(pair)
        file.write("2")
    assert "a\n" == (folder / "tree" / "a").read_text(encoding="utf-8")


def test_links_are_removed_and_never_followed(pair: tuple[Path, int]) -> None:
    """
    Neither to files nor to folders, also in the place of what there was.
    """
    folder, _ = pair
    (folder / "outside").mkdir()
    (folder / "outside" / "kept").touch()
    shutil.rmtree(folder / "tree" / "d")
    (folder / "tree" / "d").symlink_to(folder / "outside")
    (folder / "tree" / "n").mkdir()
    (folder / "tree" / "n" / "l").symlink_to(folder / "outside")
    (folder / "tree" / "a").unlink()
    (folder / "tree" / "a").symlink_to(folder / "outside" / "kept")

    assert is_restored(pair)
    assert picture(folder / "origin") == picture(folder / "tree")
    assert b"" == (folder / "outside" / "kept").read_bytes()


def test_a_folder_that_changes_meanwhile_leads_nowhere(pair: tuple[Path, int]) -> None:
    """
    Whoever exchanges it with a link gets nothing removed or made outside.
    """
    folder, since_ns = pair
    outside = folder / "outside"
    (outside / "f").mkdir(parents=True)
    (outside / "f" / "kept").touch()
    tree = folder / "tree"
    stop = threading.Event()

    def flip() -> None:
        """
        Exchange the folder and a link to one outside, again and again.
        """
        while not stop.is_set():
            try:
                (tree / "d").rename(tree / "was")
                (tree / "d").symlink_to(outside)
                (tree / "d").unlink()
                (tree / "was").rename(tree / "d")
            except OSError:
                (tree / "d").mkdir(exist_ok=True)

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        for _ in range(100):
            restore_tree(tree, folder / "origin", since_ns=since_ns)
    finally:
        stop.set()
        thread.join()

    assert {outside / "f", outside / "f" / "kept"} == set(outside.rglob("*"))


def many(top: Path) -> None:
    """
    Make more than is undone one by one.
    """
    for number in range(restore.MAX_ACTIONS + 1):
        (top / f"n{number}").touch()


def deep(top: Path) -> None:
    """
    Make folders deeper than is looked at.
    """
    for _ in range(1200):
        top /= "n"
        top.mkdir()


@pytest.mark.parametrize(
    "act",
    [
        many,
        deep,
        lambda top: os.truncate(top.parent / "origin" / "a", restore.MAX_BYTES + 1),
        lambda top: os.link(top.parent / "origin" / "a", top.parent / "second"),
    ],
)
def test_what_is_unusual_is_left_to_a_fresh_copy(
    act: Callable[[Path], None], pair: tuple[Path, int]
) -> None:
    """
    Thousands of changes, endless folders, hard links, large files.
    """
    folder, _ = pair
    (folder / "tree" / "a").write_text("touched", encoding="utf-8")
    act(folder / "tree")

    assert not is_restored(pair)
    if act is deep:  # pytest would not get to its end.
        subprocess.run(["rm", "-rf", folder / "tree"], check=True, timeout=20)


def test_a_copy_is_used_again_and_nobody_can_tell(tmp_path: Path) -> None:
    """
    The next room has the same tree, as new; a tree that was mangled is made afresh.
    """
    workspace = tmp_path / "project"
    (workspace / "sub").mkdir(parents=True)
    (workspace / "file").write_text("text", encoding="utf-8")
    inodes = []
    with rooms(workspace) as opened:
        for act in (lambda _: None, lambda top: (top / "file").unlink(), many, many):
            with opened.open_room() as stay:
                stay.open_door()
                top = stay.room.workspace

                assert picture(workspace) == picture(top)
                inodes.append((top / "sub").stat().st_ino)
                act(top)

    assert inodes[0] == inodes[1] == inodes[2]


class SetClock:
    """
    A clock whose wall time a test sets.
    """

    def __init__(self) -> None:
        self.wall_s = 1_000_000.0

    def now_utc(self) -> datetime:
        """
        Return what was set.
        """
        return datetime.fromtimestamp(self.wall_s, UTC)

    def monotonic_s(self) -> float:
        """
        Return always the same.
        """
        return 1000.0


@pytest.mark.parametrize(("step_s", "is_kept"), [(-3600, False), (0, True), (60, True)])
def test_a_wall_clock_that_was_set_back_leaves_no_copy_to_use_again(
    step_s: float, is_kept: bool, tmp_path: Path
) -> None:
    """
    What was touched after it would look older than the copy.
    """
    clock = SetClock()
    clocked = Tools(
        {"PATH": os.environ["PATH"]}, name="t", clock=clock, cancel=tools().cancel
    )
    (tmp_path / "project").mkdir()
    with rooms(tmp_path / "project", tools=tools()) as opened:
        with opened.open_room() as stay:
            stay.open_door()
            # As if the run's clock were this one.
            stay._tools, before_s = clocked, clocked.wall_lead_s()
            stay._wall_lead_s = before_s
            clock.wall_s += step_s

        assert is_kept == bool(opened._spares)
