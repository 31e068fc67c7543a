"""
What the scheduler promises, in virtual time.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING

import pytest
from fakes.virtual_time import (
    FixedWaits,
    Story,
    VirtualTime,
    play,
    right,
    trouble,
    wrong,
)

from reliability.clock import SystemClock
from reliability.engine.budget import Budget
from reliability.engine.cancellation import Cancellation
from reliability.engine.executor import Scheduler
from reliability.engine.governor import Governor
from reliability.engine.grading import outcome_of
from reliability.engine.launcher import open_pool
from reliability.engine.retry import RetryPolicy
from reliability.kinds import KIND_RULES, ErrorKind
from reliability.model import Outcome, RunStatus, Trial

if TYPE_CHECKING:
    from reliability.engine.task import Attempted, Judged

NETWORK = ErrorKind.NETWORK


def told(story: Story) -> list[tuple[str, int, int]]:
    """
    Return what was told without its times.
    """
    return [(one.what, one.trial, one.attempt) for one in story.happenings]


def test_sequential_trials_are_told_one_after_the_other() -> None:
    """
    With one worker each trial ends before the next begins.
    """
    expected = [
        (what, number, 1)
        for number in (1, 2, 3)
        for what in ("trial_started", "attempt_finished", "trial_finished")
    ]

    story = play(trials=3)

    assert expected == told(story)
    assert RunStatus.COMPLETED is story.status


def test_a_wrong_answer_is_never_asked_again() -> None:
    """
    A check that says no ends the trial with its first attempt.
    """
    story = play({2: [wrong(), right()]}, trials=3)

    assert {1: 1, 2: 1, 3: 1} == story.attempts()


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_each_kind_of_trouble_has_the_attempts_that_its_rule_says(
    kind: ErrorKind,
) -> None:
    """
    Only trouble that may pass leads to another attempt, and a fatal one ends the run.
    """
    rule = KIND_RULES[kind]
    expected = {1: 3 if rule.retry else 1}
    if not rule.fatal:
        expected[2] = 1

    story = play({1: [trouble(kind)]}, trials=2, retry=FixedWaits(5))

    assert expected == story.attempts()
    assert (RunStatus.STOPPED if rule.fatal else RunStatus.COMPLETED) is story.status


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_a_retry_rule_never_stands_beside_the_agents_own_fault(kind: ErrorKind) -> None:
    """
    What is tried again, or ends the run, is infrastructure; nothing is both.
    """
    rule = KIND_RULES[kind]

    assert not (rule.retry and rule.fatal)
    assert rule.infrastructure or not (rule.retry or rule.fatal)


def test_a_trial_that_recovers_has_the_outcome_of_its_last_attempt() -> None:
    """
    Trouble that passed leaves no trace in the outcome.
    """
    story = play({1: [trouble(NETWORK), right()]}, trials=1)
    last = story.of("trial_finished")[0]

    assert (Outcome.PASS, "") == outcome_of(last.attempted)
    assert 2 == last.attempt


def test_a_trial_whose_attempts_are_used_up_is_invalid() -> None:
    """
    Infrastructure trouble to the end is neither pass nor fail.
    """
    story = play({1: [trouble(NETWORK)]}, trials=1)
    outcome, reason = outcome_of(story.of("trial_finished")[0].attempted)

    assert Outcome.INVALID is outcome
    assert "met network" == reason


def test_a_waiting_trial_holds_no_slot() -> None:
    """
    With one worker, others run while a trial waits for its next attempt.
    """
    story = play({1: [trouble(NETWORK), right()]}, trials=3, retry=FixedWaits(10))

    assert [(1, 1, 0), (2, 1, 1), (3, 1, 2), (1, 2, 11)] == story.asked


def test_the_wait_of_a_trial_is_counted_apart_from_its_work() -> None:
    """
    `waited_s` is the time between the attempts, queueing included.
    """
    story = play({1: [trouble(NETWORK), right()]}, trials=1, retry=FixedWaits(10))

    assert {1: 10.0} == story.waited_s


def test_after_a_retry_after_nobody_knocks() -> None:
    """
    One worker's pause is everybody's: no attempt starts before it is over.
    """
    limited = trouble(ErrorKind.RATE_LIMIT, retry_after_s=20)

    story = play({1: [limited, right()]}, trials=9, workers=3)
    later = [at_s for _, _, at_s in story.asked if at_s > 0]

    assert 3 == len([at_s for _, _, at_s in story.asked if at_s == 0])
    assert min(later) >= 21
    assert RunStatus.COMPLETED is story.status


def test_retries_do_not_wait_for_the_gap_between_loops() -> None:
    """
    The delay stands between loops, counted from an attempt's end, and nowhere else.
    """
    script = {1: [trouble(NETWORK), right()]}

    story = play(script, trials=3, gap_s=30, retry=FixedWaits(2))

    assert [(1, 1, 0), (1, 2, 3), (2, 1, 34), (3, 1, 65)] == story.asked


def test_no_more_attempts_are_in_flight_than_workers() -> None:
    """
    The ceiling is reached and never passed.
    """
    story = play(trials=20, workers=4)

    assert 4 == story.time.most_running
    assert 5 == story.time.now_s - 1000


def test_a_cancel_before_the_start_asks_nobody() -> None:
    """
    A request that was made early is seen before the first launch.
    """
    time = VirtualTime()
    story = Story(time)
    cancellation = Cancellation()
    cancellation.request(15)

    status = scheduler(story, time, cancellation, pool=time, inbox=time).run()

    assert RunStatus.CANCELLED is status
    assert [] == story.happenings


def nobody(_trial: Trial, _attempt: int, _graded: Attempted) -> Judged:
    """
    Is asked nothing.
    """
    raise AssertionError("no check asks a model")


def scheduler(
    story: Story,
    clock: SystemClock | VirtualTime,
    cancellation: Cancellation,
    *,
    pool: Executor,
    inbox: VirtualTime | None = None,
    trials: int = 4,
    workers: int = 2,
) -> Scheduler:
    """
    Return a scheduler whose trials raise what their number says.
    """
    raised = {2: RuntimeError("ours"), 3: SystemExit(9), 4: KeyboardInterrupt()}

    def ask(trial: Trial, _attempt: int) -> Attempted:
        """
        Answer, or break.
        """
        if trial.number in raised:
            raise raised[trial.number]
        return right(0)

    return Scheduler(
        trials=(Trial(number=n, case="prompt", loop=n) for n in range(1, trials + 1)),
        ask=ask,
        judge=nobody,
        stop=lambda: None,
        kill=lambda: None,
        budget=Budget(began_mono_s=0.0),
        pool=pool,
        governor=Governor(ceiling=workers, gap_s=0),
        retry=RetryPolicy(2),
        observer=story,
        clock=clock,
        cancellation=cancellation,
        inbox=inbox,
    )


def test_whatever_a_worker_raises_is_an_invalid_trial_and_the_run_goes_on() -> None:
    """
    An error of our own is no trial's fault, not even one that ends interpreters.
    """
    story = Story(VirtualTime())
    with open_pool(2) as pool:
        status = scheduler(story, SystemClock(), Cancellation(), pool=pool).run()
    outcomes = {
        one.trial: outcome_of(one.attempted) for one in story.of("trial_finished")
    }

    assert RunStatus.COMPLETED is status
    assert {
        1: (Outcome.PASS, ""),
        2: (Outcome.INVALID, "RuntimeError: ours"),
        3: (Outcome.INVALID, "SystemExit: 9"),
        4: (Outcome.INVALID, "KeyboardInterrupt: "),
    } == outcomes


class CancelledPool(Executor):
    """
    A pool that cancels whatever it is given.
    """

    def submit(self, *_: object) -> Future[Attempted]:  # type: ignore[override]
        """
        Return a future that was cancelled.
        """
        future: Future[Attempted] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


def test_a_future_that_the_pool_cancelled_is_an_invalid_trial() -> None:
    """
    A pool that gives work back unrun does not hang the run.
    """
    story = Story(VirtualTime())
    cancellation = Cancellation()

    status = scheduler(
        story, SystemClock(), cancellation, pool=CancelledPool(), trials=1
    ).run()
    (last,) = story.of("trial_finished")

    assert RunStatus.COMPLETED is status
    assert Outcome.INVALID is outcome_of(last.attempted)[0]
