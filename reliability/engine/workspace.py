"""
A fresh folder for each attempt, for HOME and temporary files.

What one attempt leaves there cannot help the next to pass. The folder is outside the
workspace and is gone when the attempt has been read.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import contextmanager
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
            shutil.rmtree(room, ignore_errors=True)

    def close(self) -> None:
        """
        Remove whatever is left.
        """
        if self._base is not None:
            shutil.rmtree(self._base, ignore_errors=True)
