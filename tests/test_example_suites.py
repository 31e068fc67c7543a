"""
The examples that need no Claude Code: they run as they are, green and red.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fakes.runs import ENVIRON, ROOT, own_environ, scripted

from reliability.model import Verdict
from reliability.run import run
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

EXAMPLES = ROOT / "examples"
SUITES = sorted(path.parent.name for path in EXAMPLES.glob("*/reliability.yml"))
INVOICE = {
    "number": "2026-114",
    "total": 118.5,
    "items": [{"name": "lamp", "count": 3, "price": 39.5}],
}


def run_example(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **given: str
) -> RunResult:
    """
    Run the suite of a copy of an example.
    """
    place = folder / name
    shutil.copytree(EXAMPLES / name, place)
    monkeypatch.chdir(place)
    texts = {name.replace("_", "-"): text for name, text in given.items()}
    suite = open_suite({"delay": "0", "output-dir": str(folder / "out"), **texts})
    return run(suite.settings, suite=suite, environ=ENVIRON, workspace=place)


def served(folder: Path, answer: object) -> dict[str, str]:
    """
    Return options for a simulated model that answers with JSON.
    """
    step: dict[str, Any] = {"text": f"```json\n{json.dumps(answer)}\n```"}
    return {"backend": "simulated", "simulator": scripted(folder, step), "loops": "2"}


@pytest.mark.parametrize("name", SUITES)
def test_every_example_is_a_suite_without_problems(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    All that can be known without a call is right in each of them.
    """
    monkeypatch.chdir(EXAMPLES / name)
    suite = open_suite({})

    assert all(case.checks for case in suite.cases)


def test_the_shell_agent_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A program in a copy of its folder, graded by what it says and what it leaves.
    """
    result = run_example("shell-agent", tmp_path, monkeypatch, loops="2")

    assert Verdict.PASS is result.verdict, result.trials
    assert ["counts", "counts nothing"] == [case.plan.name for case in result.cases]
    assert not (tmp_path / "shell-agent/last-count.txt").exists()


def test_the_extractor_passes_with_the_right_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Form and values of what a model would say.
    """
    result = run_example(
        "json-extractor", tmp_path, monkeypatch, case="is*", **served(tmp_path, INVOICE)
    )

    assert Verdict.PASS is result.verdict, result.trials


def test_the_extractor_fails_with_values_that_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A total that is text fits no schema, and the reason says where.
    """
    wrong = {**INVOICE, "total": "118.50 EUR"}
    result = run_example(
        "json-extractor", tmp_path, monkeypatch, case="is*", **served(tmp_path, wrong)
    )

    assert Verdict.FAIL is result.verdict
    assert "at $.total" in result.trials[0].reason


def test_the_python_agent_passes(tmp_path: Path) -> None:
    """
    The program runs as its first lines say, and its exit code is the verdict.
    """
    done = subprocess.run(
        [sys.executable, EXAMPLES / "python-agent/measure.py"],
        cwd=tmp_path,
        env={**own_environ(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith(b"pass: All 50 trials passed")
