"""
Reports of a suite: which case, which check, why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.judges import AGAINST, run_judged
from fakes.runs import ENVIRON

from reliability.report.cases import case_rows
from reliability.report.markdown import summary
from reliability.report.terminal import verdict_table
from reliability.run import run
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

SUITE = """
version: 1
defaults: {backend: simulated, simulator: "latency=0,pass-rate=1", loops: 2, delay: 0}
cases:
  - {name: holds, prompt: Hi., tags: [quick], checks: [{contains: Hello}]}
  - name: breaks
    prompt: Hi.
    tags: [quick, slow]
    checks: [{contains: Hello}, {equals: Good day}]
"""


def run_suite(folder: Path) -> RunResult:
    """
    Run two cases, of which one fails by its second check.
    """
    path = folder / "reliability.yml"
    path.write_text(SUITE, encoding="utf-8")
    suite = open_suite({"suite": str(path), "output-dir": str(folder / "out")})
    return run(suite.settings, suite=suite, environ=ENVIRON, workspace=folder)


def test_a_red_suite_says_which_case_which_check_and_why(tmp_path: Path) -> None:
    """
    In the terminal and in the summary, the failing case first.
    """
    result = run_suite(tmp_path)
    table = " ".join(verdict_table(result, colour=False).split())
    tags = [text for label, text in case_rows(result) if label == "Tag"]
    rows = [text for label, text in case_rows(result) if label == "Case"]

    assert ["quick: 2 of 4 passed", "slow: 0 of 2 passed"] == tags
    assert "1 of 2 cases failed: breaks." in table
    assert "breaks: equals:Good day: expected exactly 'Good day', got" in table
    assert ["FAIL breaks: 0 of 2", "PASS holds: 2 of 2"] == [
        " ".join(text.split()[:5]) for text in rows
    ]
    assert "| FAIL breaks: 0 of 2 passed" in summary(result)


def test_a_run_without_a_suite_has_no_rows_of_cases(tmp_path: Path) -> None:
    """
    One prompt is shown as ever.
    """
    assert [] == case_rows(run_judged(tmp_path, AGAINST))
