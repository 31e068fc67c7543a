"""
What ends a run of the scheduler early, in virtual time.
"""

from __future__ import annotations

import math

import pytest
from fakes.virtual_time import (
    FixedWaits,
    play,
    right,
    trouble,
)

from reliability.engine.executor import DRAIN_S
from reliability.engine.grading import outcome_of
from reliability.kinds import ErrorKind
from reliability.model import Outcome, RunStatus

NETWORK = ErrorKind.NETWORK


def test_a_fatal_error_stops_before_anything_else_is_submitted() -> None:
    """
    Nothing is launched that the stop would have prevented, and no trial is lost.
    """
    story = play({1: [trouble(ErrorKind.AUTHENTICATION)]}, trials=100)

    assert [(1, 1, 0)] == story.asked
    assert story.taken <= 3
    assert RunStatus.STOPPED is story.status


def test_a_fatal_error_lets_the_attempts_under_way_end() -> None:
    """
    What was paid for already is measured.
    """
    script = {1: [trouble(ErrorKind.AUTHENTICATION)], 2: [right(5)], 3: [right(9)]}

    story = play(script, trials=100, workers=3)
    ends = [(one.trial, one.at_s) for one in story.of("trial_finished")]

    assert [(1, 1), (2, 5), (3, 9)] == ends


def test_a_fatal_error_ends_the_waiting_trials_and_says_why() -> None:
    """
    A trial that waits for its retry ends as invalid, naming the stop.
    """
    script = {1: [trouble(NETWORK)], 2: [trouble(ErrorKind.MISSING_PROGRAM)]}

    story = play(script, trials=9, retry=FixedWaits(60))
    waiting = next(one for one in story.of("trial_finished") if one.trial == 1)

    assert (Outcome.INVALID, "the run stopped: met missing-program") == outcome_of(
        waiting.attempted
    )
    assert 2 == story.time.now_s - 1000


@pytest.mark.parametrize("workers", [1, 4])
def test_a_cancelled_run_ends_its_waits_at_once(workers: int) -> None:
    """
    A trial that would wait an hour ends in the moment of the cancel.
    """
    script = {1: [trouble(NETWORK)]}

    story = play(
        script, trials=1, workers=workers, retry=FixedWaits(3600), cancel_at_s=7
    )

    assert 7 == story.time.now_s - 1000
    assert RunStatus.CANCELLED is story.status
    assert 1 == story.stops


def test_a_cancelled_run_submits_nothing_more_and_ends_what_it_started() -> None:
    """
    Every trial that had started gets its end; none starts afterwards.
    """
    story = play(trials=100, workers=3, cancel_at_s=1.5)
    started = [one.trial for one in story.of("trial_started")]
    finished = sorted(one.trial for one in story.of("trial_finished"))

    assert [1, 2, 3, 4, 5, 6] == started
    assert started == finished


def test_an_attempt_that_never_ends_is_left_when_the_drain_is_over() -> None:
    """
    A cancel waits for attempts under way only so long; the trial is invalid then.
    """
    story = play({1: [right(math.inf)]}, trials=1, cancel_at_s=10)
    outcome, reason = outcome_of(story.of("trial_finished")[0].attempted)

    assert pytest.approx(10 + DRAIN_S) == story.time.now_s - 1000
    assert (Outcome.INVALID, "the run was cancelled") == (outcome, reason)


def test_an_answer_that_comes_during_the_drain_counts() -> None:
    """
    What was measured before the end is not lost to a cancel.
    """
    story = play({1: [right(2)]}, trials=5, cancel_at_s=1)

    assert [(Outcome.PASS, "")] == [
        outcome_of(one.attempted) for one in story.of("trial_finished")
    ]
