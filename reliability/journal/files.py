"""
Files as the log needs them: opened without following a link, kept without a gap.

Every path of the log may lie in a folder that a stranger's checkout has filled. So
a path is opened first, without following a link in its last part and without
waiting for a FIFO's other end, and judged by its descriptor.

A whole file (a sidecar, a copy, a side file) appears under its name complete or not
at all: written under a temporary name in the same folder, synced, then renamed.
"""

from __future__ import annotations

import errno
import os
import stat
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE_MODE = 0o600  # A log in the making holds prompts and answers.
FINISHED_MODE = 0o444  # What is finished is for everybody to read, nobody to change.

COPY_CHUNK_BYTES = 1024 * 1024

# Where appends or locks of two machines may not exclude each other.
_NETWORK_TYPES = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs", "lustre")


def open_regular(path: Path, flags: int, mode: int = PRIVATE_MODE) -> int:
    """
    Open a regular file and nothing else; return its descriptor, closed on exec.

    Raises:
        JournalError: when it cannot be opened, or is a link, folder, FIFO or device.
    """
    safe_flags = flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, safe_flags, mode)
    except OSError as error:
        raise JournalError(
            f"cannot open {path}: {_open_problem(error)}.", remedy=_open_remedy(error)
        ) from error
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise JournalError(
        f"{path} is not a regular file.", remedy="Name the log itself, a file."
    )


def _open_problem(error: OSError) -> str:
    """
    Return the reason in words; only the bare error would name a link a loop.
    """
    if error.errno == errno.ELOOP:
        return "it is a symbolic link"
    return os.strerror(error.errno or 0)


def _open_remedy(error: OSError) -> str:
    """
    Return what to do about a path that cannot be opened.
    """
    if error.errno == errno.ELOOP:
        return "Name the file that it points to."
    if error.errno == errno.EEXIST:
        return "Each run has a log of its own: choose another folder or run id."
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return "Choose a folder that can be written."
    return ""


def fsync_path(path: Path, fsync: Callable[[int], None]) -> None:
    """
    Sync a file or a folder by its name; for a folder that means its entries.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fsync(fd)
    finally:
        os.close(fd)


def make_directory(directory: Path, fsync: Callable[[int], None]) -> None:
    """
    Make a folder and those above it, and sync each entry that was made.

    Raises:
        OSError: when it cannot be made, or a part of the path is not a folder.
    """
    missing = [part for part in (directory, *directory.parents) if not part.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        fsync_path(made.parent, fsync)


def write_whole(path: Path, content: bytes, *, sync: Callable[[int], None]) -> None:
    """
    Put *content* under *path*, complete or not at all, readable by everybody.

    Args:
        sync: Makes the file and its entry last; a no-op leaves that to the caller.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    temporary.unlink(missing_ok=True)
    fd = open_regular(temporary, flags)
    try:
        write_all(fd, content)
        os.fchmod(fd, FINISHED_MODE)
        sync(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    fsync_path(path.parent, sync)


def write_all(fd: int, content: bytes) -> None:
    """
    Write every byte, however many calls that takes.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def copy_aside(fd: int, path: Path, fsync: Callable[[int], None]) -> Path:
    """
    Copy the open file *fd* to `<path>.broken`, or `.broken.2` and so on, and sync it.

    A name that exists is never written again.

    Returns:
        The copy's path.
    """
    for number in count(1):
        suffix = ".broken" if number == 1 else f".broken.{number}"
        copy = path.with_name(path.name + suffix)
        if not os.path.lexists(copy):
            break
    copy_fd = open_regular(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        offset_bytes = 0
        while chunk := os.pread(fd, COPY_CHUNK_BYTES, offset_bytes):
            write_all(copy_fd, chunk)
            offset_bytes += len(chunk)
        fsync(copy_fd)
    finally:
        os.close(copy_fd)
    fsync_path(path.parent, fsync)
    return copy


def network_warnings(path: Path, *, mounts: str | None = None) -> tuple[str, ...]:
    """
    Warn when *path* is on a file system that more than one machine may write.

    Args:
        mounts: The text of `/proc/self/mountinfo` (see proc(5)); None reads it. A
            mount is found by its device number, so one that reports another number
            for its files (btrfs does) is not recognised, and is not a network's.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(errors="replace")
        except OSError:
            return ()
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        kind = after.split(" ")[0]
        if len(fields) > 2 and fields[2] == wanted and kind.startswith(_NETWORK_TYPES):
            warning = (
                f"{path} is on a network file system ({kind}), where locks and appends "
                "of two machines may not exclude each other: write one log from one "
                "machine only, or choose a local folder."
            )
            return (warning,)
    return ()
