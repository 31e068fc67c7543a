"""
Examine a log and say what was found; repair the one thing that may be repaired.

Examining changes nothing. Repairing cuts a torn tail and nothing else, after a copy
of the whole file was kept and synced; a log that is damaged elsewhere, that was
locked at the end of its run, or that somebody is writing, is refused.

A good examination of an unlocked log means: a run began, and every line is as written
and in order. Of a locked log it means also that the file is the very one that was
locked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.errors import JournalError
from reliability.journal.files import copy_aside, open_regular
from reliability.journal.lock import take_lock
from reliability.journal.name import sidecar_path
from reliability.journal.reader import Damage, Scan, damage_error, open_log
from reliability.journal.side import side_problem
from reliability.journal.sidecar import recorded_sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reliability.clock import Clock

# A report names so many broken side files and counts the others.
_SIDE_PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """
    What was found in a log.

    Args:
        lines: Whole lines before anything that is wrong.
        torn_at_byte: Where a torn tail begins; None when there is none.
        damage: The first damage; None when there is none.
        began, ended: The first event is `run_started`, the last is `run_finished`.
        locked: The run ended and its log was locked: the sidecar is there and
            `run_finished` is the last event.
        sha256: Of the file as it is now, in hex.
        recorded_sha256: From the sidecar; None without one, empty when it holds none.
        side_problems: A sentence for each side file that is missing or changed.
    """

    path: Path
    lines: int
    size_bytes: int
    torn_at_byte: int | None
    damage: Damage | None
    began: bool
    ended: bool
    locked: bool
    sha256: str
    recorded_sha256: str | None
    side_problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """
        True when a run began, and the log is intact.
        """
        return self.began and self.intact

    @property
    def intact(self) -> bool:
        """
        True when nothing is wrong, torn or changed, even if no run began.
        """
        return (
            self.damage is None
            and self.torn_at_byte is None
            and self.recorded_sha256 in {None, self.sha256}
            and not self.side_problems
        )

    @property
    def repairable(self) -> bool:
        """
        True when a torn tail is all that is wrong with the log itself.
        """
        return (
            self.torn_at_byte is not None
            and self.damage is None
            and self.recorded_sha256 is None
        )

    def sentences(self) -> tuple[str, ...]:
        """
        Say for people what was found and at which byte.
        """
        return (
            f"{self.path}: {self.lines} whole lines, {self.size_bytes} bytes.",
            *self._content_sentences(),
            *self._run_sentences(),
            *self._side_sentences(),
            self._lock_sentence(),
        )

    def _content_sentences(self) -> tuple[str, ...]:
        """
        Say what is wrong with the lines.
        """
        if self.damage is not None:
            place = f"byte {self.damage.offset_bytes} (line {self.lines + 1})"
            return (f"Damaged at {place}: {self.damage.reason}. This is not repaired.",)
        if self.torn_at_byte is not None:
            torn_bytes = self.size_bytes - self.torn_at_byte
            tail = f"{torn_bytes} bytes from byte {self.torn_at_byte}"
            return (
                f"The tail is torn: {tail} are no whole line. Readers ignore them.",
            )
        if not self.size_bytes:
            return ("The log is empty: the run ended before its first event.",)
        return ("Every line is whole, in order, and matches its checksum.",)

    def _run_sentences(self) -> tuple[str, ...]:
        """
        Say whether beginning and end of a run are there.
        """
        if not self.lines:
            return ()
        if not self.began:
            return ("It does not begin with a run_started event: no run is in it.",)
        if self.ended:
            return ()
        return (
            "There is no run_finished event: the run is under way, or it was killed.",
        )

    def _side_sentences(self) -> tuple[str, ...]:
        """
        Say which side files are not as written.
        """
        shown = self.side_problems[:_SIDE_PROBLEMS_SHOWN]
        left_out = len(self.side_problems) - len(shown)
        return (*shown, f"And {left_out} more side files.") if left_out else shown

    def _lock_sentence(self) -> str:
        """
        Say whether the log is the one that was locked.
        """
        if self.recorded_sha256 is None:
            return "Not locked: the run is under way, or ended before it could lock it."
        if not self.recorded_sha256:
            return f"{sidecar_path(self.path)} holds no SHA-256 of this log."
        if self.recorded_sha256 != self.sha256:
            return (
                "Changed after it was locked: the SHA-256 was "
                f"{self.recorded_sha256} and is {self.sha256}."
            )
        if not self.locked:
            return f"Its SHA-256 is as recorded ({self.sha256}), but no run ended here."
        return f"Locked and unchanged: SHA-256 {self.sha256}."


def examine(path: Path) -> Examination:
    """
    Read a whole log with its sidecar and side files, and change nothing.

    Raises:
        JournalError: when the file cannot be opened or is not a regular file.
    """
    side_problems: list[str] = []
    first_event = ""
    with open_log(path) as file:
        scan = Scan(file)
        for event in scan:
            first_event = first_event or event.event
            found = (side_problem(path, event.fields, p) for p in event.side_files)
            side_problems.extend(filter(None, found))
    recorded = recorded_sha256(path)
    return Examination(
        path=path,
        lines=scan.line_count,
        size_bytes=scan.size_bytes,
        torn_at_byte=scan.torn_at_byte,
        damage=scan.damage,
        began=first_event == "run_started",
        ended=scan.last_event == "run_finished",
        locked=recorded is not None and scan.last_event == "run_finished",
        sha256=scan.digest.hexdigest(),
        recorded_sha256=recorded,
        side_problems=tuple(side_problems),
    )


def repair(path: Path, *, clock: Clock) -> Path | None:
    """
    Cut a torn tail after keeping a copy of the file as it was.

    Returns:
        The copy's path, `<name>.broken`; None when there was nothing to repair.

    Raises:
        JournalError: when the log is in use, was changed after it was locked, or is
            damaged elsewhere.
    """
    if os.path.lexists(sidecar_path(path)):
        _refuse_changed(examine(path))
        return None
    fd = open_regular(path, os.O_RDWR)
    try:
        take_lock(fd, path, clock=clock)
        return mend(fd, path)[1]
    finally:
        os.close(fd)


def _refuse_changed(found: Examination) -> None:
    """
    Refuse a locked log that is no longer the one that was locked.
    """
    if found.recorded_sha256 == found.sha256:
        return
    raise JournalError(
        f"{found.path} was changed after it was locked, or its sidecar was: "
        f"{found.sentences()[-1]}",
        remedy="What is missing cannot be repaired: fetch another copy of the log, "
        "such as the one in the run's artifact.",
    )


def mend(
    fd: int, path: Path, *, fsync: Callable[[int], None] = os.fsync
) -> tuple[Scan, Path | None]:
    """
    Scan a log that the caller has locked, and cut its torn tail.

    Returns:
        The scan of what the log is now, and the copy's path or None.

    Raises:
        JournalError: when the log is damaged or finished, or cannot be cut.
    """
    # Checked under the lock: another writer may have finished it meanwhile.
    refuse_finished(path)
    scan = _scan_to_end(fd)
    if scan.damage is not None:
        raise damage_error(path, scan.damage)
    if scan.torn_at_byte is None:
        return scan, None
    try:
        copy = copy_aside(fd, path, fsync)
        os.ftruncate(fd, scan.torn_at_byte)
        fsync(fd)
    except OSError as error:
        raise JournalError(
            f"cannot cut the torn tail of {path} at byte {scan.torn_at_byte}: "
            f"{error.strerror}.",
            remedy="Free space in that folder, or copy the log to another one.",
        ) from error
    return _scan_to_end(fd), copy


def _scan_to_end(fd: int) -> Scan:
    """
    Scan an open log from its first byte; the descriptor stays open.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    with os.fdopen(os.dup(fd), "rb") as file:
        scan = Scan(file)
        for _event in scan:
            pass
    return scan


def refuse_finished(path: Path) -> None:
    """
    Refuse to change a log that was locked at the end of its run.
    """
    if os.path.lexists(sidecar_path(path)):
        raise JournalError(
            f"{path} was locked when its run ended and takes no more lines.",
            remedy="Begin a new run.",
        )
