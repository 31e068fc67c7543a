"""
What group commit promises: nobody waits for the disk, and no failed sync is forgotten.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from fakes.journals import new_journal

from reliability.errors import JournalError
from reliability.journal import examine, sync

DEADLINE_S = 10


class GatedDisk:
    """
    A disk whose syncs of a log wait for the test and are recorded with its size then.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.began = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.error: OSError | None = None
        self.open_gate = False

    def fsync(self, fd: int) -> None:
        """
        Wait at the gate, unless it is a folder or a sidecar that is synced.
        """
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        if stat.S_ISDIR(os.fstat(fd).st_mode) or not name.endswith(".jsonl"):
            return
        self.sizes.append(os.fstat(fd).st_size)
        self.began.release()
        if not self.open_gate:
            assert self.go_on.acquire(timeout=DEADLINE_S)
        if self.error is not None:
            raise self.error

    def release(self) -> None:
        """
        Let this and all later syncs pass.
        """
        self.open_gate = True
        self.go_on.release()


def test_append_never_waits_and_one_sync_serves_every_line_before_it(
    tmp_path: Path,
) -> None:
    """
    While a sync is under way, lines go on; the next sync covers all of them at once.
    """
    disk = GatedDisk()
    with new_journal(tmp_path, fsync=disk.fsync) as journal:
        journal.append("x", {})
        assert disk.began.acquire(timeout=DEADLINE_S)
        for _ in range(100):
            journal.append("x", {})
        size = journal.path.stat().st_size
        disk.go_on.release()
        assert disk.began.acquire(timeout=DEADLINE_S)
        disk.release()

        assert disk.sizes == [disk.sizes[0], size]


def test_log_is_not_synced_when_nothing_was_written(tmp_path: Path) -> None:
    """
    One line is one sync, and one more when the log is closed.
    """
    disk = GatedDisk()
    disk.open_gate = True
    with new_journal(tmp_path, fsync=disk.fsync) as journal:
        journal.append("x", {})
        assert disk.began.acquire(timeout=DEADLINE_S)
        for _ in range(100):
            journal.check()

    assert len(disk.sizes) == 2


def test_busy_log_rests_between_syncs_and_closes_without_resting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Lines that come during the rest wait for one sync, which the end brings forward.
    """
    monkeypatch.setattr(sync, "REST_S", 3600)
    disk = GatedDisk()
    disk.open_gate = True
    with new_journal(tmp_path, fsync=disk.fsync) as journal:
        journal.append("x", {})
        assert disk.began.acquire(timeout=DEADLINE_S)
        for _ in range(100):
            journal.append("x", {})

    assert len(disk.sizes) == 2
    assert disk.sizes[-1] == journal.path.stat().st_size


def test_last_sync_covers_the_last_line_before_the_log_is_locked(
    tmp_path: Path,
) -> None:
    """
    The hash is recorded only after every line was synced.
    """
    disk = GatedDisk()
    disk.open_gate = True
    with new_journal(tmp_path, fsync=disk.fsync) as journal:
        journal.append("run_finished", {})
        journal.lock()

    assert disk.sizes[-1] == journal.path.stat().st_size


def test_failed_sync_ends_the_log_and_is_never_repeated(tmp_path: Path) -> None:
    """
    After one failed sync, append, check and lock raise its reason; no second sync.
    """
    disk = GatedDisk()
    disk.error = OSError(5, "Input/output error")
    with new_journal(tmp_path, fsync=disk.fsync) as journal:
        journal.append("x", {})
        assert disk.began.acquire(timeout=DEADLINE_S)
        disk.release()
        journal._commit._thread.join(DEADLINE_S)
        for use in (lambda: journal.append("x", {}), journal.check, journal.lock):
            with pytest.raises(JournalError, match=r"cannot be synced .*Input/output"):
                use()

    assert len(disk.sizes) == 1
    assert not journal.path.with_name(f"{journal.path.name}.sha256").exists()


def test_failing_last_sync_keeps_the_log_unlocked(tmp_path: Path) -> None:
    """
    When the sync before the lock fails, there is no sidecar and the log says why.
    """
    disk = GatedDisk()
    disk.open_gate = True
    with new_journal(tmp_path, fsync=disk.fsync) as journal:
        journal.append("run_finished", {})
        disk.error = OSError(28, "No space left on device")
        with pytest.raises(JournalError, match="No space left"):
            journal.lock()

    found = examine(journal.path)
    assert (found.recorded_sha256, found.locked) == (None, False)


def test_sync_that_fails_when_the_log_is_closed_is_kept_for_check(
    tmp_path: Path,
) -> None:
    """
    `close` does not raise, since it often runs after another error; `check` does.
    """
    disk = GatedDisk()
    disk.open_gate = True
    disk.error = OSError(5, "Input/output error")
    journal = new_journal(tmp_path, fsync=disk.fsync)
    journal.close()

    with pytest.raises(JournalError, match="Input/output"):
        journal.check()


def test_side_file_is_synced_before_the_line_that_refers_to_it(tmp_path: Path) -> None:
    """
    A power cut never leaves a reference without its text.
    """
    synced: list[str] = []

    def fsync(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)

    with new_journal(tmp_path, fsync=fsync) as journal:
        synced.clear()
        journal.append("x", {"answer": "x" * 300_000})

    name = journal.path.name
    side = next(journal.path.with_name(f"{name}.d").iterdir()).name
    assert synced[:4] == [side, f"{name}.d", tmp_path.name, name]


def test_folder_entry_is_synced_when_the_log_is_made(tmp_path: Path) -> None:
    """
    A power cut after `create` leaves the log findable, in folders made for it too.
    """
    synced: list[str] = []

    def fsync(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)

    new_journal(tmp_path / "a" / "b", fsync=fsync).close()

    assert synced[:3] == [tmp_path.name, "a", "b"]
