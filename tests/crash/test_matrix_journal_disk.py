"""
Rows 6 to 10 of the fault matrix: disks that are full, writes and syncs that fail.

Each fault meets a whole real run; the same faults at every line of the log alone are in
`test_journal_faults.py`.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from fakes.faults import (
    fill,
    needs_root,
    needs_strace,
    numbers_of,
    small_disk,
    traced,
)
from fakes.invariants import check_invariants, line_writes, of_kind

if TYPE_CHECKING:
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

_REPORTS = ("results.json", "report.html", "summary.md", "junit.xml")


@needs_root
def test_row_06_full_disk_at_the_journal_is_named_and_ends_the_run(
    scene: Scene,
) -> None:
    """
    No room for a line: it is taken back, exit 3, with path and bytes free.
    """
    with small_disk(scene.out):
        words = scene.simulated(answer="Hello " + "x" * 3000, loops=40, quiet=True)
        ended = scene.run(*words)
        events = check_invariants(scene, ended, log="whole")

        assert ended.code == 3
        # What fits is written first, so a short count comes as often as ENOSPC.
        assert re.search("No space left on device|only .* bytes of line", ended.stderr)
        assert str(scene.log()) in ended.stderr
        assert "bytes free" in ended.stderr
        assert len(of_kind(events, "trial_finished")) >= 5


@needs_strace
def test_row_07_full_disk_at_any_report_keeps_the_old_one(scene: Scene) -> None:
    """
    No room for a report: exit 3, the old one is whole, no temporary file is left.
    """
    words = scene.simulated(quiet=True)
    trace = scene.folder / "trace"
    check_invariants(scene, scene.run(*words, prefix=traced(trace, "write")))
    numbers = numbers_of(trace, "write", ".tmp")[1:]  # The first is the log's digest.
    for name, number in zip(_REPORTS, numbers, strict=False):
        before = (scene.out / name).read_bytes()
        fault = f"write:error=ENOSPC:when={number}"
        ended = scene.run(*words, prefix=traced(trace, "write", fault))
        check_invariants(scene, ended, has_reports=False)

        assert ended.code == 3
        assert f"could not be written to {scene.out / name}: No space" in ended.stderr
        assert (scene.out / name).read_bytes() == before
        assert list(scene.out.glob(".*")) == []
    assert len(numbers) >= len(_REPORTS)


@needs_root
def test_row_07_full_disk_of_a_report_folder_keeps_the_old_files(scene: Scene) -> None:
    """
    The same on a disk that is really full, for the command that makes reports again.
    """
    check_invariants(scene, scene.run(*scene.simulated(quiet=True)))
    place = scene.folder / "reports"
    with small_disk(place):
        words = ("report", scene.log(), "--output-dir", place)
        assert scene.run(*words).code == 0
        before = {name: (place / name).read_bytes() for name in _REPORTS}
        fill(place, leave_bytes=0)
        ended = scene.run(*words)
        check_invariants(scene, ended, is_run=False)

        assert ended.code == 3
        assert "No space left on device" in ended.stderr
        assert {name: (place / name).read_bytes() for name in _REPORTS} == before
        assert list(place.glob(".*")) == []


@needs_strace
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT"])
def test_row_08_failing_write_of_any_line_ends_the_run_as_not_measured(
    scene: Scene, error: str
) -> None:
    """
    The n-th line fails, for each n: exit 3, all lines before it are whole.
    """
    words = scene.simulated(quiet=True, loops=2)
    for lines, number in enumerate(line_writes(scene, words)):
        shutil.rmtree(scene.out, ignore_errors=True)
        fault = f"write:error={error}:when={number}"
        ended = scene.run(*words, prefix=traced(scene.folder / "t", "write", fault))
        events = check_invariants(scene, ended, log="whole")

        assert ended.code == 3
        assert f"line {lines + 1} cannot be written" in ended.stderr
        assert "bytes free" in ended.stderr
        assert len(events) == lines


@needs_strace
@pytest.mark.parametrize("number", [1, 2])
def test_row_09_failed_sync_ends_the_run_and_is_never_repeated(
    scene: Scene, number: int
) -> None:
    """
    EIO of the log's k-th fsync: exit 3, and that thread calls fsync no more.
    """
    trace = scene.folder / "trace"
    words = scene.simulated(latency_s=0.1, quiet=True)
    # The folder is synced by another thread, which counts for itself.
    fault = f"fsync:error=EIO:when={number}"
    scene.out.mkdir()
    ended = scene.run(*words, prefix=traced(trace, "fsync,fdatasync", fault))
    has_begun = number > 1
    events = check_invariants(scene, ended, log="whole" if has_begun else "absent")
    synced = [line for line in trace.read_text().splitlines() if ".jsonl>" in line]

    assert ended.code == 3
    assert ("cannot be synced" if has_begun else "cannot make a log") in ended.stderr
    assert len(synced) == (number if has_begun else 0)
    assert of_kind(events, "run_finished") == []


@needs_strace
def test_row_10_short_write_is_noticed_by_its_count(scene: Scene) -> None:
    """
    Three bytes of a line: taken back, exit 3, and the message says how many.
    """
    words = scene.simulated(quiet=True)
    for number in line_writes(scene, words)[::4]:
        shutil.rmtree(scene.out, ignore_errors=True)
        fault = f"write:retval=3:when={number}"
        ended = scene.run(*words, prefix=traced(scene.folder / "t", "write", fault))
        check_invariants(scene, ended, log="whole")

        assert ended.code == 3
        assert "only 3 of the" in ended.stderr
