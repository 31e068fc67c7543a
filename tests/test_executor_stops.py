"""
What ends a run of the scheduler early, in virtual time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from fakes.virtual_time import (
    FixedWaits,
    play,
    right,
    trouble,
)

from reliability.engine.executor import DRAIN_S
from reliability.engine.grading import outcome_of
from reliability.engine.task import Attempted, Pending
from reliability.grades import Evidence, Question
from reliability.kinds import CUT_KINDS, ErrorKind
from reliability.model import Outcome, Reply, RunStatus, Usage

if TYPE_CHECKING:
    from fakes.virtual_time import Story

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


def kinds_of_ends(story: Story) -> list[ErrorKind | None]:
    """
    Return the kind of trouble that each trial ended with, by number.
    """
    ends = sorted(story.of("trial_finished"), key=lambda one: one.trial)
    troubles = [one.attempted.reply.trouble for one in ends]
    return [None if one is None else one.kind for one in troubles]


def test_a_trial_that_waits_at_the_deadline_ends_by_the_deadline() -> None:
    """
    Not by a cancel that nobody asked for; so does one that is under way then.
    """
    waiting = [trouble(ErrorKind.RATE_LIMIT, retry_after_s=500)]
    script = {1: [right(0.5)], 2: waiting, 3: waiting, 4: [right(math.inf)]}

    story = play(script, trials=4, workers=4, caps={"max_minutes": 1.0})

    assert [None, *[ErrorKind.DEADLINE] * 3] == kinds_of_ends(story)


@pytest.mark.parametrize(
    "caps", [{"max_minutes": 0.25}, {"max_cost_usd": 3.0}, {"max_tokens": 60}]
)
def test_what_a_cap_ends_is_told_from_trouble(caps: dict[str, float]) -> None:
    """
    Whichever cap it is: trials that wait for another attempt were not let go on.
    """
    usage = Usage(output_tokens=30)
    paid = Attempted(Reply(answer="Hello", duration_s=3, cost_usd=1.5, usage=usage))
    script = {n: [paid] for n in range(1, 30)} | {2: [trouble(NETWORK)]}

    story = play(script, trials=29, retry=FixedWaits(90), caps=caps)
    by_kind = kinds_of_ends(story)

    assert RunStatus.STOPPED is story.status
    assert by_kind[1] in CUT_KINDS
    assert {None} == {kind for kind in by_kind if kind not in CUT_KINDS}


def test_an_answer_that_no_judge_has_seen_never_passes() -> None:
    """
    When the run stops between the answer and the question, nothing was measured.
    """
    pending = Pending(
        Evidence(case="prompt", prompt="Hi", answer="Hello"),
        {},
        (Question(key="k", prompt="Is it good?"),),
    )
    answered = Attempted(Reply(answer="Hello", duration_s=5), pending=pending)
    script = {1: [trouble(ErrorKind.AUTHENTICATION)], 2: [answered]}

    story = play(script, trials=2, workers=2)
    end = next(one for one in story.of("trial_finished") if one.trial == 2)
    outcome, reason = outcome_of(end.attempted)

    assert Outcome.INVALID is outcome
    assert "before a model was asked" in reason
    assert "Hello" == end.attempted.reply.answer
    assert [] == story.judged
