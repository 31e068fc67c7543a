"""
The files of a run: complete or not at all, wherever they are wanted.
"""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.journals import new_journal
from fakes.runs import run_simulated

from reliability.errors import JournalError
from reliability.report import REPORT_NAMES, report_paths, write_reports
from reliability.results import read_result

if TYPE_CHECKING:
    from reliability.run_result import RunResult


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make one run.
    """
    return run_simulated(tmp_path_factory.mktemp("run"), loops="2")


def test_folder_is_made_and_holds_every_report(
    result: RunResult, tmp_path: Path
) -> None:
    """
    Reports of a log that lies elsewhere need no folder that is there already.
    """
    folder = tmp_path / "a" / "b"
    paths = write_reports(result, folder)

    assert {*REPORT_NAMES.values(), paths["readable"].name} == {
        path.name for path in folder.iterdir()
    }
    assert paths == report_paths(result, folder)
    assert all(path.is_file() for path in paths.values())


def test_error_names_the_file_that_was_to_be_written(
    result: RunResult, tmp_path: Path
) -> None:
    """
    Not the temporary one, which is gone by then.
    """
    (tmp_path / "results.json").mkdir()

    with pytest.raises(OSError, match="results") as caught:
        write_reports(result, tmp_path)
    assert str(tmp_path / "results.json") == caught.value.filename
    assert [] == list(tmp_path.glob(".*.tmp"))


def test_error_of_a_full_disk_names_the_report(
    result: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What was written of it is gone.
    """
    descriptor = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(
        "reliability.report.files.open_regular", lambda *_: os.dup(descriptor)
    )
    with pytest.raises(OSError, match="No space left") as caught:
        write_reports(result, tmp_path)
    os.close(descriptor)

    assert str(tmp_path / "results.json") == caught.value.filename
    assert [] == list(tmp_path.iterdir())


def test_older_report_is_replaced(result: RunResult, tmp_path: Path) -> None:
    """
    Reports are read-only, and made again all the same.
    """
    write_reports(result, tmp_path)
    write_reports(replace(result, reason="Another reason."), tmp_path)

    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))

    assert "Another reason." == found["reason"]


def test_report_never_replaces_the_log(result: RunResult, tmp_path: Path) -> None:
    """
    Whatever name a copy of a log has been given, it is the source of all reports.
    """
    for name in ("copy.log", "copy"):
        copy = tmp_path / name
        shutil.copy(result.log, copy)
        write_reports(read_result(copy), tmp_path)

        assert copy.read_bytes() == Path(result.log).read_bytes()


def test_log_with_the_name_of_a_report_is_refused(
    result: RunResult, tmp_path: Path
) -> None:
    """
    Nothing is written then, and the remedy is named.
    """
    for name in REPORT_NAMES.values():
        copy = tmp_path / name
        shutil.copy(result.log, copy)

        with pytest.raises(JournalError, match="--output-dir"):
            write_reports(read_result(copy), tmp_path)
        assert copy.read_bytes() == Path(result.log).read_bytes()
        assert list(tmp_path.iterdir()) == [copy]
        copy.unlink()


def test_readable_log_is_not_held_in_memory(tmp_path: Path) -> None:
    """
    A log larger than memory still has its readable form.
    """
    attempt = {
        "trial": 1,
        "kind": "",
        "reason": "",
        "errors": "",
        "duration_s": 1.0,
        "retry_in_s": None,
    }
    log = {"schema": 1, "loops": 1, "prompt": "Hi.", "simulated": True}
    with new_journal(tmp_path) as journal:
        journal.append("run_started", log)
        for number in range(1, 201):
            own = {"attempt": number, "answer": "word " * 10_000}
            journal.append("attempt_finished", {**attempt, **own})
    made = run_simulated(tmp_path / "made", loops="1")
    tracemalloc.start()
    paths = write_reports(replace(made, log=str(journal.path)), tmp_path / "out")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert paths["readable"].stat().st_size > 10_000_000
    assert peak_bytes < 3_000_000
