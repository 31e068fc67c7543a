"""
From events to sums: what another run measured counts, save the time it took there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import new_journal
from fakes.logs import ATTEMPT, FINISHED, REUSED, START, TRIAL, cases
from fakes.runs import ROOT
from jsonschema import Draft202012Validator

from reliability.errors import JournalError
from reliability.kinds import ErrorKind
from reliability.model import Outcome
from reliability.reading import ANSWER_CHARACTERS
from reliability.report.document import json_pieces
from reliability.report.words import cost
from reliability.results import read_result

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

ENDED = {
    **TRIAL,
    "outcome": "pass",
    "kind": "",
    "reason": "",
    "checks": [],
    "score": None,
    "attempts": 1,
    "duration_s": 2.5,
    "waited_s": 0.5,
}


def result_of(
    folder: Path, *events: tuple[str, dict[str, Any]], **start: Any
) -> RunResult:
    """
    Read back a log of these events between its beginning and its end.
    """
    with new_journal(folder) as journal:
        journal.append("run_started", {**START, "cases": cases(loops=3), **start})
        for name, fields in events:
            journal.append(name, fields)
        journal.append("run_finished", FINISHED)
        journal.lock()
    return read_result(journal.path)


def own(number: int, **ended: Any) -> list[tuple[str, dict[str, Any]]]:
    """
    Return the events of a trial of one attempt.
    """
    names = {"trial": number, "loop": number}
    return [
        ("trial_started", {**TRIAL, **names}),
        ("attempt_finished", {**ATTEMPT, "trial": number}),
        ("trial_finished", {**ENDED, **names, **ended}),
    ]


def reused(number: int, **changes: Any) -> tuple[str, dict[str, Any]]:
    """
    Return the event of a trial that was taken over.
    """
    return ("trial_reused", {**REUSED, "trial": number, "loop": number, **changes})


def test_reused_trials_count_as_all_others_do(tmp_path: Path) -> None:
    """
    Their outcomes, attempts, tokens, cost and troubles are this run's too.
    """
    alone = result_of(tmp_path / "a", *own(1))
    found = result_of(tmp_path / "b", reused(2, outcome="fail"), *own(1), reused(3))

    assert (2, 1) == (found.tally.passed, found.tally.failed)
    assert [1, 2, 3] == [trial.number for trial in found.trials]
    assert alone.attempts + 2 * REUSED["attempts"] == found.attempts
    assert (alone.cost_usd or 0) + 2 * REUSED["cost_usd"] == found.cost_usd
    assert alone.usage.output_tokens + 2 * REUSED["usage"]["output_tokens"] == (
        found.usage.output_tokens
    )
    assert {"overloaded": 2} == found.troubles
    assert 2 == found.reused == found.retried


def test_reused_trial_says_where_it_is_from(tmp_path: Path) -> None:
    """
    And keeps what was measured there.
    """
    found = result_of(tmp_path, reused(1, changed=True), *own(2))
    first, second = found.trials

    assert (REUSED["from_run"], True) == (first.reused_from, first.changed)
    assert (REUSED["duration_s"], REUSED["attempts"]) == (
        first.duration_s,
        first.attempts,
    )
    assert REUSED["started_utc"] == first.started_utc
    assert ("", False) == (second.reused_from, second.changed)
    assert (1, 1) == (found.reused, found.reused_changed)


def test_price_that_nobody_knew_stays_unknown(tmp_path: Path) -> None:
    """
    A reused trial without a price adds none.
    """
    none = {"cost_usd": None, "priced": 0}
    found = result_of(tmp_path, reused(1, **none), reused(2, **none))

    assert found.cost_usd is None
    assert 0 == found.priced


@pytest.mark.parametrize("priced", [0, 1, 2, 3])
def test_cost_of_reused_trials_claims_no_more_than_is_known(
    priced: int, tmp_path: Path
) -> None:
    """
    Attempts without a price are told, with or without trouble of their own.
    """
    changes = {"attempts": 3, "troubles": [], "priced": priced}
    cost_usd = 0.5 if priced else None
    found = result_of(tmp_path, reused(1, **changes, cost_usd=cost_usd))
    partly = f"known for {priced} of 3 attempts"

    assert (priced, 3) == (found.priced, found.attempts)
    assert (0 < priced < 3) == (partly in cost(found))


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_trials_that_a_stop_ended_are_told_from_those_that_met_trouble(
    kind: ErrorKind, tmp_path: Path
) -> None:
    """
    Only a cancel and the deadline cut a trial off.
    """
    found = result_of(tmp_path, *own(1), *own(2, outcome="invalid", kind=kind))

    assert (kind in {"cancelled", "deadline"}) == found.tally.cut
    assert 1 == found.tally.invalid


def test_work_and_waits_are_those_of_this_run(tmp_path: Path) -> None:
    """
    What another run waited for is no time of this one.
    """
    found = result_of(tmp_path, reused(1), *own(2), *own(3, duration_s=0.1))

    assert 2.6 == found.worked_s
    assert 1.0 == found.waited_s


def test_earlier_runs_and_what_was_otherwise_there_are_told(tmp_path: Path) -> None:
    """
    In the order of the log; a log that does not say so has none.
    """
    earlier = [{"run_id": name, "log": "x", "sha256": "0"} for name in ("aa", "bb")]
    changed = ["model: was 'a', is 'b'."]
    found = result_of(tmp_path / "a", reused(1), earlier=earlier, changed=changed)
    fresh = result_of(tmp_path / "b", *own(1))

    assert ("aa", "bb") == found.earlier
    assert tuple(changed) == found.changed
    assert ((), ()) == (fresh.earlier, fresh.changed)


@pytest.mark.parametrize("stopped_by", ["", "authentication", "max-cost-usd"])
def test_what_stopped_the_run_is_told(stopped_by: str, tmp_path: Path) -> None:
    """
    In the log's own word.
    """
    with new_journal(tmp_path) as journal:
        journal.append("run_started", START)
        journal.append("run_finished", {**FINISHED, "stopped_by": stopped_by})

    assert stopped_by == read_result(journal.path).stopped_by


def test_answer_is_cut_where_reports_end(tmp_path: Path) -> None:
    """
    Of a reused trial as of any other.
    """
    long = "x" * (ANSWER_CHARACTERS + 1)
    found = result_of(
        tmp_path, reused(1, answer=long), reused(2, answer=long[:-1]), *own(3)
    )

    assert [True, False, False] == [trial.answer_cut for trial in found.trials]
    assert [long[:-1]] * 2 == [trial.answer for trial in found.trials[:2]]


def test_numbers_may_come_in_any_order(tmp_path: Path) -> None:
    """
    Trials end when they end; a number that comes twice stands for one trial.
    """
    again = own(2, outcome="fail")
    found = result_of(tmp_path, *own(3), *own(2), *own(1), *again)

    assert [1, 2, 3] == [trial.number for trial in found.trials]
    assert Outcome.FAIL is found.trials[1].outcome
    assert (2, 1) == (found.tally.passed, found.tally.failed)


@pytest.mark.parametrize("field", [name for name in REUSED if name != "from_trial"])
def test_reused_trial_that_lacks_a_field_is_refused(field: str, tmp_path: Path) -> None:
    """
    A journal error, never one of ours.
    """
    fields = {name: value for name, value in REUSED.items() if name != field}

    with pytest.raises(JournalError, match="lacks a field"):
        result_of(tmp_path, ("trial_reused", fields))


@pytest.mark.parametrize("number", [-1, 2**64, "one", None, [], 1.5])
def test_number_that_is_none_is_refused(number: Any, tmp_path: Path) -> None:
    """
    Whoever made such a log, it is none of ours.
    """
    with pytest.raises(JournalError, match="lacks a field"):
        result_of(tmp_path, reused(number))


def test_results_with_reused_trials_are_as_the_schema_says(tmp_path: Path) -> None:
    """
    So are those with earlier runs and a cap.
    """
    schema = json.loads((ROOT / "schema/results.schema.json").read_text())
    earlier = [{"run_id": "aa", "log": "x", "sha256": "0"}]
    found = result_of(tmp_path, reused(1), earlier=earlier, changed=["It was."])
    text = "".join(json_pieces(found))

    assert [] == list(Draft202012Validator(schema).iter_errors(json.loads(text)))
