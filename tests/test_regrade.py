"""
A log graded again, without a call.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.judges import AGAINST, FOR, judged_suite, run_judged
from fakes.runs import command_line, run_command, run_simulated, scripted

from reliability.checks.files import Files
from reliability.checks.judge import Judge
from reliability.checks.text import Contains, Regex
from reliability.errors import UsageError
from reliability.journal import examine
from reliability.model import Outcome, Verdict
from reliability.regrade import regrade
from reliability.results import read_result
from reliability.settings import Settings
from reliability.suite import DEFAULT_CASE, Case, Suite, Weighed

if TYPE_CHECKING:
    from reliability.grades import Check
    from reliability.run_result import RunResult


def suite_for(result: RunResult, *checks: Check) -> Suite:
    """
    Return a suite with other checks for the only case of a run.
    """
    settings = Settings.from_text({"agent": "greeter", "backend": "simulated"})
    case = Case(
        name=result.cases[0].plan.name,
        settings=replace(settings, prompt=result.prompt),
        checks=tuple(Weighed(check=check) for check in checks),
    )
    return Suite(cases=(case,), path=Path("reliability.yml"))


@pytest.mark.parametrize("expect", ["Hello", "matches:^Hello", "equals:no"])
def test_nothing_changes_when_nothing_has_changed(expect: str, tmp_path: Path) -> None:
    """
    The log's own checks say what they said, and no new log is made.
    """
    result = run_simulated(
        tmp_path, loops="20", expect=expect, simulator="latency=0,pass-rate=0.5,seed=3"
    )
    found = regrade(Path(result.log), tmp_path / "again")

    assert (20, (), None) == (found.graded, found.changes, found.result)
    assert not (tmp_path / "again").exists()


def test_only_what_changed_is_told_and_the_new_log_is_labelled(
    tmp_path: Path,
) -> None:
    """
    Wrong answers have the letter too: they pass now, and the others stay.
    """
    profile = "latency=0,pass-rate=0.5,seed=3"
    result = run_simulated(tmp_path, simulator=profile, loops="20")
    before = Path(result.log).read_bytes()
    found = regrade(
        Path(result.log),
        tmp_path / "again",
        suite=suite_for(result, Contains(text="e")),
    )

    assert found.result is not None
    was = {trial.number: trial.outcome for trial in result.trials}
    failed = [number for number, outcome in was.items() if outcome is Outcome.FAIL]
    assert failed == [change.trial for change in found.changes]
    assert {(Outcome.FAIL, Outcome.PASS)} == {
        (change.was, change.now) for change in found.changes
    }
    assert Verdict.PASS is found.result.verdict
    assert "was graded again" in found.result.changed[0]
    assert any("was graded again" in text for text in found.result.warnings)
    assert before == Path(result.log).read_bytes()
    assert examine(Path(found.result.log)).locked
    assert [result.run_id] == list(found.result.earlier)
    assert found.result.cost_usd == result.cost_usd


def test_a_regraded_log_can_be_graded_again(tmp_path: Path) -> None:
    """
    Its trials were taken over, so they stay, and that is said.
    """
    result = run_simulated(tmp_path, expect="nothing of that kind")
    first = regrade(
        Path(result.log),
        tmp_path / "a",
        suite=suite_for(result, Contains(text="Hello")),
    )
    assert first.result is not None

    second = regrade(Path(first.result.log), tmp_path / "b")

    assert (0, ()) == (second.graded, second.changes)
    assert ("3 trials were taken over from another log and stay.",) == second.notes


def test_a_check_that_cannot_decide_makes_its_trials_invalid(tmp_path: Path) -> None:
    """
    A pattern without end says nothing about the agent, now as then.
    """
    profile = scripted(tmp_path, {"text": "a" * 5000 + "!"})
    result = run_simulated(tmp_path, simulator=profile, expect="a", loops="1")
    endless = suite_for(result, Regex(pattern="(a+)+$", timeout=0.2))
    found = regrade(Path(result.log), tmp_path / "again", suite=endless)

    assert [Outcome.INVALID] == [change.now for change in found.changes]
    assert "did not end within 0.2 s" in found.changes[0].reason


def test_what_needs_the_folder_keeps_its_grade_only_if_it_is_the_same(
    tmp_path: Path,
) -> None:
    """
    The folder is gone: the same check stands, a new one cannot be graded.
    """
    result = run_command(tmp_path, "echo Hello", loops="1")
    found = regrade(
        Path(result.log),
        tmp_path / "again",
        suite=suite_for(result, Files(exist=("a.txt",))),
    )

    assert [Outcome.INVALID] == [change.now for change in found.changes]
    assert "the agent's folder is gone" in found.changes[0].reason


def test_an_unchanged_judge_finds_its_votes_in_the_log(tmp_path: Path) -> None:
    """
    No model is asked; another rubric was never asked for.
    """
    result = run_judged(tmp_path, FOR, AGAINST, FOR, loops="3")
    same = regrade(Path(result.log), tmp_path / "a")
    other = regrade(
        Path(result.log),
        tmp_path / "b",
        suite=suite_for(result, Judge(rubric="It rhymes.")),
    )

    assert (3, ()) == (same.graded, same.changes)
    assert {Outcome.INVALID} == {change.now for change in other.changes}
    assert "the judge was not asked" in other.changes[0].reason


def test_answers_to_another_prompt_are_refused_unless_allowed(tmp_path: Path) -> None:
    """
    They answer something else; whoever knows that may say so.
    """
    result = run_simulated(tmp_path)
    suite = suite_for(result, Contains(text="Hello"))
    case = suite.cases[0]
    other = replace(case, settings=replace(case.settings, prompt="Say more."))
    changed = replace(suite, cases=(other,))

    with pytest.raises(UsageError, match="prompt of case 'prompt' is another one"):
        regrade(Path(result.log), tmp_path / "a", suite=changed)

    found = regrade(Path(result.log), tmp_path / "a", suite=changed, allow_changed=True)
    assert () == found.changes


def test_a_case_that_the_suite_lacks_stays_as_it_was(tmp_path: Path) -> None:
    """
    It is named.
    """
    result = run_simulated(tmp_path)
    suite = suite_for(result, Contains(text="Hello"))
    renamed = replace(suite, cases=(replace(suite.cases[0], name="other"),))
    found = regrade(Path(result.log), tmp_path / "a", suite=renamed)

    assert () == found.changes
    assert (
        f"The suite has no case '{DEFAULT_CASE}': it stays as it was.",
    ) == found.notes


def test_trials_that_ended_in_trouble_stay(tmp_path: Path) -> None:
    """
    There is no answer to grade.
    """
    profile = scripted(tmp_path, {"status": 400})
    result = run_simulated(tmp_path, simulator=profile)
    found = regrade(Path(result.log), tmp_path / "a")

    assert 0 == found.graded
    assert found.notes[-1].endswith("trials ended in trouble and stay as they are.")


def test_the_command_prints_what_changed(tmp_path: Path) -> None:
    """
    A line for each, the new verdict, and its exit code.
    """
    suite = judged_suite(tmp_path)
    assert suite.cases
    result = run_simulated(tmp_path, loops="2", prompt="Say hello.")
    place = tmp_path / "suite.yml"
    place.write_text(
        "version: 1\ndefaults: {backend: simulated}\ncases:\n  - name: prompt\n"
        "    prompt: Say hello.\n    checks: [{contains: goodbye}]\n",
        encoding="utf-8",
    )
    words: list[Any] = ["regrade", result.log, "--suite", place, "--output-dir", "new"]
    done = command_line(*words, folder=tmp_path)
    told = json.loads(command_line(*words, "--json", folder=tmp_path).stdout)
    quiet = command_line("regrade", result.log, folder=tmp_path)

    assert 1 == done.returncode, done.stderr
    assert "trial 2 of prompt: was pass, is fail: expected an answer" in done.stdout
    assert "2 of 2 graded trials changed." in done.stdout
    assert [1, 2] == [change["trial"] for change in told["changes"]]
    assert Verdict.FAIL is read_result(tmp_path / told["log"]).verdict
    assert 0 == quiet.returncode
    assert "Nothing changed: 0 of 2 graded trials changed." in quiet.stdout
