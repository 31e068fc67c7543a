"""
Read a log line by line, and tell a torn end from damage.

A writer that is killed, or a disk that is full, can leave one line cut short at the
end of the file. Such a *torn tail* is what follows the last whole line: readers
ignore it, the next writer cuts it. Everything else that is wrong is *damage*: a bad
line with the start of another line after it, a line out of order, a line of another
run, a file that is no log. Damage is never skipped, since what is missing could
be the trial that failed; it is reported with the byte at which the bad line begins.

Zeros or foreign bytes after the last line count as a torn tail: nothing of the log
is in them. A log can be read while it is written; its newest line may then look torn.

No more than two lines are ever held in memory.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reliability.errors import JournalError
from reliability.journal.files import open_regular
from reliability.journal.line import (
    ENVELOPE,
    LINE_LIMIT_BYTES,
    LINE_START,
    LineError,
    begins_with_whole_line,
    unseal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from reliability.journal.side import Place


# In a text of an event the quotes are escaped, so there this is never found. Data that
# looks so (an object with these members) can only make a torn tail count as damage.
_ANY_LINE_START = re.compile(LINE_START + rb'\d+,"time":"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One line of the log.

    Args:
        seq: Its number, dense from 1.
        time: Wall-clock time in UTC with milliseconds, for people; order is `seq`.
        fields: The event's own fields, as they were logged.
        offset: Byte at which the line begins.
        side_files: Where in *fields* references to side files stand; see
            `read_side_text`.
    """

    seq: int
    time: str
    run_id: str
    event: str
    fields: Mapping[str, Any]
    offset: int
    side_files: tuple[Place, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """
    Something wrong that no interrupted write explains.

    Args:
        offset_bytes: Where the first bad line begins.
        reason: What is wrong with it.
    """

    offset_bytes: int
    reason: str


def read_events(path: Path) -> Iterator[Event]:
    """
    Yield the events of a log in their order; a torn last line is ignored.

    Raises:
        JournalError: when the file cannot be opened, or is damaged before its end; the
            events before the damage have been yielded by then.
    """
    with open_log(path) as file:
        scan = Scan(file)
        yield from scan
    if scan.damage is not None:
        raise damage_error(path, scan.damage)


def open_log(path: Path) -> BinaryIO:
    """
    Open a log for reading: a regular file, no link.
    """
    return os.fdopen(open_regular(path, os.O_RDONLY), "rb")


def damage_error(path: Path, damage: Damage) -> JournalError:
    """
    Return the error that refuses a damaged log.
    """
    return JournalError(
        f"{path} is damaged at byte {damage.offset_bytes}: {damage.reason}.",
        remedy="Use a copy that was not changed; it is not repaired, since what is "
        "missing cannot be known.",
    )


class Scan:
    """
    One pass over an open log; iterate it to the end, then read what was found.

    Args:
        file: The log, at its first byte.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.line_count = 0
        self.whole_bytes = 0  # Where the last whole line ends.
        self.size_bytes = 0
        self.run_id = ""
        self.last_event = ""
        self.torn_at_byte: int | None = None
        self.damage: Damage | None = None
        self.digest = hashlib.sha256()
        self._file = file

    def __iter__(self) -> Iterator[Event]:
        while line := self._next_piece():
            try:
                members = unseal(line)
            except LineError as error:
                self._judge_rest(line, str(error))
                return
            if reason := self._disorder(members):
                self.damage = Damage(offset_bytes=self.whole_bytes, reason=reason)
                self._drain()
                return
            yield self._accept(line, members)

    def _next_piece(self) -> bytes:
        """
        Return the next line, or as much of it as any line may have.
        """
        piece = self._file.readline(LINE_LIMIT_BYTES + 1)
        self.digest.update(piece)
        self.size_bytes += len(piece)
        return piece

    def _drain(self) -> None:
        """
        Go on to the end of the file, for its size and hash.
        """
        while self._next_piece():
            pass

    def _disorder(self, members: dict[str, Any]) -> str:
        """
        Return why a line that is whole does not belong here; empty when it does.
        """
        expected_seq = self.line_count + 1
        if members["seq"] != expected_seq:
            return f"seq is {members['seq']} where {expected_seq} belongs"
        if self.run_id and members["run_id"] != self.run_id:
            return f"the line is of run {members['run_id']!r}, not {self.run_id!r}"
        return ""

    def _accept(self, line: bytes, members: dict[str, Any]) -> Event:
        """
        Count a good line and return its event.
        """
        envelope = {name: members.pop(name, ()) for name in ENVELOPE}
        event = Event(
            seq=envelope["seq"],
            time=envelope["time"],
            run_id=envelope["run_id"],
            event=envelope["event"],
            fields=members,
            offset=self.whole_bytes,
            side_files=tuple(map(tuple, envelope["side_files"])),
        )
        self.line_count += 1
        self.whole_bytes += len(line)
        self.run_id = event.run_id
        self.last_event = event.event
        return event

    def _judge_rest(self, piece: bytes, reason: str) -> None:
        """
        Decide whether the bytes from here on are a torn tail or damage.
        """
        is_torn = self._may_be_torn(piece)
        while piece:
            at_line_start = piece.endswith(b"\n")
            piece = self._next_piece()
            begins_line = piece and at_line_start and _agree(piece, LINE_START)
            if begins_line or _ANY_LINE_START.search(piece):
                is_torn = False
        if is_torn:
            self.torn_at_byte = self.whole_bytes
        else:
            self.damage = Damage(offset_bytes=self.whole_bytes, reason=reason)

    def _may_be_torn(self, piece: bytes) -> bool:
        """
        Tell whether the first bad piece can be what is left of one last line.

        It cannot when it is two lines that lost what was between them, nor when the
        file is no log at all.
        """
        if _ANY_LINE_START.search(piece, 1) or begins_with_whole_line(piece):
            return False
        return self.line_count > 0 or _agree(piece, LINE_START + b"1,")


def _agree(one: bytes, other: bytes) -> bool:
    """
    Tell whether one of the two begins with the other.
    """
    return one.startswith(other) or other.startswith(one)
