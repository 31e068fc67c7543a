"""
How the tree that an agent worked in differs from the one that it was copied from.

An entry is a candidate when it is missing on one side, or when its ctime is not older
than the moment at which the agent began: no program can set a ctime. A candidate has
changed when its kind, its right to be executed, its link or its bytes differ.

What is there is hostile. Folders are opened step by step and no link is followed, also
when another process of that user should change them meanwhile; FIFOs are never opened;
contents are read only of files that belong to the agent's user, up to `READ_CAP_BYTES`
each and `READ_TOTAL_BYTES` in all. Folders below `MAX_DEPTH` others, and whatever comes
after `MAX_ENTRIES`, are not looked at. Of larger files, size and time are compared.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READ_CAP_BYTES = 1024 * 1024
READ_TOTAL_BYTES = 64 * 1024 * 1024
KEPT_BYTES = 2 * 1024 * 1024  # Of texts, for the diff, which shows far less.
KEPT_TEXTS = 200  # Each costs a process of diff(1).
MAX_ENTRIES = 250_000  # They take about a second.
MAX_DEPTH = 64  # Each level holds two open files.

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ANY_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_NOTHING: Mapping[bytes, int] = MappingProxyType({})


@dataclass(slots=True, kw_only=True)
class Survey:
    """
    The differences, by path below the tree.

    Args:
        added: What the origin lacks; folders end in `/`.
        changed: What both have.
        removed: What only the origin has; a folder, with `/`, stands for all in it.
        texts: New contents of those that are text and small enough to show.
        ctimes_ns: Of what was added or changed; 0 for folders.
        incomplete: Why not everything was looked at; empty when it was.
    """

    added: set[bytes] = field(default_factory=set)
    changed: set[bytes] = field(default_factory=set)
    removed: set[bytes] = field(default_factory=set)
    texts: dict[bytes, bytes] = field(default_factory=dict)
    ctimes_ns: dict[bytes, int] = field(default_factory=dict)
    incomplete: str = ""


def survey_tree(
    tree: Path,
    origin: Path,
    *,
    owner_uid: int,
    began_ns: int,
    known: Mapping[bytes, int] = _NOTHING,
) -> Survey:
    """
    Compare *tree* with *origin*.

    Args:
        owner_uid: User whose files may be read.
        began_ns: The ctime of something that was touched just before the agent began.
        known: What was different already when the agent began: `ctimes_ns` of a survey
            at that moment.

    Raises:
        OSError: when the top folder of one of them cannot be opened.
    """
    return _Surveyor(owner_uid, began_ns, known).survey(tree, origin)


class _EnoughError(Exception):
    """
    The tree has more than is looked at; says what of.
    """


class _Surveyor:
    """
    Walks through both trees at once.
    """

    def __init__(
        self, owner_uid: int, began_ns: int, known: Mapping[bytes, int]
    ) -> None:
        self._owner_uid = owner_uid
        self._began_ns = began_ns
        self._known = known
        self._found: set[bytes] = set()
        self._left_entries = MAX_ENTRIES
        self._left_bytes = READ_TOTAL_BYTES
        self._left_kept_bytes = KEPT_BYTES
        self._survey = Survey()

    def survey(self, tree: Path, origin: Path) -> Survey:
        """
        Compare two folders.
        """
        ours = os.open(tree, _FOLDER_FLAGS)
        try:
            theirs = os.open(origin, _FOLDER_FLAGS)
            try:
                self._compare(ours, theirs, b"", 0)
                self._survey.removed |= self._known.keys() - self._found
            finally:
                os.close(theirs)
        except _EnoughError as error:
            self._survey.incomplete = str(error)
        finally:
            os.close(ours)
        return self._survey

    def _compare(
        self, ours: int, theirs: int | None, prefix: bytes, depth: int
    ) -> None:
        """
        Compare one folder with that of the origin; None: the origin has none.
        """
        names = _names(ours)
        origin_names = set() if theirs is None else _names(theirs)
        for name in origin_names - names:
            mark = b"/" if _is_folder(_status(name, theirs)) else b""
            self._survey.removed.add(prefix + name + mark)
        for name in sorted(names):
            self._left_entries -= 1
            if self._left_entries < 0:
                raise _EnoughError(f"more than {MAX_ENTRIES} entries")
            now = _status(name, ours)
            before = _status(name, theirs) if name in origin_names else None
            if now is None:
                continue
            path = prefix + name + (b"/" if _is_folder(now) else b"")
            self._found |= {path} & self._known.keys()
            if _is_folder(now):
                self._note_folder(path, before)
                inside = theirs if _is_folder(before) else None
                self._descend(name, ours, inside, path, depth + 1)
            elif path in self._known:
                if now.st_ctime_ns != self._known[path]:
                    self._note(self._survey.changed, path, now)
            elif before is None:
                self._note(self._survey.added, path, now)
                self._keep(path, self._read_some(name, ours, now))
            elif now.st_ctime_ns >= self._began_ns:
                self._judge(name, (ours, theirs), path, (now, before))

    def _descend(
        self, name: bytes, ours: int, theirs: int | None, prefix: bytes, depth: int
    ) -> None:
        """
        Compare what is in a folder, as far down as is looked at.
        """
        if depth > MAX_DEPTH:
            self._survey.incomplete = f"folders below {MAX_DEPTH} others"
            return
        try:
            below = os.open(name, _FOLDER_FLAGS, dir_fd=ours)
        except OSError as error:
            self._survey.incomplete = f"a folder cannot be opened: {error.strerror}"
            return
        origin = None
        try:
            if theirs is not None:
                origin = os.open(name, _FOLDER_FLAGS, dir_fd=theirs)
            self._compare(below, origin, prefix, depth)
        finally:
            os.close(below)
            if origin is not None:
                os.close(origin)

    def _note_folder(self, path: bytes, before: os.stat_result | None) -> None:
        if path not in self._known and not _is_folder(before):
            kind = self._survey.added if before is None else self._survey.changed
            self._note(kind, path, None)

    def _note(self, kind: set[bytes], path: bytes, now: os.stat_result | None) -> None:
        kind.add(path)
        self._survey.ctimes_ns[path] = 0 if now is None else now.st_ctime_ns

    def _judge(
        self,
        name: bytes,
        folders: tuple[int, int | None],
        path: bytes,
        statuses: tuple[os.stat_result, os.stat_result],
    ) -> None:
        """
        Note whether something that was touched has changed.
        """
        now, before = statuses
        if stat.S_IFMT(now.st_mode) != stat.S_IFMT(before.st_mode):
            self._note(self._survey.changed, path, now)
            return
        new = None
        if stat.S_ISLNK(now.st_mode):
            is_same = _target(name, folders[0]) == _target(name, folders[1])
        elif now.st_size != before.st_size:
            is_same = False
            new = self._read(name, folders[0], now)
        elif (new := self._read(name, folders[0], now)) is not None:
            is_same = new == _content(name, folders[1], before.st_uid)
        else:
            is_same = now.st_mtime_ns == before.st_mtime_ns
        if not is_same or (now.st_mode ^ before.st_mode) & _ANY_EXECUTE:
            self._note(self._survey.changed, path, now)
            self._keep(path, None if before.st_size > READ_CAP_BYTES else new)

    def _read(self, name: bytes, folder: int, status: os.stat_result) -> bytes | None:
        """
        Return the content of a small file of the agent's user, else None.
        """
        size = status.st_size
        if size > READ_CAP_BYTES or size > self._left_bytes:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        self._left_bytes -= size
        return _content(name, folder, self._owner_uid)

    def _read_some(
        self, name: bytes, folder: int, status: os.stat_result
    ) -> bytes | None:
        """
        Return the content of a file that is new, while there is room for it.
        """
        if len(self._survey.texts) >= KEPT_TEXTS:
            return None
        return self._read(name, folder, status)

    def _keep(self, path: bytes, content: bytes | None) -> None:
        if content is None or len(content) > self._left_kept_bytes:
            return
        if path in self._survey.added and not content:
            return  # Its name says it all.
        if b"\0" not in content and len(self._survey.texts) < KEPT_TEXTS:
            self._left_kept_bytes -= len(content)
            self._survey.texts[path] = content


def _names(folder: int) -> set[bytes]:
    names: set[bytes] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            # Given an open folder, scandir answers with text, whatever the names are.
            names.add(os.fsencode(entry.name))
            if len(names) > MAX_ENTRIES:
                raise _EnoughError(f"more than {MAX_ENTRIES} entries")
    return names


def _status(name: bytes, folder: int | None) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None


def _is_folder(status: os.stat_result | None) -> bool:
    return status is not None and stat.S_ISDIR(status.st_mode)


def _target(name: bytes, folder: int | None) -> bytes | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def _content(name: bytes, folder: int | None, owner_uid: int) -> bytes | None:
    """
    Return the beginning of a regular file of *owner_uid*; None when it is not that.
    """
    try:
        opened = os.open(name, _FILE_FLAGS, dir_fd=folder)
    except OSError:
        return None
    with open(opened, "rb") as file:  # noqa: PTH123 - it is open already
        status = os.fstat(opened)
        # A hard link to a file of others would let the agent read it through the log.
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner_uid:
            return None
        return file.read(READ_CAP_BYTES + 1)
