"""
The rooms of attempts.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.folders import needs_root, nobody, picture, rooms, tools

from reliability.choices import Isolation
from reliability.engine.tools import ToolError
from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.engine.workspace import Rooms

NOBODY = 65534


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Make a folder the place for temporary files.
    """
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """
    A workspace with a file and a folder.
    """
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("text", encoding="utf-8")
    (folder / "sub" / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "sub" / "run").chmod(0o755)
    return folder


def test_a_room_is_new_private_and_gone_afterwards(
    temporary: Path, workspace: Path
) -> None:
    """
    What an attempt leaves in its room is not there for the next one.
    """
    with rooms(workspace) as opened:
        with opened.open_room() as stay:
            room = stay.room
            (room.home / "left").write_text("secret", encoding="utf-8")
            (room.workspace / "left").write_text("secret", encoding="utf-8")

            assert 0o700 == room.home.stat().st_mode & 0o777
        assert not room.home.exists()
        with opened.open_room() as other:
            assert ["file", "sub"] == names_in(other.room.workspace)
            assert ["work"] == names_in(other.room.home)

    assert [] == list(temporary.iterdir())


def test_a_copy_is_as_the_workspace_is(workspace: Path) -> None:
    """
    With its content, modes, times and links.
    """
    (workspace / "link").symlink_to("file")
    os.utime(workspace / "file", ns=(1, 1_000_000_007))
    (workspace / "sub").chmod(0o500)
    with rooms(workspace) as opened, opened.open_room() as stay:
        assert picture(workspace) == picture(stay.room.workspace)
        assert workspace.name == stay.room.workspace.name


def test_trials_one_after_the_other_work_in_the_same_place(workspace: Path) -> None:
    """
    The path stands in the prompt of Claude Code: the same path, the same cache.
    """
    with rooms(workspace) as opened:
        places = []
        for _ in range(3):
            with opened.open_room() as stay:
                places.append(stay.room.workspace)

    assert 1 == len(set(places))


def test_rooms_at_the_same_time_are_apart(workspace: Path) -> None:
    """
    The number that becomes free is the next to be taken.
    """
    with rooms(workspace) as opened, opened.open_room() as first:
        with opened.open_room() as second:
            (second.room.workspace / "file").write_text("2", encoding="utf-8")
            with opened.open_room() as third:
                homes = [stay.room.home.name for stay in (first, second, third)]

                assert ["1", "2", "3"] == homes
                assert "text" == (third.room.workspace / "file").read_text()
        with opened.open_room() as again:
            assert "2" == again.room.home.name


def test_what_cannot_be_removed_is_no_room_for_others(workspace: Path) -> None:
    """
    A number whose folder is still there is passed over.
    """
    with rooms(workspace) as opened:
        with opened.open_room() as stay:
            base = stay.room.home.parent
        (base / "1").mkdir()
        with opened.open_room() as other:
            assert "2" == other.room.home.name


def test_without_isolation_the_agent_works_in_the_workspace(workspace: Path) -> None:
    """
    With a home of its own all the same; nothing is copied.
    """
    with (
        rooms(workspace, isolation=Isolation.NONE) as opened,
        opened.open_room() as stay,
    ):
        assert workspace == stay.room.workspace
        assert [] == list(stay.room.home.iterdir())
        assert stay.origin is None


@needs_root
def test_a_room_for_another_user_lets_that_user_in_where_it_may(
    workspace: Path,
) -> None:
    """
    Its folder belongs to it; the room around it and what is copied belong to us.
    """
    with (
        rooms(workspace, user=nobody()) as opened,
        opened.open_room() as stay,
    ):
        stay.open_door()
        base = stay.room.home.parent
        owners = {entry.lstat().st_uid for entry in stay.room.workspace.rglob("*")} | {
            stay.room.workspace.stat().st_uid
        }

        assert {NOBODY} == owners
        assert (0, 0o711) == mode_of(stay.room.home)
        assert (0, 0o711) == mode_of(base)
        assert (0, 0o700) == mode_of(base / "origin")
        done = as_nobody(
            f"ls {base} {base}/1 {base}/origin; mv {base}/1/work {base}/1/x"
        )
        assert 4 == done.stderr.count("denied")
        done = as_nobody(
            "echo more >> file; echo new > sub/new; cat file", stay.room.workspace
        )
        assert (0, "textmore\n") == (done.returncode, done.stdout)
        stay.leftovers()
        assert (0, 0o700) == mode_of(stay.room.home)


def names_in(folder: Path) -> list[str]:
    """
    Return the names of what is in a folder.
    """
    return sorted(entry.name for entry in folder.iterdir())


def mode_of(folder: Path) -> tuple[int, int]:
    """
    Return owner and mode.
    """
    status = folder.stat()
    return status.st_uid, status.st_mode & 0o777


def as_nobody(script: str, cwd: Path = Path("/")) -> subprocess.CompletedProcess[str]:
    """
    Run a shell script as that user.
    """
    return subprocess.run(
        ["/bin/sh", "-c", script],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd=cwd,
        text=True,
        capture_output=True,
        check=False,
        timeout=10,
    )


@pytest.fixture
def ordinary_user(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    Become a user whom permissions stop, with a place for temporary files.
    """
    # Not below pytest's own folders, which are closed to others.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        monkeypatch.setattr("tempfile.tempdir", name)
        is_root = os.geteuid() == 0
        Path(name).chmod(0o777)
        if is_root:
            # What is imported late may lie where this user cannot read it.
            importlib.import_module("ctypes")
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        try:
            (Path(name) / "project").mkdir()
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)
                os.setegid(0)


def test_a_room_goes_although_it_forbids_it(ordinary_user: Path) -> None:
    """
    What an attempt made read-only, such as a cache of modules, is removed as well.
    """
    with rooms(ordinary_user / "project") as opened:
        with opened.open_room() as stay:
            for mode, top in ((0o500, "cache"), (0o000, "closed")):
                folder = stay.room.workspace / top
                (folder / "a").mkdir(parents=True)
                (folder / "a" / "file").write_text("x", encoding="utf-8")
                for place in (folder / "a" / "file", folder / "a", folder):
                    place.chmod(mode)

        assert not stay.room.home.exists()
    assert ["project"] == names_in(ordinary_user)


def test_what_a_room_links_to_keeps_its_rights_and_files(ordinary_user: Path) -> None:
    """
    A link to a folder outside is removed, never followed.
    """
    outside = ordinary_user / "outside"
    outside.mkdir()
    (outside / "file").write_text("x", encoding="utf-8")
    outside.chmod(0o500)
    with rooms(ordinary_user / "project") as opened, opened.open_room() as stay:
        folder = stay.room.workspace / "a"
        folder.mkdir()
        (folder / "link").symlink_to(outside)
        folder.chmod(0o500)

    assert not stay.room.home.exists()
    assert 0o500 == outside.stat().st_mode & 0o777
    assert (outside / "file").exists()


def test_a_run_without_rooms_makes_no_folder(temporary: Path, workspace: Path) -> None:
    """
    Backends that need no room cost none.
    """
    with rooms(workspace):
        assert [] == list(temporary.iterdir())


def test_a_workspace_that_cannot_be_copied_stops_the_run_at_the_second_try(
    tmp_path: Path,
) -> None:
    """
    The first may have met a file that came or went; the second says what to do.
    """
    with rooms(tmp_path / "gone") as opened:
        with pytest.raises((ToolError, OSError)), opened.open_room():
            pass
        with (
            pytest.raises(AgentSetupError, match="cannot be copied"),
            opened.open_room(),
        ):
            pass


def test_a_cancel_ends_a_copy(workspace: Path) -> None:
    """
    Large workspaces take long, and a cancelled run has little time.
    """
    cancel = threading.Event()
    cancel.set()
    with (
        rooms(workspace, tools=tools(cancel)) as opened,
        pytest.raises(ToolError),
        opened.open_room(),
    ):
        pass


def test_temporary_files_inside_the_workspace_are_not_copied(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A copy that held itself would have no end.
    """
    (workspace / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(workspace / "tmp"))
    with rooms(workspace) as opened, opened.open_room() as stay:
        assert [] == list((stay.room.workspace / "tmp").iterdir())


def test_rooms_that_open_at_once_leave_nothing_behind(
    temporary: Path, workspace: Path
) -> None:
    """
    The first rooms of a parallel run share one base and one origin.
    """
    count = 6
    homes: list[str] = []
    for _ in range(3):
        start = threading.Barrier(count)
        homes.clear()
        with rooms(workspace) as opened:

            def enter(opened: Rooms = opened, start: threading.Barrier = start) -> None:
                """
                Open a room at the same time as all others.
                """
                start.wait()
                with opened.open_room() as stay:
                    homes.append(stay.room.home.name)
                    start.wait()

            threads = [threading.Thread(target=enter) for _ in range(count)]
            before_s = sys.getswitchinterval()
            sys.setswitchinterval(1e-6)
            try:
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            finally:
                sys.setswitchinterval(before_s)

        assert sorted(map(str, range(1, count + 1))) == sorted(homes)
    assert [] == list(temporary.iterdir())
