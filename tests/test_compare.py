"""
`reliability compare`: two logs, one finding, one exit code.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes.runs import (
    ENVIRON,
    own_environ,
    python,
    run_simulated,
    scripted,
    texts,
)

from reliability.against import opened_suite
from reliability.compare import compare_logs
from reliability.errors import (
    EXIT_FAIL,
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    EXIT_USAGE,
    MeasureError,
    UsageError,
)
from reliability.model import Verdict
from reliability.results import read_result
from reliability.run import run
from reliability.stats.comparison import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult


def log_of(folder: Path, rate: float, **given: str) -> Path:
    """
    Return the log of simulated runs of an agent with a pass rate.
    """
    folder.mkdir(exist_ok=True)
    simulator = f"latency=0,seed=5,pass-rate={rate}"
    result = run_simulated(folder, **{"simulator": simulator, "loops": "40"} | given)
    return folder / result.log


def shown(*words: object) -> subprocess.CompletedProcess[str]:
    """
    Run the command.
    """
    argv = [*python("-m", "reliability", "compare"), *map(str, words)]
    return subprocess.run(
        argv, env=own_environ(), capture_output=True, text=True, check=False
    )


def test_a_worse_agent_is_found_from_two_logs(tmp_path: Path) -> None:
    """
    Exit code 1, and a sentence with the counts of both.
    """
    base = log_of(tmp_path / "base", 0.97)
    head = log_of(tmp_path / "head", 0.5)
    done = shown(base, head)

    assert EXIT_FAIL == done.returncode
    assert done.stdout.startswith("REGRESSED: Worse than the base: head passed")
    assert "a drop of" in done.stdout


def test_the_same_agent_is_not_worse_or_not_decided(tmp_path: Path) -> None:
    """
    Few trials decide nothing inside a narrow margin, and enough inside a wide one.
    """
    base, head = log_of(tmp_path / "a", 1), log_of(tmp_path / "b", 1)
    wide = shown(base, head, "--margin", "0.2")
    narrow = shown(base, head, "--margin", "0.01")
    warned = shown(base, head, "--margin", "0.01", "--on-inconclusive", "warn")

    assert (EXIT_OK, True) == (wide.returncode, "NOT-WORSE" in wide.stdout)
    assert EXIT_INCONCLUSIVE == narrow.returncode
    assert EXIT_OK == warned.returncode


def test_results_json_leads_to_its_log(tmp_path: Path) -> None:
    """
    As JSON, with every number of the finding.
    """
    base = log_of(tmp_path / "base", 0.97)
    head = log_of(tmp_path / "head", 0.5)
    done = shown(base.parent / "results.json", head.parent / "results.json", "--json")
    document = json.loads(done.stdout)

    assert "regressed" == document["finding"]
    assert 40 == document["base"]["measured"]


def test_other_questions_are_no_comparison(tmp_path: Path) -> None:
    """
    Prompt and checks must agree; who says so may compare even so, and is told.
    """
    base = log_of(tmp_path / "base", 1)
    head = log_of(tmp_path / "head", 1, prompt="Another question?")
    done = shown(base, head)
    allowed = compare_logs(base, head, allow_changed=True)

    assert EXIT_USAGE == done.returncode
    assert "The prompt of case prompt differs between the logs." in done.stderr
    assert ("The prompt of case prompt differs between the logs.",) == allowed.notes


def test_a_log_that_was_stopped_early_is_no_baseline(tmp_path: Path) -> None:
    """
    How many trials it has depends on how they came out.
    """
    base = log_of(tmp_path / "base", 1, **{"min-pass-rate": "0.8", "loops": "100"})
    head = log_of(tmp_path / "head", 1)

    with pytest.raises(UsageError, match="Stopped early"):
        compare_logs(base, head)


def test_two_logs_without_a_measured_trial_in_common_are_said_to_be(
    tmp_path: Path,
) -> None:
    """
    Nothing measured, nothing claimed.
    """
    base = log_of(tmp_path / "base", 1)
    (tmp_path / "head").mkdir()
    broken = scripted(tmp_path / "head", {"status": 401})
    head = log_of(tmp_path / "head", 1, simulator=broken, loops="2")

    with pytest.raises(MeasureError, match="cannot be compared"):
        compare_logs(base, head)


def test_agents_may_differ(tmp_path: Path) -> None:
    """
    That is what is compared.
    """
    base = log_of(tmp_path / "base", 1, prompt="Hi")
    head = log_of(tmp_path / "head", 1, prompt="Hi", agent="another")

    assert Finding.REGRESSED is not compare_logs(base, head).comparison.finding


def against_log(folder: Path, log: Path, rate: float, **given: str) -> RunResult:
    """
    Run an agent with a log as its baseline.
    """
    folder.mkdir(exist_ok=True)
    simulator = f"latency=0,seed=6,pass-rate={rate}"
    options = texts(
        folder, **({"simulator": simulator, "loops": "40"} | given), baseline=str(log)
    )
    with opened_suite(options, environ=ENVIRON, workspace=folder) as suite:
        return run(suite.settings, suite=suite, environ=ENVIRON, workspace=folder)


def test_a_run_with_a_baseline_is_judged_by_it(tmp_path: Path) -> None:
    """
    The log of the new run holds what it was held against, so reports agree with it.
    """
    base = log_of(tmp_path / "base", 0.97)
    worse = against_log(tmp_path / "worse", base, 0.5)
    alike = against_log(tmp_path / "alike", base, 0.97, margin="0.25")
    base.unlink()

    assert Verdict.FAIL is worse.verdict
    assert "Worse than the base" in worse.reason
    assert Verdict.PASS is alike.verdict
    again = read_result(tmp_path / "alike" / alike.log)
    assert alike.comparison == again.comparison


def test_a_baseline_of_other_cases_is_refused_before_any_call(tmp_path: Path) -> None:
    """
    What it asks must be what is asked now.
    """
    base = log_of(tmp_path / "base", 1)

    with pytest.raises(UsageError, match="The prompt of case prompt differs"):
        against_log(tmp_path / "head", base, 1, prompt="Another question?")
