"""
Reading a log and writing its reports take no more memory for a long run.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import new_journal
from fakes.logs import FINISHED, REUSED, START, cases
from fakes.trials import a_trial, stored

from reliability import trials as trials_module
from reliability.model import Outcome
from reliability.report.document import json_pieces
from reliability.report.files import write_reports
from reliability.report.html import page
from reliability.report.junit import junit
from reliability.results import read_result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reliability.run_result import RunResult

ANSWER = "All is well, said the agent. " * 68
FEW, MANY = 50, 550
HELD_BYTES = (MANY - FEW) * len(ANSWER)  # What holding the answers would take.


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let what stays in memory before the file is used not count.
    """
    monkeypatch.setattr(trials_module, "SPILL_BYTES", 16 * 1024)


def long_log(folder: Path, count: int) -> Path:
    """
    Write the log of a run of so many trials, half of which failed, with long answers.
    """
    with new_journal(folder, fsync=lambda _fd: None) as journal:
        journal.append("run_started", {**START, "cases": cases(loops=count)})
        for number in range(count, 0, -1):
            outcome = {"outcome": "fail" if number % 2 else "pass", "answer": ANSWER}
            own = {"trial": number, "loop": number, **outcome}
            journal.append("trial_reused", {**REUSED, **own})
        journal.append("run_finished", FINISHED)
    return journal.path


def peak_bytes(make: Callable[[], Any]) -> int:
    """
    Return how much memory was in use at once while something was made.
    """
    tracemalloc.start()
    try:
        kept = make()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del kept


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """
    Make a short log and a long one.
    """
    folder = tmp_path_factory.mktemp("logs")
    return {count: long_log(folder / str(count), count) for count in (FEW, MANY)}


def test_reading_a_long_log_holds_no_answers(logs: dict[int, Path]) -> None:
    """
    Of each trial a few bytes stay in memory, the result included.
    """
    few, many = (peak_bytes(lambda n=n: read_result(logs[n])) for n in (FEW, MANY))

    assert many - few < HELD_BYTES / 8


def test_writing_reports_of_a_long_run_holds_no_answers(
    logs: dict[int, Path], tmp_path: Path
) -> None:
    """
    All files together, of a run in which many trials did not pass.
    """
    results = {count: read_result(log) for count, log in logs.items()}
    few, many = (
        peak_bytes(lambda n=n: write_reports(results[n], tmp_path / str(n)))
        for n in (FEW, MANY)
    )

    assert many - few < HELD_BYTES / 4
    assert (tmp_path / str(MANY) / "results.json").stat().st_size > HELD_BYTES
    assert (tmp_path / str(MANY) / "report.html").stat().st_size > HELD_BYTES


@pytest.mark.parametrize("make", [json_pieces, junit, page])
def test_no_piece_of_a_report_grows_with_the_run(
    make: Callable[[RunResult], Any], logs: dict[int, Path]
) -> None:
    """
    A report is as many pieces as there are trials, and each is small.
    """
    few, many = (max(map(len, make(read_result(logs[count])))) for count in (FEW, MANY))

    assert many < few + 100


def test_page_of_a_long_run_has_a_bound(logs: dict[int, Path]) -> None:
    """
    Of ever more trials it shows no more.
    """
    result = read_result(logs[FEW])
    bad = a_trial(1, outcome=Outcome.FAIL, answer="No.")
    sizes = [
        sum(map(len, page(replace(result, trials=stored(*trials)))))
        for trials in (
            [replace(bad, number=n) for n in range(1, count)]
            for count in (4_000, 6_000)
        )
    ]

    assert abs(sizes[1] - sizes[0]) < 100
