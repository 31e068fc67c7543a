"""
What examining and repairing a log promise: the truth, at which byte, and no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import SteppedClock, crashed_log, line_starts, new_journal

from reliability.errors import JournalError
from reliability.journal import examine, repair
from reliability.journal.files import network_warnings

if TYPE_CHECKING:
    from pathlib import Path


def _locked_log(directory: Path) -> Path:
    """
    Leave a log whose run ended.
    """
    with new_journal(directory) as journal:
        journal.append("run_started", {})
        journal.append("run_finished", {"status": "completed"})
        journal.lock()
    return journal.path


def _changed(path: Path, old: bytes, new: bytes) -> None:
    """
    Change a file that may be read-only.
    """
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(old, new))


def test_locked_log_is_found_locked_and_unchanged(tmp_path: Path) -> None:
    """
    A log as its run left it is in order, and its hash is the recorded one.
    """
    found = examine(_locked_log(tmp_path))

    assert (found.ok, found.locked, found.lines) == (True, True, 2)
    assert found.sha256 == found.recorded_sha256
    assert found.sentences()[-1] == f"Locked and unchanged: SHA-256 {found.sha256}."


def test_interrupted_log_is_in_order_but_not_locked(tmp_path: Path) -> None:
    """
    A run that was killed leaves a good log that says it was not locked.
    """
    with new_journal(tmp_path) as journal:
        journal.append("run_started", {})
    found = examine(journal.path)

    assert (found.ok, found.locked, found.recorded_sha256) == (True, False, None)
    assert found.sentences()[-2].startswith("There is no run_finished event: ")
    assert found.sentences()[-1].startswith("Not locked: ")


def test_log_without_a_beginning_is_not_ok(tmp_path: Path) -> None:
    """
    An empty file, and events that no run began with, prove nothing.
    """
    with new_journal(tmp_path / "empty") as empty:
        pass
    with new_journal(tmp_path / "odd") as odd:
        odd.append("trial_started", {"trial": 1})
    found, other = examine(empty.path), examine(odd.path)

    assert (found.ok, found.damage, other.ok) == (False, None, False)
    assert "The log is empty" in found.sentences()[1]
    assert "does not begin with a run_started event" in " ".join(other.sentences())


def test_shortened_log_is_not_repaired_but_told_to_be_another(tmp_path: Path) -> None:
    """
    What was cut from a locked log is not to be had here; a new run is not the remedy.
    """
    path = _locked_log(tmp_path)
    last = line_starts(path.read_bytes())[-1]
    for size in (last, last + 9):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:size].ljust(size, b"x"))

        with pytest.raises(JournalError, match="changed after it was locked") as caught:
            repair(path, clock=SteppedClock())
        assert "another copy" in caught.value.remedy


def test_locked_log_in_order_needs_no_repair(tmp_path: Path) -> None:
    """
    Nothing to repair, nothing done, nothing complained of.
    """
    assert repair(_locked_log(tmp_path), clock=SteppedClock()) is None


def test_examining_changes_nothing(tmp_path: Path) -> None:
    """
    A torn log is as torn after it was examined, and no file was added.
    """
    path = crashed_log(tmp_path, "one", "two")
    torn = path.read_bytes()[:-5]
    path.write_bytes(torn)
    examine(path)

    assert path.read_bytes() == torn
    assert list(tmp_path.iterdir()) == [path]


def test_log_rewritten_after_the_lock_is_found_changed(tmp_path: Path) -> None:
    """
    A forged log with right checksums and another content does not have the hash.
    """
    path = _locked_log(tmp_path)
    with new_journal(tmp_path / "forged") as forged:
        forged.append("run_started", {})
        forged.append("run_finished", {"status": "forged"})
    _changed(path, path.read_bytes(), forged.path.read_bytes())
    found = examine(path)

    assert (found.damage, found.torn_at_byte, found.ok) == (None, None, False)
    assert found.sentences()[-1].startswith("Changed after it was locked: ")


@pytest.mark.parametrize("record", [b"", b"nonsense\n", b"0" * 64 + b"  other.jsonl\n"])
def test_sidecar_without_the_hash_of_this_log_is_not_ok(
    tmp_path: Path, record: bytes
) -> None:
    """
    A sidecar that says nothing about this log is no proof.
    """
    path = _locked_log(tmp_path)
    sidecar = path.with_name(f"{path.name}.sha256")
    _changed(sidecar, sidecar.read_bytes(), record)
    found = examine(path)

    assert (found.ok, found.recorded_sha256) == (False, "")
    assert "holds no SHA-256 of this log" in found.sentences()[-1]


def test_hash_without_the_end_of_a_run_is_not_called_locked(tmp_path: Path) -> None:
    """
    Locked means that the run ended, not only that a hash was recorded.
    """
    journal = new_journal(tmp_path)
    journal.append("run_started", {})
    journal.lock()

    assert not examine(journal.path).locked
    assert "no run ended here" in examine(journal.path).sentences()[-1]


def test_damage_is_told_with_line_and_byte(tmp_path: Path) -> None:
    """
    A person is told where the first bad line begins and what is wrong.
    """
    path = crashed_log(tmp_path, "one", "two", "three")
    _changed(path, b"two", b"TWO")
    offset = line_starts(path.read_bytes())[1]

    assert examine(path).sentences()[1] == (
        f"Damaged at byte {offset} (line 2): the CRC-32 does not match the line. "
        "This is not repaired."
    )


def test_torn_tail_is_told_with_its_byte(tmp_path: Path) -> None:
    """
    A person is told from which byte on there is no whole line, and how much.
    """
    path = crashed_log(tmp_path, "one", "two")
    whole = path.read_bytes()
    last = line_starts(whole)[-1]
    path.write_bytes(whole[: last + 9])
    found = examine(path)

    assert (found.ok, found.repairable) == (False, True)
    assert found.sentences()[1] == (
        f"The tail is torn: 9 bytes from byte {last} are no whole line. "
        "Readers ignore them."
    )


def test_repair_keeps_a_copy_each_time_and_overwrites_none(tmp_path: Path) -> None:
    """
    Three tears, three copies, each as the file was; the log ends whole.
    """
    path = crashed_log(tmp_path, "one")
    whole = path.read_bytes()
    copies = []
    for tail in (b"a", b"bb", b"ccc"):
        path.write_bytes(whole + tail)
        copies.append(repair(path, clock=SteppedClock()))

    assert [copy.name for copy in copies if copy] == [
        f"{path.name}.broken",
        f"{path.name}.broken.2",
        f"{path.name}.broken.3",
    ]
    assert [whole + b"a", whole + b"bb", whole + b"ccc"] == [
        copy.read_bytes() for copy in copies if copy
    ]
    assert path.read_bytes() == whole


def test_log_in_order_is_not_touched_by_repair(tmp_path: Path) -> None:
    """
    Nothing to repair, nothing done.
    """
    path = crashed_log(tmp_path, "one")

    assert repair(path, clock=SteppedClock()) is None
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_or_finished_log_or_one_in_use_is_not_repaired(tmp_path: Path) -> None:
    """
    Repair cuts a torn tail of an interrupted log, and refuses everything else.
    """
    damaged = crashed_log(tmp_path / "damaged", "one", "two")
    _changed(damaged, b"one", b"ONE")
    finished = _locked_log(tmp_path / "finished")
    finished.chmod(0o600)
    with finished.open("ab") as file:
        file.write(b"tail")
    with new_journal(tmp_path / "used") as used:
        for path, word in (
            (damaged, "damaged at byte 0"),
            (finished, "was locked"),
            (used.path, "in use"),
        ):
            before = path.read_bytes()
            with pytest.raises(JournalError, match=word):
                repair(path, clock=SteppedClock())

            assert path.read_bytes() == before


def _mountinfo(path: Path, kind: str) -> str:
    """
    Return a line of mountinfo that puts *path* on a file system of that kind.
    """
    device = path.stat().st_dev
    place = f"{device >> 8}:{device & 255}"
    return f"36 35 {place} / /mnt rw,noatime shared:1 - {kind} server:/x rw\n"


@pytest.mark.parametrize(
    ("kind", "count"),
    [("nfs4", 1), ("cifs", 1), ("fuse.sshfs", 1), ("9p", 1), ("ext4", 0), ("tmpfs", 0)],
)
def test_network_file_system_is_warned_of(
    tmp_path: Path, monkeypatch: Any, kind: str, count: int
) -> None:
    """
    A log on a file system that several machines may write says so; others do not.
    """
    monkeypatch.setattr("os.major", lambda device: device >> 8)
    monkeypatch.setattr("os.minor", lambda device: device & 255)
    warnings = network_warnings(tmp_path, mounts=_mountinfo(tmp_path, kind))

    assert [kind in warning for warning in warnings] == [True] * count
