"""
The verdict table in a terminal of any width, and the list of files below it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.runs import run_simulated, scripted

from reliability.model import Verdict
from reliability.report.terminal import file_list, verdict_table

if TYPE_CHECKING:
    from reliability.run_result import RunResult

REASON = (
    "expected an answer that contains 'Hello', got 'The agent was started, but it "
    "returned no reply.' and a good deal more than that, of which nobody needs all"
) * 2
WIDTHS = (40, 60, 80, 100, 130, 200)


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make a failed run with long texts wherever there can be some.
    """
    folder = tmp_path_factory.mktemp("run")
    steps = scripted(folder, {"status": 529, "retry_after_s": 0}, {"text": "No."})
    result = run_simulated(folder, simulator=steps, prompt="Say hello.")
    return replace(
        result,
        trials=tuple(replace(trial, reason=REASON) for trial in result.trials),
        warnings=("The model is not pinned by its full name, so it may change.",),
    )


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("colour", [False, True])
def test_table_fits_every_width(failed: RunResult, columns: int, colour: bool) -> None:
    """
    No line is wider than the terminal, paint not counted.
    """
    table = verdict_table(failed, colour=colour, columns=columns)
    for paint in ("\x1b[36m", "\x1b[31;1m", "\x1b[0m"):
        table = table.replace(paint, "")

    assert "\x1b" not in table
    assert columns >= max(map(len, table.splitlines()))


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_word_is_broken(failed: RunResult, columns: int, verdict: Verdict) -> None:
    """
    Headline, facts and notes say the same words in the same order at every width.
    """
    result = replace(failed, verdict=verdict, trials=())
    wide = verdict_table(result, colour=False, columns=10_000)
    table = verdict_table(result, colour=False, columns=columns)

    assert wide.split() == table.split()


def test_continued_lines_hang_under_their_text(failed: RunResult) -> None:
    """
    A value that goes on in the next line stays clear of the labels.
    """
    lines = verdict_table(failed, colour=False, columns=60).splitlines()
    row = next(n for n, line in enumerate(lines) if line.startswith("  Mode"))
    column = lines[row].index("one after")

    assert " " * column == lines[row + 1][:column]
    assert " " != lines[row + 1][column]


def test_why_goes_below_its_row_where_the_terminal_is_narrow(
    failed: RunResult,
) -> None:
    """
    Below 70 columns a row would leave no room for it; from there on it stands beside.
    """
    narrow = verdict_table(failed, colour=False, columns=69).splitlines()
    wide = verdict_table(failed, colour=False, columns=70).splitlines()
    below = next(line for line in narrow if "expected an answer" in line)
    beside = next(line for line in wide if "expected an answer" in line)

    assert below.lstrip().startswith("expected")
    assert "✗ fail" in beside


def test_why_says_that_it_was_cut(failed: RunResult) -> None:
    """
    A reason that has no room ends with an ellipsis, in a terminal that is wide also.
    """
    for columns in (60, 80):
        assert "…" in verdict_table(failed, colour=False, columns=columns)


def test_long_word_does_not_overflow(failed: RunResult) -> None:
    """
    A word longer than its column is the only one that is broken.
    """
    result = replace(failed, agent="a" * 150)
    table = verdict_table(result, colour=False, columns=60)

    assert 60 >= max(map(len, table.splitlines()))
    assert 150 == table.replace("\n", "").replace(" ", "").count("a" * 30) * 30


def test_files_are_listed_in_the_order_of_their_use() -> None:
    """
    What a person opens comes first, and the log, which the rest is made of, last.
    """
    paths = {
        name: Path("/far/away") / f"{name}.file"
        for name in ("log", "digest", "readable", "junit", "summary", "results")
    }
    paths["report"] = Path.cwd() / "report.html"
    names = [line.split()[0] for line in file_list(paths).splitlines() if line]

    assert ["report", "results", "summary"] == names[:3]
    assert "log" == names[-1]
    assert set(paths) == set(names)
    assert "  report.html\n" in file_list(paths)


def test_no_path_is_cut() -> None:
    """
    A path that lost its end names no file.
    """
    path = Path("/" + "/".join(["folder" * 20] * 8)) / "results.json"

    assert f"{path}\n" in file_list({"results": path})
