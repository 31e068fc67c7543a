"""
The end of an open log, where lines are added whole or not at all.

The file must still be the one at its path, with the size that its writer gave it: a
deleted, replaced, cut or foreign-written log is noticed before a line that comes
`LOOK_EVERY_S` after the last look, and before the log is locked. A line is one
`write`; when that comes back short or fails, the file is cut back to where the line
began, which works on a full disk too, and the log is dead.

A signal may interrupt the writer between the `write` and the counting of it. The
next call then looks at the file's size and counts the line, if it is there whole.

Not thread-safe: the journal's lock is around every call.
"""

from __future__ import annotations

import hashlib
import math
import os
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from reliability.errors import JournalError
from reliability.journal.files import COPY_CHUNK_BYTES

if TYPE_CHECKING:
    from hashlib import _Hash
    from pathlib import Path

    from reliability.clock import Clock


LOOK_EVERY_S = 0.005
"""A look releases the interpreter's lock, as a write does: before each of three lines a
trial it took a quarter of what a trial costs."""


class Position(NamedTuple):
    """
    Where a log ends; replaced as one, so that no signal can leave half of it.

    Args:
        digest: SHA-256 of everything before; never updated in place.
    """

    next_seq: int
    offset_bytes: int
    digest: _Hash

    def after(self, line: bytes) -> Position:
        """
        Return the position behind one more line.
        """
        digest = self.digest.copy()
        digest.update(line)
        return Position(self.next_seq + 1, self.offset_bytes + len(line), digest)


class Tail:
    """
    The open log and where it ends.

    `failure` is the reason why it takes no more lines; empty while it does.

    Args:
        fd: Opened for reading and appending; closed by its owner, not here.
    """

    def __init__(self, fd: int, path: Path, position: Position, clock: Clock) -> None:
        self.position = position
        self.failure = ""
        self._fd = fd
        self._path = path
        self._name = os.fspath(path)
        status = os.fstat(fd)
        self._device_inode = (status.st_dev, status.st_ino)
        self._unsettled = b""
        self._clock = clock
        self._looked_mono_s = -math.inf

    def write(self, line: bytes) -> None:
        """
        Add one whole line.

        Raises:
            JournalError: when it is not in the file; the log is dead then.
        """
        now_mono_s = self._clock.monotonic_s()
        if now_mono_s - self._looked_mono_s >= LOOK_EVERY_S:
            self._looked_mono_s = now_mono_s
            self.require_unchanged()
        self._unsettled = line
        try:
            written_bytes = os.write(self._fd, line)
        except OSError as error:
            self._take_back()
            self.fail(f"line {self.position.next_seq} cannot be written", error)
        if written_bytes != len(line):
            self._take_back()
            self.fail(
                f"only {written_bytes} of the {len(line)} bytes of line "
                f"{self.position.next_seq} were written"
            )
        self.position = self.position.after(line)
        self._unsettled = b""

    def settle(self) -> None:
        """
        Count the last line if a signal came between its writing and its counting.
        """
        line = self._unsettled
        if not line:
            return
        extra_bytes = os.fstat(self._fd).st_size - self.position.offset_bytes
        if extra_bytes == len(line):
            start = self.position.offset_bytes
            if os.pread(self._fd, extra_bytes, start) == line:
                self.position = self.position.after(line)
        self._unsettled = b""

    def require_unchanged(self) -> None:
        """
        Make sure that the path still leads to this file, with the size it should have.

        Raises:
            JournalError: when it does not; the log is dead then.
        """
        try:
            status = os.lstat(self._name)
        except OSError as error:
            self.fail("the log is no longer at its path", error)
        if (status.st_dev, status.st_ino) != self._device_inode:
            self.fail("another file is at the log's path")
        if status.st_size != self.position.offset_bytes:
            self.fail(
                f"something else changed the log: it has {status.st_size} bytes, and "
                f"{self.position.offset_bytes} were written"
            )

    def read_back(self) -> str:
        """
        Return the SHA-256 of the file as it is read now, in hex.

        Raises:
            JournalError: when that is not what was written; the log is dead then.
        """
        self.require_unchanged()
        found = hashlib.sha256()
        offset_bytes = 0
        try:
            while chunk := os.pread(self._fd, COPY_CHUNK_BYTES, offset_bytes):
                found.update(chunk)
                offset_bytes += len(chunk)
        except OSError as error:
            self.fail(f"the log cannot be read back at byte {offset_bytes}", error)
        if found.digest() != self.position.digest.digest():
            self.fail(
                "the log read back is not what was written: its SHA-256 is "
                f"{found.hexdigest()}, not {self.position.digest.hexdigest()}"
            )
        return found.hexdigest()

    def fail(self, what: str, error: OSError | None = None) -> NoReturn:
        """
        Declare the log dead and raise why.
        """
        cause = f": {error.strerror}" if error is not None else ""
        self.failure = f"{what}{cause} ({self._path}{self._free_space()})"
        raise JournalError(
            f"{self.failure}.",
            remedy="The lines before are kept; look at that disk, then run again; "
            "`reliability report LOG` shows what was measured.",
        ) from error

    def _free_space(self) -> str:
        """
        Say how much room the log's file system has; empty when it does not tell.
        """
        try:
            status = os.fstatvfs(self._fd)
        except OSError:
            return ""
        return f", {status.f_bavail * status.f_frsize} bytes free"

    def _take_back(self) -> None:
        """
        Cut the file back to its last whole line.

        Where even that fails, the tail stays torn, and the next writer cuts it.
        """
        try:
            os.ftruncate(self._fd, self.position.offset_bytes)
        except OSError:
            return
