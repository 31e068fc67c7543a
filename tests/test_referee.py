"""
The verdict of several cases: their mean, their floors, and each by itself.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from reliability.choices import GateRule
from reliability.gate import Gate
from reliability.model import Outcome, RunStatus, Verdict
from reliability.run_result import CasePlan, Tally
from reliability.stats import Referee
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def plans(*rates: float, planned: int = 20) -> list[CasePlan]:
    """
    Return cases a, b, c and so on.
    """
    return [
        CasePlan(
            name="abcdefghijklmnopqrstuvwxyz"[at], planned=planned, min_pass_rate=r
        )
        for at, r in enumerate(rates)
    ]


def a_gate(**fields: Any) -> Gate:
    """
    Return the mean's gate at 0.8 unless *fields* say otherwise.
    """
    return Gate(**{"rule": GateRule.MEAN, "min_pass_rate": 0.8, **fields})


def tallies(*passed: int, planned: int = 20) -> list[Tally]:
    """
    Return counts of cases that were measured in full.
    """
    return [
        Tally(planned=planned, passed=count, failed=planned - count) for count in passed
    ]


def verdicts(
    gate: Gate, cases: Sequence[CasePlan], counts: Sequence[Tally], **end: Any
) -> tuple[Verdict, list[Verdict]]:
    """
    Return the verdict of a run and those of its cases.
    """
    judged, each = Referee(gate, cases).judge(
        counts, end.get("status", RunStatus.COMPLETED), end.get("stopped_by", "")
    )
    return judged.verdict, [one.verdict for one in each]


def test_the_mean_of_a_suite_can_pass_where_no_case_could_alone() -> None:
    """
    Five cases of 20 trials are a hundred for the mean.
    """
    cases = plans(*[0.8] * 5)
    run, each = verdicts(a_gate(), cases, tallies(19, 19, 18, 19, 18))

    assert Verdict.PASS is run
    assert {Verdict.INCONCLUSIVE} == set(each)


def test_a_case_with_a_rate_of_its_own_must_have_that_too() -> None:
    """
    A floor that is broken fails the run, whatever the mean is.
    """
    cases = plans(0.8, 0.8, 0.8, 0.8, 0.5)
    judged, _ = Referee(a_gate(), cases).judge(
        tallies(20, 20, 20, 20, 3), RunStatus.COMPLETED
    )

    assert Verdict.FAIL is judged.verdict
    assert "By a rate of their own, 1 of 1 cases failed: e." == judged.reason


def test_all_cases_holds_each_case_to_the_rate() -> None:
    """
    One that shows nothing makes the run inconclusive, though the mean is high.
    """
    gate = a_gate(rule=GateRule.ALL_CASES)
    run, each = verdicts(gate, plans(0.8, 0.8), tallies(20, 17))

    assert Verdict.INCONCLUSIVE is run
    assert [Verdict.PASS, Verdict.INCONCLUSIVE] == each


def test_a_fail_among_many_cases_needs_more_than_chance_brings() -> None:
    """
    12 of 20 is a fail at 0.8 for one case, and nothing unusual among twenty.
    """
    gate = a_gate(rule=GateRule.ALL_CASES)
    alone, _ = verdicts(gate, plans(0.8), tallies(12))
    many, each = verdicts(gate, plans(*[0.8] * 20), tallies(12, *[20] * 19))
    clear, _ = verdicts(gate, plans(*[0.8] * 20), tallies(5, *[20] * 19))

    assert Verdict.FAIL is alone
    assert Verdict.INCONCLUSIVE is many
    assert Verdict.INCONCLUSIVE is each[0]
    assert Verdict.FAIL is clear


@pytest.mark.parametrize("early_stop", [False, True])
def test_cases_just_at_the_rate_seldom_fail_a_run(early_stop: bool) -> None:
    """
    Twenty cases at 0.8: some fail in few runs, where without a correction most would.
    """
    chance = random.Random(5)
    gate = a_gate(rule=GateRule.ALL_CASES, early_stop=early_stop)
    cases = plans(*[0.8] * 20, planned=30)
    fails = 0
    for _ in range(60):
        referee = Referee(gate, cases)
        passed = [0] * 20
        for number in range(600):
            loop, at = divmod(number, 20)
            is_right = chance.random() < 0.8
            passed[at] += is_right
            outcome = Outcome.PASS if is_right else Outcome.FAIL
            referee.settle(number + 1, cases[at].name, loop + 1, outcome)
        judged, _ = referee.judge(tallies(*passed, planned=30), RunStatus.COMPLETED)
        fails += judged.verdict is Verdict.FAIL

    assert fails <= 0.15 * 60


def test_a_case_that_a_cap_left_untouched_is_inconclusive_and_not_broken() -> None:
    """
    Nothing went wrong there; the run says what it does not know.
    """
    cases = plans(1.0, 1.0)
    counts = [Tally(planned=20, passed=20), Tally(planned=20)]
    end = {"status": RunStatus.STOPPED, "stopped_by": "max-cost-usd"}
    gate = Gate()
    run, each = verdicts(gate, cases, counts, **end)

    assert Verdict.INCONCLUSIVE is run
    assert [Verdict.PASS, Verdict.INCONCLUSIVE] == each


def test_a_run_of_which_nothing_was_measured_is_invalid() -> None:
    """
    Whatever stopped it.
    """
    end = {"status": RunStatus.STOPPED, "stopped_by": "max-cost-usd"}
    run, _ = verdicts(Gate(), plans(1.0, 1.0), [Tally(planned=9)] * 2, **end)

    assert Verdict.INVALID is run


def test_the_trials_of_a_case_that_is_settled_are_not_needed() -> None:
    """
    Each case by itself: the run goes on with those that are open.
    """
    gate = a_gate(rule=GateRule.ALL_CASES, early_stop=True)
    referee = Referee(gate, plans(0.8, 0.8, planned=100))
    for loop in range(1, 22):
        referee.settle(2 * loop, "a", loop, Outcome.PASS)

    assert not referee.is_certain
    assert not referee.needs(43, "a", 22)
    assert referee.needs(44, "b", 1)
    assert referee.wants(44, "b", 1)
    assert not referee.wants(99, "b", 90)


def test_one_failing_floor_settles_a_run() -> None:
    """
    A run that has failed already needs no other trial.
    """
    referee = Referee(a_gate(early_stop=True), plans(0.8, 0.5, planned=50))
    for loop in range(1, 20):
        referee.settle(loop, "b", loop, Outcome.FAIL)

    assert referee.is_certain


def test_gate_of_an_earlier_version_is_the_plain_one() -> None:
    """
    A log without one is read as it was written: each case by counts.
    """
    assert Gate() == Gate.read({})
    asked = a_gate(early_stop=True)
    assert asked == Gate.read({"gate": asked.as_json()})


def test_a_suite_file_says_what_its_run_must_show(tmp_path: Path) -> None:
    """
    Rate, confidence and rule under `defaults` are the run's; a case may have a floor.
    """
    path = tmp_path / "reliability.yml"
    path.write_text(
        "version: 1\n"
        "defaults: {backend: simulated, loops: 50, min-pass-rate: 0.8,"
        " confidence: 0.9, gate: all-cases, early-stop: false}\n"
        "cases:\n  - {name: a, prompt: x}\n"
        "  - {name: b, prompt: y, min-pass-rate: 0.5}\n",
        encoding="utf-8",
    )
    suite = open_suite({"suite": str(path)})

    assert Gate(rule=GateRule.ALL_CASES, min_pass_rate=0.8, confidence=0.9) == Gate.of(
        suite
    )
    assert [0.8, 0.5] == [case.settings.min_pass_rate for case in suite.cases]
