"""
The lock on a log: one writer at a time, for as long as it lives.

`flock` on the log's own descriptor. The kernel frees it when the last copy of the
descriptor is closed, so a killed writer leaves none behind and nothing has to be
cleaned up. Not `lockf`: a POSIX lock is lost when any other descriptor of the file
is closed in the process. The lock is never released by `LOCK_UN`, since a forked
child doing that would free it for all; closing is enough.

Who holds it is read from `/proc/locks`, so it cannot be out of date; across
containers the kernel does not tell, and the message says so.
"""

from __future__ import annotations

import fcntl
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import JournalError

if TYPE_CHECKING:
    from reliability.clock import Clock

# A waiting writer looks this often; a trial takes seconds.
POLL_S = 0.01


def take_lock(fd: int, path: Path, *, clock: Clock, wait_s: float = 0.0) -> None:
    """
    Lock the open log, or say who has it.

    Args:
        wait_s: How long to wait for another writer, in steps of 10 ms.

    Raises:
        JournalError: when another writer still has it, or the file system cannot lock.
    """
    polls_left = round(wait_s / POLL_S)
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if polls_left <= 0:
                raise JournalError(
                    f"{path} is in use by {_holder(fd, clock)}.",
                    remedy="Wait until that run has ended, or stop it.",
                ) from error
        except OSError as error:
            raise JournalError(
                f"{path} cannot be locked: {error.strerror}.",
                remedy="Choose a folder on a local file system.",
            ) from error
        else:
            return
        polls_left -= 1
        time.sleep(POLL_S)


def _holder(fd: int, clock: Clock) -> str:
    """
    Return "pid N since ..." of the process that took the lock, as far as is known.
    """
    pid = _holder_pid(fd)
    if pid is None:
        return "another process (perhaps in another container)"
    began = _process_start(pid, clock)
    return f"pid {pid} since {began}" if began else f"pid {pid}"


def _holder_pid(fd: int) -> int | None:
    """
    Find the lock in `/proc/locks` by inode, and by device where that agrees.

    Some file systems (overlay, btrfs) report another device there than `fstat` does,
    so a lock on the same inode number counts when no device matches.
    """
    try:
        table = Path("/proc/locks").read_text()
    except OSError:
        return None
    status = os.fstat(fd)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    pids: dict[bool, int] = {}
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 6 or fields[1] != "FLOCK" or not fields[4].isdigit():
            continue
        place, _, inode = fields[5].rpartition(":")
        if inode == str(status.st_ino) and fields[4] != "0":
            pids.setdefault(place == device, int(fields[4]))
    return pids.get(True, pids.get(False))


def _process_start(pid: int, clock: Clock) -> str:
    """
    Return when a process began, in UTC to the second; empty when it cannot be told.

    Field 22 of `/proc/PID/stat` (proc(5)) counts clock ticks since boot; the name in
    field 2 may hold blanks and brackets, so fields are counted from its last bracket.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        uptime_s = float(Path("/proc/uptime").read_text().split()[0])
        age_s = uptime_s - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return ""
    return f"{clock.now_utc() - timedelta(seconds=age_s):%Y-%m-%d %H:%M:%S} UTC"
