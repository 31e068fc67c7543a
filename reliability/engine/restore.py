"""
Makes a tree that was copied the same as its origin again, by what was touched.

Copying ten thousand files costs seconds on some disks, nearly all of it for making new
files; an agent touches three. What it touched is known for sure: the kernel sets the
ctime of whatever is written (also through a mapping), renamed, linked or given other
rights, and no program can set it back; what the origin has too must besides agree in
size, mode, owner and time of change. Whoever could still write is gone by then.

Nothing is trusted: folders are opened step by step, no link is followed, files are
made anew rather than written over, so that an open descriptor leads nowhere. Whatever
is unusual (thousands of changes, hard links, deep folders) is left to a fresh copy:
`restore_tree` says no. So does its caller when the wall clock was set back meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_ACTIONS = 1000
MAX_BYTES = 64 * 1024 * 1024
_MAX_ENTRIES = 250_000
_MAX_DEPTH = 64
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def restore_tree(tree: Path, origin: Path, *, since_ns: int) -> bool:
    """
    Undo what was done to *tree* since it was copied from *origin*.

    Args:
        since_ns: The ctime of something that was touched just after the copy.

    Returns:
        False when the tree is to be thrown away: it may be in any state then.
    """
    try:
        with (
            _opened(tree, None) as ours,
            _opened(origin, None) as theirs,
        ):
            _Restorer(since_ns).restore(ours.fd, theirs.fd, 0)
    except (OSError, RecursionError, _UnusualError):
        return False
    return True


class _UnusualError(Exception):
    """
    Something that is not worth a way of its own.
    """


class _Folder:
    """
    An open folder.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _opened(name: str | Path, parent: int | None) -> _Folder:
    return _Folder(os.open(name, _FOLDER_FLAGS, dir_fd=parent))


class _Restorer:
    """
    Walks through both trees at once.
    """

    def __init__(self, since_ns: int) -> None:
        self._since_ns = since_ns
        self._left_entries = _MAX_ENTRIES
        self._left_actions = MAX_ACTIONS
        self._left_bytes = MAX_BYTES

    def restore(self, ours: int, theirs: int, depth: int) -> None:
        """
        Make one folder, and all in it, as that of the origin is.
        """
        if depth > _MAX_DEPTH:
            raise _UnusualError
        was_touched = self._is_touched(os.fstat(ours), os.fstat(theirs))
        wanted = dict(_entries(theirs))
        for name, now in _entries(ours):
            self._left_entries -= 1
            if self._left_entries < 0:
                raise _UnusualError
            before = wanted.pop(name, None)
            if before is not None and _are_folders(now, before):
                with _opened(name, ours) as mine, _opened(name, theirs) as its:
                    self.restore(mine.fd, its.fd, depth + 1)
            elif before is None or self._is_touched(now, before):
                self._remove(name, ours, now)
                if before is not None:
                    self._make(name, (ours, theirs), before, depth)
                was_touched = True
        for name, before in wanted.items():
            self._make(name, (ours, theirs), before, depth)
            was_touched = True
        if was_touched:
            _set_facts(ours, theirs)

    def _is_touched(self, now: os.stat_result, before: os.stat_result) -> bool:
        return now.st_ctime_ns >= self._since_ns or _facts(now) != _facts(before)

    def _act(self, size_bytes: int = 0) -> None:
        self._left_actions -= 1
        self._left_bytes -= size_bytes
        if self._left_actions < 0 or self._left_bytes < 0:
            raise _UnusualError

    def _remove(self, name: str, folder: int, now: os.stat_result) -> None:
        """
        Remove an entry with all that is in it.
        """
        self._act()
        if not stat.S_ISDIR(now.st_mode):
            os.unlink(name, dir_fd=folder)
            return
        with _opened(name, folder) as below:
            for inner, status in list(_entries(below.fd)):
                self._remove(inner, below.fd, status)
        os.rmdir(name, dir_fd=folder)

    def _make(
        self, name: str, folders: tuple[int, int], before: os.stat_result, depth: int
    ) -> None:
        """
        Make an entry as that of the origin is.
        """
        self._act(before.st_size if stat.S_ISREG(before.st_mode) else 0)
        ours, theirs = folders
        if stat.S_ISLNK(before.st_mode):
            os.symlink(os.readlink(name, dir_fd=theirs), name, dir_fd=ours)
            with suppress(PermissionError):
                os.chown(
                    *(name, before.st_uid, before.st_gid),
                    dir_fd=ours,
                    follow_symlinks=False,
                )
            times_ns = (before.st_atime_ns, before.st_mtime_ns)
            os.utime(name, ns=times_ns, dir_fd=ours, follow_symlinks=False)
        elif stat.S_ISDIR(before.st_mode):
            os.mkdir(name, 0o700, dir_fd=ours)
            with _opened(name, ours) as mine, _opened(name, theirs) as its:
                self.restore(mine.fd, its.fd, depth + 1)
        elif stat.S_ISREG(before.st_mode) and before.st_nlink == 1:
            _copy_file(name, ours, theirs)
        else:
            raise _UnusualError


def _copy_file(name: str, ours: int, theirs: int) -> None:
    source = os.open(name, _READ_FLAGS, dir_fd=theirs)
    with closing(os.fdopen(source, "rb")):
        target = os.open(name, _WRITE_FLAGS, 0o600, dir_fd=ours)
        with closing(os.fdopen(target, "wb")):
            while os.sendfile(target, source, None, 1 << 30):
                pass
            _set_facts(target, source)


def _set_facts(target: int, source: int) -> None:
    """
    Give what is open as *target* owner, mode, attributes and times of *source*.
    """
    status = os.fstat(source)
    with suppress(PermissionError):
        os.fchown(target, status.st_uid, status.st_gid)
    has, wanted = _attributes(target), _attributes(source)
    for name in has.keys() - wanted.keys():
        os.removexattr(target, name)
    for name, value in wanted.items():
        if has.get(name) != value:
            os.setxattr(target, name, value)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _attributes(fd: int) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(fd, name) for name in os.listxattr(fd)}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise


def _facts(status: os.stat_result) -> tuple[int, ...]:
    """
    Return what a copy has in common with what it was made of.
    """
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    owner = (status.st_uid, status.st_gid)
    return (status.st_mode, *owner, status.st_mtime_ns, size)


def _are_folders(*statuses: os.stat_result) -> bool:
    return all(stat.S_ISDIR(status.st_mode) for status in statuses)


def _entries(folder: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        yield entry.name, entry.stat(follow_symlinks=False)
