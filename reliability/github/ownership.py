"""
Results given back to whoever owns the workspace.

A container action runs as root, so what it leaves in the workspace belongs to root,
and the next checkout on a self-hosted runner cannot remove it.

Promises: only what was named, and what is inside named folders, changes owner; links
are never followed, also not in the middle of a path below the workspace; a file with a
second name elsewhere is left alone, because changing it would change that too. A
read-only file stays read-only. Nothing happens unless we are root.

Failing to hand back is no failure of the run: it is reported, not raised.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILE_MODE = 0o644
_LOCKED_MODE = 0o444
_FOLDER_MODE = 0o755
_DEEPEST = 32  # Each level holds a descriptor; results nest three or four deep.
_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def hand_back(paths: Iterable[Path], *, like: Path) -> tuple[str, ...]:
    """
    Give files, and folders with all they hold, to the owner of `like`.

    Files become 0644, or 0444 if nobody may write them; folders become 0755.

    Args:
        like: The workspace; its own owner and mode stay.

    Returns:
        A sentence for each path that could not be handed back.
    """
    if os.geteuid() != 0:
        return ()
    try:
        owner = like.stat()
    except OSError as error:
        return (_problem(like, error.strerror),)
    problems: list[str] = []
    for path in paths:
        try:
            descriptor = _open_below(like, path)
        except OSError as error:
            problems.append(_problem(path, error.strerror))
        else:
            problems += _give(descriptor, path, owner, depth=0)
    return tuple(problems)


def _open_below(root: Path, path: Path) -> int:
    """
    Open a path step by step from `root`, following no link on the way.

    A path elsewhere is opened as a whole: only its last part is checked.
    """
    if root not in path.parents:
        return os.open(path, _FLAGS)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in path.relative_to(root).parts:
        try:
            below = os.open(part, _FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def _give(
    descriptor: int, path: Path, owner: os.stat_result, *, depth: int
) -> Iterator[str]:
    """
    Hand back what is open, close it, and yield what went wrong.
    """
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            if depth >= _DEEPEST:
                yield _problem(path, "nested too deeply")
                return
            yield from _give_entries(descriptor, path, owner, depth=depth + 1)
            mode = _FOLDER_MODE
        elif stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            mode = _FILE_MODE if found.st_mode & _ANY_WRITE else _LOCKED_MODE
        else:
            yield _problem(path, "not a regular file with one name")
            return
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.fchmod(descriptor, mode)
    except OSError as error:
        yield _problem(path, error.strerror)
    finally:
        os.close(descriptor)


def _give_entries(
    folder: int, path: Path, owner: os.stat_result, *, depth: int
) -> Iterator[str]:
    """
    Hand back everything in an open folder.
    """
    for name in os.listdir(folder):
        try:
            descriptor = os.open(name, _FLAGS, dir_fd=folder)
        except OSError as error:
            yield _problem(path / name, error.strerror)
        else:
            yield from _give(descriptor, path / name, owner, depth=depth)


def _problem(path: Path, reason: str | None) -> str:
    """
    Say what stays with root, and why.
    """
    return f"{str(path)!r} still belongs to root: {reason}."
