"""
Side files: texts too long for a line, kept whole beside the log.

`<log name>.d/<SHA-256>.txt` holds the text in UTF-8; in the line stands
`{"side_file": name, "sha256": hex, "bytes": n}` instead, and the line's own member
`side_files` lists where, so that no answer of an agent can pass for a reference.
Only texts that are a field, or a member of a field one level down, can move.

The same text twice is one file. A file appears under its name complete or not at
all, before the line that refers to it. A lone surrogate is kept as the three bytes
that UTF-8 would give it, and comes back.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING, Any

from reliability.errors import JournalError
from reliability.journal.files import COPY_CHUNK_BYTES, open_regular, write_whole
from reliability.journal.line import ENVELOPE
from reliability.journal.name import side_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# Moving less than this would save less than the reference costs to follow.
_WORTH_MOVING_CHARS = 1024

Place = tuple[str | int, ...]


def move_longest(
    members: dict[str, Any],
    excess_bytes: int,
    log: Path,
    sync_first: Callable[[Path], None],
) -> bool:
    """
    Move the longest texts of a line to side files and put references in their place.

    Args:
        members: The line's members; its values are replaced, never changed in place.
        excess_bytes: Enough is moved when the texts add up to this.
        sync_first: Told of each file and folder that must be synced before the line.

    Returns:
        False when no text is left that is worth moving.

    Raises:
        OSError: when a file cannot be written.
        JournalError: when something else has the folder's name.
    """
    texts = sorted(_texts(members), key=lambda found: len(found[1]), reverse=True)
    moved: list[Place] = []
    for place, text in texts:
        if excess_bytes <= 0:
            break
        _put(members, place, _keep(text, log, sync_first))
        excess_bytes -= len(text)
        moved.append(place)
    if moved:
        before = members.pop("side_files", [])
        members["side_files"] = [*before, *map(list, moved)]
    return bool(moved)


def _texts(members: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """
    Yield the place and the text of every text that can move and is worth it.
    """
    for name, value in members.items():
        inner: Any = ()
        if name in ENVELOPE:
            continue
        if isinstance(value, dict):
            inner = value.items()
        elif isinstance(value, list):
            inner = enumerate(value)
        for place, text in (((name,), value), *(((name, key), v) for key, v in inner)):
            if isinstance(text, str) and len(text) >= _WORTH_MOVING_CHARS:
                yield place, text


def _put(members: dict[str, Any], place: Place, reference: dict[str, Any]) -> None:
    """
    Replace one text by its reference; the caller's own objects stay as they are.
    """
    if len(place) == 1:
        members[str(place[0])] = reference
        return
    field = copy.copy(members[str(place[0])])
    field[place[1]] = reference
    members[str(place[0])] = field


def _keep(text: str, log: Path, sync_first: Callable[[Path], None]) -> dict[str, Any]:
    """
    Write *text* to its side file, if it is not there yet, and return the reference.
    """
    content = text.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(content).hexdigest()
    directory = side_directory(log)
    _make_side_directory(directory)
    path = directory / f"{digest}.txt"
    if not path.exists():
        write_whole(path, content, sync=lambda _fd: None)
    for waiting in (path, directory, log.parent):
        sync_first(waiting)
    return {"side_file": path.name, "sha256": digest, "bytes": len(content)}


def _make_side_directory(directory: Path) -> None:
    """
    Make the folder, or refuse what stands in its place.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        if not stat.S_ISDIR(directory.lstat().st_mode):
            raise JournalError(
                f"{directory} is not a folder, but long texts of the log belong there.",
                remedy="Move it away.",
            ) from None


def side_problem(log: Path, fields: Mapping[str, Any], place: Place) -> str:
    """
    Return what is wrong with the side file that a line refers to; empty when nothing.
    """
    try:
        reference: Any = fields
        for step in place:
            reference = reference[step]
        for _chunk in _chunks(log, reference):
            pass
    except (LookupError, TypeError):
        return f"{log} has no reference at {list(place)}, where it says there is one."
    except JournalError as error:
        return error.what
    return ""


def read_side_text(log: Path, reference: Mapping[str, Any]) -> str:
    """
    Return the text that was moved out of a line.

    Args:
        reference: What stands in the line; `Event.side_files` says where.

    Raises:
        JournalError: when the file is missing, changed, or not one of this log.
    """
    content = b"".join(_chunks(log, reference))
    return content.decode("utf-8", "surrogatepass")


def _chunks(log: Path, reference: Mapping[str, Any]) -> Iterator[bytes]:
    """
    Yield the side file's bytes, and compare their hash at the end.
    """
    digest = str(reference["sha256"])
    name = f"{digest}.txt"
    if not re.fullmatch("[0-9a-f]{64}", digest) or reference["side_file"] != name:
        raise JournalError(f"{log} refers to a side file by a name it cannot have.")
    path = side_directory(log) / name
    found = hashlib.sha256()
    fd = open_regular(path, os.O_RDONLY)
    try:
        while chunk := os.read(fd, COPY_CHUNK_BYTES):
            found.update(chunk)
            yield chunk
    finally:
        os.close(fd)
    if found.hexdigest() != digest:
        raise JournalError(f"{path} is not what was written: its SHA-256 differs.")
