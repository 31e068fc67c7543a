"""
A fresh folder for each attempt, for HOME and temporary files.

What one attempt leaves there cannot help the next to pass. The folder is outside the
workspace and is gone when the attempt has been read, also when the attempt took its
own right to write there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Rooms:
    """
    Folders below one temporary folder of the run; made when first asked for.
    """

    def __init__(self) -> None:
        self._base: Path | None = None
        self._lock = threading.Lock()

    @contextmanager
    def open_room(self, cookie: str) -> Iterator[Path]:
        """
        Make a folder that nobody else can read, and remove it at the end.

        Args:
            cookie: Unique in the run; part of the name.
        """
        with self._lock:
            if self._base is None:
                self._base = Path(tempfile.mkdtemp(prefix="reliability-"))
        room = self._base / cookie
        room.mkdir(mode=0o700)
        try:
            yield room
        finally:
            remove_tree(room)

    def close(self) -> None:
        """
        Remove whatever is left.
        """
        if self._base is not None:
            remove_tree(self._base)


def remove_tree(folder: Path) -> None:
    """
    Remove *folder* as far as we may; folders that forbid it are opened up first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir():
        _open_up(folder)
        for parent, names, _ in os.walk(folder):
            for name in names:
                _open_up(Path(parent, name))
        shutil.rmtree(folder, ignore_errors=True)


def _open_up(folder: Path) -> None:
    """
    Give ourselves all rights to one folder; a link to one is left alone.
    """
    with suppress(OSError):
        # Linux cannot chmod without following links, but it can open without.
        fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.chmod(f"/proc/self/fd/{fd}", 0o700)  # noqa: PTH101 - no path of ours
        finally:
            os.close(fd)
