"""
Group commit: one thread syncs the log to disk, off the path of those who append.

A write costs microseconds and survives the death of this process. Surviving a power
cut takes an `fsync`, which costs milliseconds. So an append only marks the log as
dirty; the thread syncs whatever has been written so far, rests for `REST_S`, and
begins again when more came meanwhile. The first line after a quiet moment is synced at
once; in a busy log a line waits for the sync under way and that rest, no longer.

Trade-off: on a fast disk the rest is longer than a sync. Without it a run of quick
trials syncs thousands of times a second, each for a tenth of a millisecond of CPU.

A failed `fsync` is never repeated: the kernel may have dropped the pages, and a
second call could report success for data that is gone (wiki.postgresql.org,
Fsync_Errors). The failure is kept, and the log takes no more lines.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from reliability.journal.files import fsync_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


REST_S = 0.01
"""Rest between two syncs: as much as a power cut may take of a busy log beside the sync
under way; a slow disk's own sync takes as long."""


class GroupCommit:
    """
    The syncing thread of one log.

    Args:
        fd: The log's descriptor; it must stay open until `finish` has returned.
        fsync: What makes a descriptor's data last.
    """

    def __init__(self, fd: int, fsync: Callable[[int], None]) -> None:
        self.failure: Exception | None = None
        self._fd = fd
        self._fsync = fsync
        self._first: deque[Path] = deque()
        self._dirty = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="journal-sync", daemon=True
        )
        self._thread.start()

    def mark(self) -> None:
        """
        Ask for a sync of everything written so far; return at once.
        """
        # A set flag means that the next sync has not begun: it will cover this line.
        if not self._dirty.is_set():
            self._dirty.set()

    def sync_first(self, path: Path) -> None:
        """
        Have *path* synced before the next lines, which refer to it; return at once.
        """
        self._first.append(path)

    def finish(self) -> None:
        """
        Sync a last time and end the thread; later calls do nothing.

        Whether it worked is in `failure`.
        """
        self._stopping.set()
        self._dirty.set()
        self._thread.join()

    def _run(self) -> None:
        """
        Sync whenever there is something to sync, until told to stop or a sync fails.
        """
        while True:
            self._dirty.wait()
            self._dirty.clear()
            stopping = self._stopping.is_set()
            try:
                self._sync()
            except Exception as error:  # noqa: BLE001 - whatever ends the syncing must end the log
                self.failure = error
                return
            if stopping:
                return
            self._stopping.wait(REST_S)

    def _sync(self) -> None:
        """
        Sync the files that lines refer to, then the lines.
        """
        while self._first:
            fsync_path(self._first.popleft(), self._fsync)
        self._fsync(self._fd)
