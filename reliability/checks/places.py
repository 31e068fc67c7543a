"""
Looking into the folder that an agent left: no link is followed, nothing blocks.

What lies there was made by the agent: links, pipes, sockets, files of any size, folders
that nobody may enter. A path that leads through a link is told as such, since what is
behind it is not in the folder.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reliability.errors import CheckError

if TYPE_CHECKING:
    from pathlib import Path

READ_CAP_BYTES = 4 * 1024 * 1024
"""How far a file is read."""

_PARENT = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    What is at a path.

    Args:
        obstacle: Why nobody can say what is there; empty when somebody can.
        text: The beginning of a regular file that was to be read; None for all else.
        is_cut: The file goes on behind *text*.
        unread: Why there is no text, though something is there.
    """

    is_there: bool = False
    obstacle: str = ""
    text: str | None = None
    is_cut: bool = False
    unread: str = ""


def require_inside(path: str) -> None:
    """
    Refuse a path, or a pattern of paths, that cannot be in a folder.

    Raises:
        ValueError: when it is empty, absolute, or leads out of the folder.
    """
    parts = path.split("/")
    if not path.strip() or "\0" in path or not _is_encodable(path):
        raise ValueError(f"{path!r} is no path")
    if path.startswith("/"):
        raise ValueError(f"the path {path!r} must be relative to the agent's folder")
    if ".." in parts:
        raise ValueError(f"the path {path!r} must not lead out of the agent's folder")
    if not PurePosixPath(path).name:
        raise ValueError(f"the path {path!r} names no file")


def look(folder: Path, path: str, *, read: bool = False) -> Found:
    """
    Return what is at *path* in *folder*.

    Args:
        read: Its text too.

    Raises:
        CheckError: when the folder itself cannot be looked at.
    """
    try:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise CheckError(
            f"files cannot decide: the agent's folder cannot be opened: "
            f"{error.strerror}"
        ) from None
    try:
        parts = PurePosixPath(path).parts
        for at, part in enumerate(parts[:-1], start=1):
            try:
                inner = os.open(part, _PARENT, dir_fd=here)
            except OSError as error:
                return _no_way(here, "/".join(parts[:at]), error)
            os.close(here)
            here = inner
        return _look_at(here, parts[-1], read=read)
    finally:
        os.close(here)


def _is_encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _no_way(parent: int, name: str, error: OSError) -> Found:
    """
    Say what it means that a folder on the way cannot be opened.
    """
    if isinstance(error, FileNotFoundError):
        return Found()
    try:
        mode = os.lstat(name.rpartition("/")[2], dir_fd=parent).st_mode
    except OSError:
        return Found(obstacle=f"{name} cannot be opened: {error.strerror}")
    if stat.S_ISLNK(mode):
        return Found(obstacle=f"{name} is a link, and no link is followed")
    if not stat.S_ISDIR(mode):
        return Found()
    return Found(obstacle=f"{name} cannot be opened: {error.strerror}")


def _look_at(parent: int, name: str, *, read: bool) -> Found:
    try:
        mode = os.lstat(name, dir_fd=parent).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Found()
    except OSError as error:
        return Found(obstacle=f"{name} cannot be looked at: {error.strerror}")
    if not read:
        return Found(is_there=True)
    if not stat.S_ISREG(mode):
        return Found(is_there=True, unread="it is no regular file")
    try:
        descriptor = os.open(name, _FILE, dir_fd=parent)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
            content = file.read(READ_CAP_BYTES + 1)
    except OSError as error:
        return Found(is_there=True, unread=f"it cannot be read: {error.strerror}")
    return Found(
        is_there=True,
        text=content[:READ_CAP_BYTES].decode("utf-8", "replace"),
        is_cut=len(content) > READ_CAP_BYTES,
    )
