"""
Open a log for its one writer: a new one, or one whose run was interrupted.

Everything that can be wrong with the place of a log is found here, before any agent
is called: a folder that cannot be made or written, a link or FIFO in its place, a
second writer, damage, a log that was finished.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from reliability.errors import JournalError
from reliability.journal.files import (
    fsync_path,
    make_directory,
    network_warnings,
    open_regular,
)
from reliability.journal.lock import take_lock
from reliability.journal.name import log_name, run_id_from_name
from reliability.journal.tail import Position
from reliability.journal.verify import mend, refuse_finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reliability.clock import Clock


class OpenedLog(NamedTuple):
    """
    A log that is open and locked for this process.

    Args:
        warnings: A sentence for each doubt about its place or state.
    """

    fd: int
    path: Path
    run_id: str
    end: Position
    warnings: tuple[str, ...]


def open_new(
    directory: Path,
    *,
    base_name: str,
    run_id: str,
    clock: Clock,
    fsync: Callable[[int], None],
) -> OpenedLog:
    """
    Create a log exclusively and make its entry last.

    Raises:
        JournalError: when its names cannot be a file's, the file exists, or the folder
            cannot be made or written; nothing is left behind then.
    """
    path = directory.absolute() / log_name(base_name, run_id, clock.now_utc())
    try:
        make_directory(path.parent, fsync)
    except OSError as error:
        raise _no_folder(path.parent, error) from error
    fd = open_regular(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)
    try:
        take_lock(fd, path, clock=clock)
        fsync_path(path.parent, fsync)
        warnings = network_warnings(path)
    except BaseException as error:
        path.unlink(missing_ok=True)
        os.close(fd)
        if isinstance(error, OSError):
            raise _no_folder(path.parent, error) from error
        raise
    return OpenedLog(fd, path, run_id, Position(1, 0, hashlib.sha256()), warnings)


def open_again(
    path: Path, *, clock: Clock, wait_s: float, fsync: Callable[[int], None]
) -> OpenedLog:
    """
    Open a log that was not finished, cut its torn tail, and find its end.

    Raises:
        JournalError: when the log is in use, was locked, is damaged, or is not a
            regular file.
    """
    path = path.absolute()
    refuse_finished(path)
    fd = open_regular(path, os.O_RDWR | os.O_APPEND)
    try:
        take_lock(fd, path, clock=clock, wait_s=wait_s)
        scan, copy = mend(fd, path, fsync=fsync)
        run_id = scan.run_id or run_id_from_name(path)
    except BaseException:
        os.close(fd)
        raise
    end = Position(scan.line_count + 1, scan.whole_bytes, scan.digest)
    warnings = network_warnings(path)
    if copy is not None:
        notice = f"The log had a torn tail, cut at byte {scan.whole_bytes}; "
        warnings += (notice + f"the file as it was is kept as {copy}.",)
    return OpenedLog(fd, path, run_id, end, warnings)


def _no_folder(directory: Path, error: OSError) -> JournalError:
    """
    Return the error for a folder that cannot hold a log.
    """
    return JournalError(
        f"cannot make a log in {directory}: {error.strerror}.",
        remedy="Choose an output folder that can be written.",
    )
