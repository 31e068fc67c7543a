"""
Work that no thread can be had for is done once or not at all, and never lost.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from fakes.virtual_time import FixedWaits, Story, VirtualTime, right

from reliability.clock import SystemClock
from reliability.engine.budget import Budget
from reliability.engine.cancellation import Cancellation
from reliability.engine.errand import Errand
from reliability.engine.executor import Scheduler
from reliability.engine.governor import Governor
from reliability.engine.grading import outcome_of
from reliability.engine.launcher import open_pool
from reliability.kinds import ErrorKind
from reliability.model import Outcome, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.engine.task import Attempted, Judged

NO_WAITS: Any = FixedWaits(0.0)
LIMIT_S = 10.0  # Of waits that end at once unless something is broken.


def in_threads(
    ask: Callable[[Trial, int], Attempted], *, trials: int = 2, workers: int = 2
) -> Story:
    """
    Run trials in threads and return what was told.
    """
    story = Story(VirtualTime())

    def judge(_trial: Trial, _attempt: int, _graded: Attempted) -> Judged:
        """
        Is asked nothing.
        """
        raise AssertionError("no check asks a model")

    with open_pool(workers) as pool:
        Scheduler(
            trials=(
                Trial(number=n, case="prompt", loop=n) for n in range(1, trials + 1)
            ),
            ask=ask,
            judge=judge,
            stop=lambda: None,
            kill=lambda: None,
            pool=pool,
            governor=Governor(ceiling=workers, gap_s=0),
            budget=Budget(began_mono_s=0.0),
            retry=NO_WAITS,
            observer=story,
            clock=SystemClock(),
            cancellation=Cancellation(),
        ).run()
    return story


def refuse_second_thread(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[], object]
) -> None:
    """
    Let the machine have no thread left when the pool asks for its second, once.

    Args:
        before: Is called while the pool asks.
    """
    start, refused = threading.Thread.start, threading.Event()

    def start_or_not(thread: threading.Thread) -> None:
        """
        Start it, or say what Python says.
        """
        if thread.name == "trial_1" and not refused.is_set():
            refused.set()
            before()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_not)


def test_real_threads_tell_the_same_story() -> None:
    """
    With a real pool every trial is started, answered and finished once.
    """
    story = in_threads(lambda _trial, _attempt: right(0), trials=200, workers=8)

    for what in ("trial_started", "attempt_finished", "trial_finished"):
        assert list(range(1, 201)) == sorted(one.trial for one in story.of(what))


def test_an_attempt_without_a_thread_is_tried_again_and_never_made_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    What was queued and given up costs nothing; the trial gets its next attempt.
    """
    asked: list[tuple[int, int]] = []
    second = threading.Event()

    def ask(trial: Trial, attempt: int) -> Attempted:
        """
        Keep the only thread busy until the second trial is asked.
        """
        asked.append((trial.number, attempt))
        if trial.number == 2:
            second.set()
        assert second.wait(LIMIT_S)
        return right(0)

    refuse_second_thread(monkeypatch, lambda: None)
    story = in_threads(ask)
    first, *_ = [one for one in story.of("attempt_finished") if one.trial == 2]
    ends = {one.trial: outcome_of(one.attempted) for one in story.of("trial_finished")}

    assert [(1, 1), (2, 2)] == sorted(asked)
    assert first.attempted.reply.trouble is not None
    assert ErrorKind.SETUP_FAILED is first.attempted.reply.trouble.kind
    assert "can't start new thread" in first.attempted.reply.trouble.text
    assert {1: (Outcome.PASS, ""), 2: (Outcome.PASS, "")} == ends


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (None, (Outcome.PASS, "")),
        (RuntimeError("ours"), (Outcome.INVALID, "RuntimeError: ours")),
    ],
)
def test_an_attempt_that_another_thread_has_begun_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    end: tuple[Outcome, str],
) -> None:
    """
    A call that is under way is paid for: its reply counts, and no other is made.
    """
    asked: list[tuple[int, int]] = []
    refusing, begun = threading.Event(), threading.Event()

    def ask(trial: Trial, attempt: int) -> Attempted:
        """
        Leave the thread to the second trial as soon as it is queued.
        """
        asked.append((trial.number, attempt))
        if trial.number == 1:
            assert refusing.wait(LIMIT_S)
            return right(0)
        begun.set()
        if error is not None:
            raise error
        return right(0)

    def refuse() -> None:
        """
        Wait until the first thread has taken what the second was to do.
        """
        refusing.set()
        assert begun.wait(LIMIT_S)

    refuse_second_thread(monkeypatch, refuse)
    story = in_threads(ask)
    ends = {one.trial: outcome_of(one.attempted) for one in story.of("trial_finished")}

    assert [(1, 1), (2, 1)] == asked
    assert {1: (Outcome.PASS, ""), 2: end} == ends


def test_an_errand_that_was_taken_back_is_not_done() -> None:
    """
    Nothing happens when its turn comes.
    """
    done: list[str] = []

    def work() -> str:
        """
        Leave a trace.
        """
        done.append("work")
        return "result"

    errand = Errand(work, done.append)

    assert errand.take_back()
    assert errand() is None
    assert [] == done


def test_an_errand_that_is_under_way_brings_its_result_once() -> None:
    """
    To whoever came too late to take it back.
    """
    came: list[int] = []
    is_back: list[bool] = []

    def work() -> int:
        """
        Be under way while somebody tries to take it back.
        """
        is_back.append(errand.take_back())
        return 7

    errand = Errand(work, came.append)
    errand()

    assert ([False], [7]) == (is_back, came)


def test_an_errand_that_was_done_brings_its_result_even_so() -> None:
    """
    Also when it had ended before anybody tried to take it back.
    """
    came: list[int] = []
    errand = Errand(lambda: 7, came.append)
    errand()

    assert not errand.take_back()
    assert [7] == came
