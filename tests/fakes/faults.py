"""
Faults of the machine: system calls that fail, disks that are full, limits, clocks.

Each is a word before a command, or a context; none needs more than root on Linux, and
what is missing skips the test with its reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

STRACE = shutil.which("strace") or ""
needs_strace = pytest.mark.skipif(not STRACE, reason="strace injects the fault")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do that")

_LIBFAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
_PIDS_GROUPS = ("/sys/fs/cgroup/pids", "/sys/fs/cgroup")


def traced(
    trace: Path, calls: str, inject: str = "", *, only: Path | None = None
) -> list[str]:
    """
    Return the words that run a command under strace.

    Args:
        trace: File for what is traced: *calls*, with the path of each descriptor.
        inject: The fault, such as `write:error=EIO:when=3`; counted in each thread.
        only: Trace and inject where this path is concerned, and nowhere else.
    """
    words = [STRACE, "-f", "-y", "-qq", "-o", str(trace), "-e", f"trace={calls}"]
    if only is not None:
        words += ["-P", str(only)]
    return [*words, "-e", f"inject={inject}"] if inject else words


def numbers_of(trace: Path, call: str, end: str) -> list[int]:
    """
    Return which of a thread's *call*s went to a file whose path ends with *end*.

    Those are the numbers to inject at: strace counts in each thread for itself.
    """
    seen: dict[str, int] = {}
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        match = re.match(rf"(\d+) +{call}\(\d+<([^>]*)>", line)
        if match:
            thread, path = match.groups()
            seen[thread] = seen.get(thread, 0) + 1
            if path.endswith(end):
                found.append(seen[thread])
    return found


@contextmanager
def small_disk(place: Path, size: str = "64k") -> Iterator[Path]:
    """
    Mount a file system of that *size* at *place*.
    """
    place.mkdir(exist_ok=True)
    _mount(place, "-t", "tmpfs", "-o", f"size={size},mode=755", "none")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    """
    Mount *place* over itself, read-only: what binds root too.
    """
    _mount(place, "--bind", str(place))
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _mount(place: Path, *words: str) -> None:
    argv = ["mount", *words, str(place)]
    if os.geteuid() != 0 or subprocess.run(argv, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root and its rights")


def fill(place: Path, leave_bytes: int) -> Path:
    """
    Fill the disk of *place* but for some bytes; return the file that does.
    """
    filler = place / "filler"
    disk = os.statvfs(place)
    with filler.open("wb") as file:
        file.write(bytes(disk.f_bavail * disk.f_frsize - leave_bytes))
    return filler


def limited(*limits: str) -> list[str]:
    """
    Return the words that run a command under limits, such as `--fsize=1000`.
    """
    program = shutil.which("prlimit")
    if program is None:
        pytest.skip("prlimit is not installed")
    return [program, *limits, "--"]


def moved_clock(offset: Path) -> dict[str, str]:
    """
    Return variables that move the wall clock, and only it, as the file *offset* says.
    """
    found = sorted(Path("/").glob(_LIBFAKETIME.lstrip("/")))
    if not found:
        pytest.skip("faketime is not installed")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


@contextmanager
def few_processes(most: int, name: str) -> Iterator[list[str]]:
    """
    Give the words that run a command in a control group of at most *most* processes.
    """
    for root in map(Path, _PIDS_GROUPS):
        group = root / name
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / "pids.max").exists():
            break
        group.rmdir()
    else:
        pytest.skip("no control group that limits processes can be made")
    (group / "pids.max").write_text(str(most))
    script = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    try:
        yield ["sh", "-c", script, "sh"]
    finally:
        group.rmdir()
