"""
The facts of a run in words: what is said, and what is left out because it says nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakes.runs import run_simulated

from reliability.model import (
    Usage,
)
from reliability.report.document import document
from reliability.report.words import facts, notes, pass_rate, trouble_list
from reliability.run_result import Tally

if TYPE_CHECKING:
    from reliability.run_result import RunResult


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make one run.
    """
    return run_simulated(tmp_path_factory.mktemp("run"), loops="1")


def with_options(result: RunResult, **changes: Any) -> dict[str, str]:
    """
    Return the facts of *result* with other options.
    """
    return dict(facts(replace(result, options={**result.options, **changes})))


def test_bounds_that_say_nothing_are_left_out(result: RunResult) -> None:
    """
    "At most 100 %" and "at least 0 %" hold for every agent.
    """
    every = replace(result, tally=Tally(planned=9, passed=9), lower=0.7, upper=1.0)
    none = replace(result, tally=Tally(planned=9, failed=9), lower=0.0, upper=0.3)
    some = replace(
        result, tally=Tally(planned=9, passed=5, failed=4), lower=0.2, upper=0.8
    )

    assert "100.0% of 9 measured (95% sure of at least 70.0%)" == pass_rate(every)
    assert "0.0% of 9 measured (95% sure of at most 30.0%)" == pass_rate(none)
    assert (
        "55.6% of 9 measured (95% sure of at least 20.0%, 95% sure of at most 80.0%)"
    ) == pass_rate(some)


def test_only_infrastructure_is_called_trouble(result: RunResult) -> None:
    """
    An agent's own failures are counted as failed trials, not as trouble.

    A kind that is not known here is no trouble either.
    """
    kinds = {"rate-limit": 2, "timeout": 5, "overloaded": 3, "denied-tool": 1, "new": 9}

    assert "3 overloaded, 2 rate-limit" == trouble_list(replace(result, troubles=kinds))
    only_agents = replace(result, attempts=4, troubles={"timeout": 4})
    assert "4" == dict(facts(only_agents))["Attempts"]


def test_cost_without_any_token_is_just_not_known(result: RunResult) -> None:
    """
    Zero tokens were not counted, so no number is shown.
    """
    unknown = replace(result, simulated=False, cost_usd=None, usage=Usage())
    counted = replace(unknown, usage=Usage(input_tokens=1200, output_tokens=5))

    assert "not known" == dict(facts(unknown))["Cost"]
    assert "not known (1,200 tokens in, 5 out)" == dict(facts(counted))["Cost"]
    simulated = replace(result, usage=Usage())
    assert "nothing, being simulated" == dict(facts(simulated))["Cost"]


def test_trials_that_never_started_are_counted_in_one_place(result: RunResult) -> None:
    """
    The words and the document take the count from the tally.
    """
    tally = Tally(planned=10, passed=2, failed=1, invalid=3, unknown=1)
    partial = replace(result, tally=tally)

    assert 3 == tally.not_run == document(partial)["counts"]["not_run"]
    assert dict(facts(partial))["Trials"].endswith("3 not run")
    assert "If all were known" in dict(facts(partial))


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("contains:Hello", "contains:Hello"),
        (None, "any answer that is not empty"),
    ],
)
def test_what_was_expected_is_said(
    result: RunResult, expect: str | None, said: str
) -> None:
    """
    A report without it would not say what a pass means.
    """
    assert said == with_options(result, expect=expect)["Check"]


def test_how_it_was_run_is_said(result: RunResult) -> None:
    """
    Parallel or not, time limit, and how often infrastructure trouble is tried again.
    """
    limits = {"timeout": 90.0, "max_attempts": 4}
    parallel = {"parallel": True, "max_workers": 10, **limits}

    assert (
        "parallel, 10 workers at most, 90 s an attempt, 4 attempts at most"
    ) == with_options(result, **parallel)["Mode"]
    assert ("one after another, 90 s an attempt, 1 attempt at most") == with_options(
        result, parallel=False, **limits | {"max_attempts": 1}
    )["Mode"]
    automatic = with_options(result, **parallel | {"max_workers": None})["Mode"]
    assert automatic.startswith("parallel, workers as the machine allows, ")


def test_command_is_said_where_it_is_what_was_tested(result: RunResult) -> None:
    """
    Quoted as a shell would need it; other backends have none.
    """
    command = replace(result, backend="command")

    assert (
        "sh -c 'echo Hello'"
        == (with_options(command, command=["sh", "-c", "echo Hello"])["Command"])
    )
    assert "Command" not in dict(facts(result))


def test_log_of_another_version_still_has_its_facts(result: RunResult) -> None:
    """
    Options that are not there are not said; the rest is.
    """
    rows = dict(facts(replace(result, options={})))

    assert "any answer that is not empty" == rows["Check"]
    assert "one after another" == rows["Mode"]


def test_work_and_waits_are_told_apart(result: RunResult) -> None:
    """
    A run that waited on a limit is not a slow agent.
    """
    waited = replace(result, duration_s=12.3, worked_s=50.1, waited_s=4.0)
    quick = replace(waited, waited_s=0.0)

    assert ("12.3 s; agents at work 50.1 s, waits for another attempt 4.0 s") == dict(
        facts(waited)
    )["Time"]
    assert "12.3 s; agents at work 50.1 s" == dict(facts(quick))["Time"]


def test_what_stopped_the_run_is_said(result: RunResult) -> None:
    """
    A run that nothing stopped has no such row.
    """
    stopped = replace(result, stopped_by="max-cost-usd")

    assert "max-cost-usd" == dict(facts(stopped))["Stopped by"]
    assert "Stopped by" not in dict(facts(result))


def test_reused_trials_are_counted_and_their_runs_named(result: RunResult) -> None:
    """
    So is how many of them were measured under other conditions, and what differed.
    """
    differences = ("model: was 'a', is 'b'.", "timeout: was 1, is 2.")
    plain = replace(result, reused=12, earlier=("aaaa1111",))
    mixed = replace(
        plain, reused_changed=5, earlier=("aaaa1111", "bbbb2222"), changed=differences
    )

    assert "12 of the trials, from run aaaa1111" == dict(facts(plain))["Reused"]
    assert (
        "12 of the trials, from runs aaaa1111, bbbb2222, 5 of them under other "
        "conditions"
    ) == dict(facts(mixed))["Reused"]
    assert (
        "5 trials were measured under other conditions than this run's. "
        "model: was 'a', is 'b'. timeout: was 1, is 2."
    ) in notes(mixed)
    assert "Reused" not in dict(facts(result))
    assert [] == [note for note in notes(plain) if "conditions" in note]


def test_trials_that_needed_another_attempt_are_counted(result: RunResult) -> None:
    """
    One or several; none is not worth a sentence.
    """
    once, twice = (replace(result, retried=count) for count in (1, 2))

    assert any(note.startswith("1 trial needed more than one") for note in notes(once))
    assert any(note.startswith("2 trials needed more") for note in notes(twice))
    assert [] == [note for note in notes(result) if "attempt" in note]
