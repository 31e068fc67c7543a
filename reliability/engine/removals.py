"""
What was in the folders that an agent removed, or put something else in the place of.

A survey names such a folder once. Whoever asks whether a file is as it was needs the
names of what was in it, which only the origin still knows.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from reliability.engine.survey import Survey


def name_removed(survey: Survey, origin: Path, *, most: int) -> None:
    """
    Add the files of removed folders to *survey*, as long as it names *most* at most.

    A folder with more than fit stays alone and stands for all in it.
    """
    gone = [path for path in survey.removed if path.endswith(b"/")]
    replaced = [path for path in survey.changed if _was_folder(path, origin)]
    left = most - len(survey.added) - len(survey.changed) - len(survey.removed)
    for path in sorted({*gone, *(path + b"/" for path in replaced)}):
        found = _files_in(path, origin, left - (path not in survey.removed))
        survey.removed.add(path)
        survey.removed |= set(found)
        left -= len(found)


def _was_folder(path: bytes, origin: Path) -> bool:
    if path.endswith(b"/"):
        return False
    try:
        return stat.S_ISDIR(os.lstat(os.fsencode(origin) + b"/" + path).st_mode)
    except OSError:
        return False


def _files_in(folder: bytes, origin: Path, most: int) -> Collection[bytes]:
    """
    Return the files that were below *folder*; none when they are more than *most*.
    """
    found: list[bytes] = []
    for path in _walk(folder, os.fsencode(origin)):
        found.append(path)
        if len(found) > most:
            return ()
    return found


def _walk(folder: bytes, origin: bytes) -> Iterator[bytes]:
    top = origin + b"/" + folder
    for parent, folders, names in os.walk(top):
        inside = parent[len(top) :].lstrip(b"/")
        links = [name for name in folders if os.path.islink(parent + b"/" + name)]  # noqa: PTH114 - bytes
        for name in (*names, *links):
            yield folder + (inside + b"/" if inside else b"") + name
