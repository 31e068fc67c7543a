"""
The folders of attempts.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from reliability.engine.workspace import Rooms

if TYPE_CHECKING:
    from pathlib import Path


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
