"""
Write the log of one run: append whole lines, and lock it at the end.

What `append` has returned survives the death of this process at any instruction: it
is in the kernel, whole, by one `write`. What a power cut takes is at most the last
moments (see `sync`). A line that cannot be written whole is taken back, and the log
is dead from then on: a run that cannot be recorded cannot be believed.

The log is locked with `flock` for the writer's whole life. An event that is not JSON
(NaN, an unknown object) is refused without a line, and the log goes on. Lines are
formatted under the lock, so that numbers and times are in the order of the file;
threads wait some 40 microseconds for each other.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from reliability.clock import iso_ms
from reliability.errors import JournalError
from reliability.journal.files import FINISHED_MODE, write_whole
from reliability.journal.line import ENVELOPE
from reliability.journal.name import side_directory, sidecar_path
from reliability.journal.opening import open_again, open_new
from reliability.journal.side import move_longest
from reliability.journal.sync import GroupCommit
from reliability.journal.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from reliability.clock import Clock
    from reliability.journal.opening import OpenedLog

# Side files of a finished log are for everybody to read, as the log itself is.
_FINISHED_FOLDER_MODE = 0o755


class Journal:
    """
    The log of one run, open for writing; made by `create` or `reopen`.

    `path` is absolute; `warnings` has a sentence for each doubt about place or state of
    the log. Any thread may call any method; a signal handler may call none.
    """

    def __init__(
        self,
        opened: OpenedLog,
        *,
        clock: Clock,
        redact: Callable[[Any], Any],
        fsync: Callable[[int], None],
    ) -> None:
        # Imported here since logging takes long to import and no reader needs it.
        from reliability.journal import handler

        self.path = opened.path
        self.run_id = opened.run_id
        self.warnings = opened.warnings
        self._fd = opened.fd
        self._clock = clock
        self._redact = redact
        self._fsync = fsync
        self._ended = ""
        self._sha256 = ""
        self._owner_pid = os.getpid()
        self._lock = threading.Lock()
        self._tail = Tail(opened.fd, opened.path, opened.end, clock)
        self._record = handler.EventRecord
        self._handler = handler.StrictHandler(self._tail.write, self._make_shorter)
        self._commit = GroupCommit(opened.fd, fsync)

    @classmethod
    def create(
        cls,
        directory: Path,
        *,
        base_name: str,
        run_id: str,
        clock: Clock,
        redact: Callable[[Any], Any],
        fsync: Callable[[int], None] = os.fsync,
    ) -> Journal:
        """
        Begin the log of a new run: `<base name>_<UTC time>_<run id>.jsonl`.

        Args:
            directory: Made when it is missing.
            redact: Applied to the fields of each event before anything is written.

        Raises:
            JournalError: when the names cannot be a file's, the file exists, or the
                folder cannot be made or written.
        """
        opened = open_new(
            directory, base_name=base_name, run_id=run_id, clock=clock, fsync=fsync
        )
        return cls._begin(opened, clock=clock, redact=redact, fsync=fsync)

    @classmethod
    def reopen(
        cls,
        path: Path,
        *,
        clock: Clock,
        redact: Callable[[Any], Any],
        wait_s: float = 0.0,
        fsync: Callable[[int], None] = os.fsync,
    ) -> Journal:
        """
        Go on with the log of a run that was interrupted, after cutting a torn tail.

        Args:
            wait_s: How long to wait for another writer to end.

        Raises:
            JournalError: when the log is in use, was locked, is damaged, or is not a
                regular file.
        """
        opened = open_again(path, clock=clock, wait_s=wait_s, fsync=fsync)
        return cls._begin(opened, clock=clock, redact=redact, fsync=fsync)

    @classmethod
    def _begin(
        cls,
        opened: OpenedLog,
        *,
        clock: Clock,
        redact: Callable[[Any], Any],
        fsync: Callable[[int], None],
    ) -> Journal:
        """
        Start the writer of an opened log, or close it again.
        """
        try:
            return cls(opened, clock=clock, redact=redact, fsync=fsync)
        except RuntimeError as error:
            os.close(opened.fd)
            raise JournalError(
                f"no thread can be started to sync {opened.path}: {error}.",
                remedy="Raise the limit on processes and threads.",
            ) from error
        except BaseException:
            os.close(opened.fd)
            raise

    def append(self, event: str, fields: Mapping[str, Any]) -> int:
        """
        Write one event as one line and return its number; never wait for the disk.

        Raises:
            JournalError: when the event is not JSON, too long, or uses a name of the
                line itself: then nothing was written and the log goes on. Also when
                the line cannot be written, the file is no longer the one that was
                opened, or an earlier write or sync failed: then the log is dead, and
                every later call raises the first reason.
        """
        own = self._redact(dict(fields))
        if not ENVELOPE.isdisjoint(own):
            clash = ", ".join(sorted(ENVELOPE.intersection(own)))
            raise self._refused(event, f"{clash} is a name of the line itself")
        self._require_owner()
        with self._lock:
            self.check()
            if self._ended:
                raise JournalError(f"{self.path} {self._ended}.")
            self._tail.settle()
            seq = self._tail.position.next_seq
            members = {
                "seq": seq,
                "time": iso_ms(self._clock.now_utc()),
                "run_id": self.run_id,
                "event": event,
                **own,
            }
            try:
                self._handler.emit(self._record(members))
            except (TypeError, ValueError, RecursionError) as error:
                raise self._refused(event, str(error)) from error
            self._commit.mark()
            return seq

    def check(self) -> None:
        """
        Raise the reason why the log is dead, if it is.

        Raises:
            JournalError: after a write or a background sync has failed.
        """
        if self._commit.failure is not None and not self._tail.failure:
            self._tail.failure = (
                f"the log cannot be synced to disk: {self._commit.failure} "
                f"({self.path}); lines since the last sync may not survive a power cut"
            )
        if self._tail.failure:
            raise JournalError(f"{self._tail.failure}.")

    def lock(self) -> str:
        """
        End the log: sync it, read it back, record its SHA-256, make it read-only.

        Returns:
            The SHA-256 in hex, also in `<name>.sha256` as sha256sum(1) writes it; a
            second call returns it again.

        Raises:
            JournalError: when the last sync fails, or the file read back is not what
                was written; then there is no sidecar.
        """
        self._require_owner()
        with self._lock:
            if self._sha256:
                return self._sha256
            if self._fd < 0:
                raise JournalError(f"{self.path} {self._ended}.")
            self._ended = "takes no more lines: it is being locked"
            self._tail.settle()
            self._commit.finish()
            self.check()
            digest = self._tail.read_back()
            record = f"{digest}  {self.path.name}\n".encode()
            try:
                write_whole(sidecar_path(self.path), record, sync=self._fsync)
                os.fchmod(self._fd, FINISHED_MODE)
                if side_directory(self.path).is_dir():
                    side_directory(self.path).chmod(_FINISHED_FOLDER_MODE)
            except OSError as error:
                self._tail.fail("the log's sidecar cannot be written", error)
            self._sha256 = digest
            self._close("was locked when its run ended")
            return digest

    def close(self) -> None:
        """
        Stop writing without locking the log; later calls do nothing.

        Every line is synced once more; whether that failed is for `check` to say.
        """
        if os.getpid() != self._owner_pid:
            return
        with self._lock:
            if self._fd >= 0:
                self._commit.finish()
                self._close("is closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _close(self, how: str) -> None:
        """
        Give up the descriptor and with it the lock on the file.
        """
        self._ended = how
        self._handler.close()
        os.close(self._fd)
        self._fd = -1

    def _make_shorter(self, members: dict[str, Any], excess_bytes: int) -> bool:
        """
        Move long texts of a line to side files; see `side.move_longest`.
        """
        try:
            return move_longest(
                members, excess_bytes, self.path, self._commit.sync_first
            )
        except OSError as error:
            self._tail.fail("a long text cannot be kept beside the log", error)

    def _require_owner(self) -> None:
        """
        Refuse a forked copy of the writer, which shares its lock and lacks its thread.
        """
        if os.getpid() != self._owner_pid:
            raise JournalError(
                f"{self.path} is written by process {self._owner_pid}, not this one.",
                remedy="Start child processes instead of forking.",
            )

    def _refused(self, event: str, reason: str) -> JournalError:
        """
        Return the error for an event that cannot be a line.
        """
        return JournalError(
            f"the event {event[:80]!r} cannot be logged in {self.path}: {reason}.",
            remedy="Nothing was written; the log goes on.",
        )
