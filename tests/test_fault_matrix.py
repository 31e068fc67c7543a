"""
The page on the fault matrix and the tests of its rows say the same.
"""

from __future__ import annotations

import re

import pytest
from fakes.runs import ROOT

ROWS = range(1, 46)
PAGE = (ROOT / "docs/fault-matrix.md").read_text(encoding="utf-8")
LISTED = {
    int(cells[0]): cells[1:]
    for cells in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if re.match(r"\| \d+ \|", line)
    )
}
FILES = sorted((ROOT / "tests/crash").glob("test_matrix_*.py"))
TESTED = {
    int(row)
    for path in FILES
    for row in re.findall(r"^def test_row_(\d\d)_", path.read_text(), re.MULTILINE)
}


def test_every_row_is_listed_once_and_in_order() -> None:
    """
    The page has the rows 1 to 45 and no other.
    """
    assert list(ROWS) == list(LISTED)


@pytest.mark.parametrize("row", ROWS)
def test_row_is_tested_or_says_why_not(row: int) -> None:
    """
    A row has tests by its name, or its result says that and why it cannot be tested.
    """
    _, _, tests, result = LISTED[row]
    why = re.fullmatch(r"cannot be tested here: \S.{20,}", result)

    assert (row in TESTED) != bool(why)
    assert tests == (f"`test_row_{row:02}_*`" if row in TESTED else "")


def test_no_test_is_of_a_row_that_is_not_listed() -> None:
    """
    A row that is renamed or dropped takes its tests along.
    """
    assert set(LISTED) >= TESTED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_test_of_a_row_checks_the_invariants(path: object) -> None:
    """
    Every test checks the invariants; one without a run reads the log with their parser.
    """
    text = str(path)
    with open(text, encoding="utf-8") as file:  # noqa: PTH123 - a parametrised path
        bodies = re.split(r"^def (test_row_\w+)", file.read(), flags=re.MULTILINE)[1:]
    checks = re.compile(r"check_invariants\(|parse_log\(|_measured\(|_resumed\(")
    unchecked = [
        name
        for name, body in zip(bodies[::2], bodies[1::2], strict=True)
        if not checks.search(body)
    ]

    assert [] == unchecked
