"""
The examples with Claude Code agents, through the real CLI: green and red.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from fakes.claude_bench import MODEL
from fakes.judges import AGAINST, FOR
from fakes.runs import ROOT

from reliability.model import Verdict
from reliability.run import run
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from fakes.claude_bench import Bench

    from reliability.run_result import RunResult

pytestmark = pytest.mark.claude


def run_example(
    name: str,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    *steps: Step,
    case: str,
    judge: dict[str, Any] | None = None,
) -> RunResult:
    """
    Run one case of a copy of an example once, by a script.
    """
    shutil.copytree(ROOT / "examples" / name, bench.workspace, dirs_exist_ok=True)
    monkeypatch.chdir(bench.workspace)
    given = {"case": case, "loops": "1", "model": MODEL, "run-as": "root"}
    with bench.served(Profile(latency_s=0, script=steps)):
        suite = open_suite(given)
        if judge is not None:
            suite = judged_by(bench, suite, judge)
        environ = {**bench.environ}
        return run(
            suite.settings, suite=suite, environ=environ, workspace=bench.workspace
        )


def judged_by(bench: Bench, suite: Any, step: dict[str, Any]) -> Any:
    """
    Let a simulator of its own play the judge.
    """
    from dataclasses import replace

    from reliability.choices import Backend

    script = bench.root / "judge.json"
    script.write_text(json.dumps([step]), encoding="utf-8")
    judge = replace(
        suite.judge,
        backend=Backend.SIMULATED,
        simulator=f"latency=0,script={script}",
    )
    return replace(suite, judge=judge)


def read(path: str) -> Step:
    """
    Return the step in which the agent reads a file of its folder.
    """
    return Step(tool="Read", input={"file_path": path})


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("Line 11: it is not divided by 100.", "pass"), ("Line 8: no.", "fail")],
)
def test_the_reviewer_must_name_the_line(
    said: str, verdict: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Graded by a pattern, by a program that the agent never saw, and by its tools.
    """
    result = run_example(
        "code-reviewer",
        bench,
        monkeypatch,
        read("shop/discount.py"),
        Step(text=said),
        case="finds the discount bug",
    )
    (trial,) = result.trials
    labels = {check.check.partition(":")[0] for check in trial.checks}

    assert verdict == result.verdict, trial.reason
    assert {"regex", "command", "tool-used", "files"} == labels
    assert verdict == "pass" or "line 11 is not named; named: [8]" in trial.reason


@pytest.mark.parametrize(("judge", "verdict"), [(FOR, "pass"), (AGAINST, "fail")])
def test_the_support_agent_is_judged(
    judge: dict[str, Any],
    verdict: str,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    It must look the order up, and a model says whether it was polite.
    """
    result = run_example(
        "support-agent",
        bench,
        monkeypatch,
        read("orders/1042.txt"),
        Step(text="Your lamps were shipped on Friday."),
        case="tells where*",
        judge=judge,
    )

    assert verdict == result.verdict, result.trials[0].reason
    assert 3 == len(result.trials[0].checks[2].details["votes"])


def test_the_support_agent_must_not_touch_an_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What it did counts, whatever it says: the tool, its input, and the file.
    """
    result = run_example(
        "support-agent",
        bench,
        monkeypatch,
        Step(tool="Bash", input={"command": "echo refunded >> orders/1042.txt"}),
        Step(text="I cannot do that, a colleague will."),
        case="refunds*",
    )
    failed = [check for check in result.trials[0].checks if not check.passed]

    assert Verdict.FAIL is result.verdict
    assert ["not", "files"] == [check.check.partition(":")[0] for check in failed]
