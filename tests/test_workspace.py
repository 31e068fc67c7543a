"""
The folders of attempts.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reliability.engine.workspace import Rooms

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Make *tmp_path* the place for temporary files.
    """
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_room_is_new_private_and_gone_afterwards(temporary: Path) -> None:
    """
    What an attempt leaves in its room is not there for the next one.
    """
    rooms = Rooms()
    with rooms.open_room("r-1-1") as room:
        (room / "left").write_text("secret", encoding="utf-8")
        mode = room.stat().st_mode & 0o777

        assert 0o700 == mode
    with rooms.open_room("r-1-2") as other:
        assert [] == list(other.iterdir())
    rooms.close()

    assert not room.exists()
    assert [] == list(temporary.iterdir())


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
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)


def test_a_room_goes_although_it_forbids_it(ordinary_user: Path) -> None:
    """
    What an attempt made read-only, such as a cache of modules, is removed as well.
    """
    rooms = Rooms()
    with rooms.open_room("r-1-1") as room:
        for mode, top in ((0o500, room / "cache"), (0o000, room / "closed")):
            (top / "a").mkdir(parents=True)
            (top / "a" / "file").write_text("x", encoding="utf-8")
            for place in (top / "a" / "file", top / "a", top):
                place.chmod(mode)

    assert not room.exists()
    rooms.close()
    assert [] == list(ordinary_user.iterdir())


def test_what_a_room_links_to_keeps_its_rights_and_files(ordinary_user: Path) -> None:
    """
    A link to a folder outside is removed, never followed.
    """
    outside = ordinary_user / "outside"
    outside.mkdir()
    (outside / "file").write_text("x", encoding="utf-8")
    outside.chmod(0o500)
    rooms = Rooms()
    with rooms.open_room("r-1-1") as room:
        (room / "a").mkdir()
        (room / "a" / "link").symlink_to(outside)
        (room / "a").chmod(0o500)
    rooms.close()

    assert not room.exists()
    assert 0o500 == outside.stat().st_mode & 0o777
    assert (outside / "file").exists()


def test_a_run_without_rooms_makes_no_folder(temporary: Path) -> None:
    """
    Backends that need no room cost none.
    """
    Rooms().close()

    assert [] == list(temporary.iterdir())


def test_rooms_that_open_at_once_leave_nothing_behind(temporary: Path) -> None:
    """
    The first rooms of a parallel run share one base, which `close` removes.
    """
    count = 8
    for _ in range(20):
        rooms = Rooms()
        start = threading.Barrier(count)

        def enter(
            number: int, rooms: Rooms = rooms, start: threading.Barrier = start
        ) -> None:
            """
            Open a room at the same time as all others.
            """
            start.wait()
            with rooms.open_room(f"r-{number}"):
                pass

        threads = [threading.Thread(target=enter, args=(n,)) for n in range(count)]
        before_s = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before_s)
        rooms.close()

    assert [] == list(temporary.iterdir())
