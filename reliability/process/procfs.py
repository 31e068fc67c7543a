"""
Read Linux's /proc: which processes are ours, and what tells one from another.

It promises facts as of the moment of reading; a process may be gone right after.
Whatever cannot be read (another user's environment, a kernel without the file, a
system without /proc) is told as None or left out, never raised.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """
    One line of /proc/PID/stat, as proc_pid_stat(5) describes it.

    Args:
        state: One letter; `Z` is dead and not yet reaped.
        session: Process id of its session's leader.
        start_ticks: When it started, in clock ticks since boot.
        policy: Scheduling policy, as in `os.SCHED_OTHER`.
    """

    pid: int
    state: str
    parent_pid: int
    session: int
    start_ticks: int
    policy: int


def parse_stat(raw: bytes) -> Process:
    """
    Parse one /proc/PID/stat; the program's name in it may hold any byte.
    """
    fields = raw[raw.rindex(b")") + 1 :].split()
    return Process(
        pid=int(raw[: raw.index(b" ")]),
        state=fields[0].decode(),
        parent_pid=int(fields[1]),
        session=int(fields[3]),
        start_ticks=int(fields[19]),
        policy=int(fields[38]),
    )


def read_process(pid: int) -> Process | None:
    """
    Read one process; None when it is gone or hidden.
    """
    raw = _read(f"{pid}/stat")
    return parse_stat(raw) if raw else None


def read_variable(pid: int, name: str) -> str | None:
    """
    Read one variable of a process's environment, as it was at its last exec.
    """
    prefix = f"{name}=".encode()
    for entry in (_read(f"{pid}/environ") or b"").split(b"\0"):
        if entry.startswith(prefix):
            return os.fsdecode(entry.removeprefix(prefix))
    return None


def all_pids() -> Iterator[int]:
    """
    Yield every process id that can be seen; nothing where there is no /proc.
    """
    with suppress(OSError):
        yield from (int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208 - ids, not paths


def child_pids(*, every_thread: bool) -> list[int]:
    """
    List this process's children.

    Args:
        every_thread: False lists only those of the main thread, which is where
            Linux puts the orphans that a subreaper adopts (`find_alive_thread` in
            kernel/exit.c takes the first thread alive): one small file to read.
    """
    me = os.getpid()
    adopted = _read(f"self/task/{me}/children")
    if adopted is None:
        found = (read_process(pid) for pid in all_pids())
        return [
            process.pid for process in found if process and process.parent_pid == me
        ]
    if not every_thread:
        return [int(pid) for pid in adopted.split()]
    tids = os.listdir("/proc/self/task")  # noqa: PTH208 - ids, not paths
    lists = (_read(f"self/task/{tid}/children") for tid in tids)
    return [int(pid) for pids in lists for pid in (pids or b"").split()]


def _read(name: str) -> bytes | None:
    """
    Read a file of /proc; None when the process is gone or may not be read.
    """
    try:
        with open(f"/proc/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - a sweep reads hundreds; Path costs as much as the read
            return file.read()
    except OSError:
        return None
