"""
A scheduler in a time of its own: nothing sleeps, and every run of a test is the same.

`VirtualTime` is the clock, the pool and the inbox at once. An attempt is made at the
moment of its submission and its future is done `reply.duration_s` later; waiting moves
the clock to whatever comes first. So an hour of waits takes a test no time at all.
"""

from __future__ import annotations

import heapq
import itertools
import math
import queue
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reliability.engine.budget import Budget
from reliability.engine.cancellation import Cancellation
from reliability.engine.certainty import Certainty
from reliability.engine.executor import Scheduler
from reliability.engine.governor import Governor
from reliability.engine.grading import outcome_of
from reliability.engine.retry import RetryPolicy
from reliability.engine.task import Attempted, Judged, Task
from reliability.model import CheckResult, Reply, Trial, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reliability.engine.governor import Change
    from reliability.kinds import ErrorKind
    from reliability.limits import Hold
    from reliability.model import RunStatus
    from reliability.stats import Referee

BEGAN_UTC = datetime(2026, 11, 23, 17, 40, 59, tzinfo=UTC)
MOST_WAITS = 100_000  # A scheduler that waits more often than this runs in circles.


class VirtualTime(Executor):
    """
    Clock, pool and inbox of one run.

    Args:
        reach_s: How long each attempt takes from its start until it is made, as a
            child does before its first request; None for not at all.
    """

    def __init__(self, reach_s: Callable[[], float] | None = None) -> None:
        self.now_s = 1000.0
        self._reach_s = reach_s
        self.running = 0
        self.most_running = 0
        self.waits = 0
        self._messages: list[Any] = []
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now_utc(self) -> datetime:
        return BEGAN_UTC + timedelta(seconds=self.now_s)

    def monotonic_s(self) -> float:
        return self.now_s

    def at(self, moment_s: float, act: Callable[[], None]) -> None:
        """
        Do something at a moment of the clock.
        """
        heapq.heappush(self._agenda, (moment_s, next(self._order), act))

    def submit(  # type: ignore[override]  # the scheduler passes no keywords
        self, function: Callable[..., Attempted], /, *args: Any
    ) -> Future[Attempted]:
        """
        Make the attempt; its future is done when its duration has passed.
        """
        future: Future[Attempted] = Future()
        self.running += 1
        self.most_running = max(self.most_running, self.running)

        def end(attempted: Attempted) -> None:
            """
            Hand the reply over.
            """
            self.running -= 1
            future.set_result(attempted)

        def make() -> None:
            """
            Ask, and plan the end.
            """
            attempted = function(*args)
            if attempted.reply.duration_s < math.inf:
                end_s = self.now_s + attempted.reply.duration_s
                self.at(end_s, lambda: end(attempted))

        if self._reach_s is None:
            make()
        else:
            self.at(self.now_s + self._reach_s(), make)
        return future

    def put(self, item: Any, /) -> None:
        """
        Take a message for the scheduler.
        """
        self._messages.append(item)

    def get(self, *, timeout: float) -> Any:
        """
        Move the clock to the next message, or to the end of *timeout*.
        """
        self.waits += 1
        if self.waits > MOST_WAITS:
            raise AssertionError("the scheduler waits without end")
        until_s = self.now_s + timeout
        while not self._messages:
            if not self._agenda or self._agenda[0][0] > until_s:
                # A wait too short to be seen in a float still has to end.
                self.now_s = max(until_s, math.nextafter(self.now_s, math.inf))
                raise queue.Empty
            moment_s, _, act = heapq.heappop(self._agenda)
            self.now_s = max(self.now_s, moment_s)
            act()
        return self._messages.pop(0)


@dataclass(frozen=True, slots=True)
class Happening:
    """
    One thing that the observer was told, and when.
    """

    what: str
    trial: int
    attempt: int
    at_s: float
    attempted: Attempted = field(default=Attempted(Reply()), compare=False)
    retry_in_s: float | None = field(default=None, compare=False)


class Story:
    """
    An observer that remembers, and everything else that a test asks of one run.
    """

    def __init__(self, time: VirtualTime, referee: Referee | None = None) -> None:
        self.time = time
        self._referee = referee
        self.happenings: list[Happening] = []
        self.asked: list[tuple[int, int, float]] = []
        self.judged: list[tuple[int, int, float]] = []
        self.taken = 0
        self.stops = 0
        self.status: RunStatus | None = None
        self.stopped_by = ""
        self.kills = 0
        self.changes: list[Change] = []
        self.holds: list[Hold] = []
        self.waited_s: dict[int, float] = {}

    def trial_started(self, trial: Trial) -> None:
        self._note("trial_started", trial.number, 1)

    def attempt_finished(
        self, task: Task, attempted: Attempted, retry_in_s: float | None
    ) -> None:
        self._note("attempt_finished", task.number, task.attempt, attempted, retry_in_s)

    def question_finished(
        self,
        task: Task,
        _question: object,
        reply: Reply,
        retry_in_s: float | None,
    ) -> None:
        told = Attempted(reply)
        self._note("question_finished", task.number, task.tries, told, retry_in_s)

    def trial_finished(self, task: Task, attempted: Attempted) -> None:
        self.waited_s[task.number] = task.waited_s
        if self._referee is not None:
            trial, outcome = task.trial, outcome_of(attempted)[0]
            self._referee.settle(trial.number, trial.case, trial.loop, outcome)
        self._note("trial_finished", task.number, task.attempt, attempted)

    def governor_changed(self, change: Change) -> None:
        self.changes.append(change)

    def tick(self, in_flight: int, waiting: int, hold: Hold | None) -> None:
        assert min(in_flight, waiting) >= 0
        if hold is not None:
            self.holds.append(hold)

    def of(self, what: str) -> list[Happening]:
        """
        Return what was told of one kind, in order.
        """
        return [one for one in self.happenings if one.what == what]

    def attempts(self) -> dict[int, int]:
        """
        Return how many attempts each trial that was asked had.
        """
        counts: dict[int, int] = {}
        for number, _, _ in self.asked:
            counts[number] = counts.get(number, 0) + 1
        return counts

    def _note(
        self,
        what: str,
        trial: int,
        attempt: int,
        attempted: Attempted | None = None,
        retry_in_s: float | None = None,
    ) -> None:
        self.happenings.append(
            Happening(
                what,
                trial,
                attempt,
                self.time.now_s - 1000,
                attempted or Attempted(Reply()),
                retry_in_s,
            )
        )


class FixedWaits:
    """
    A retry policy without chance: the same wait after each trouble that may pass.
    """

    def __init__(self, wait_s: float, *, max_attempts: int = 3) -> None:
        self._wait_s = wait_s
        self._max_attempts = max_attempts

    def begin(self) -> Callable[[Reply], float | None]:
        """
        Return the memory of one trial.
        """
        left = iter(range(self._max_attempts - 1))

        def after(reply: Reply) -> float | None:
            """
            Return the wait, or None at the end.
            """
            may_pass = reply.trouble is not None and reply.trouble.rule.retry
            return self._wait_s if may_pass and next(left, None) is not None else None

        return after


def right(duration_s: float = 1.0) -> Attempted:
    """
    Return an answer that passes.
    """
    return Attempted(Reply(answer="Hello", duration_s=duration_s))


def wrong(duration_s: float = 1.0) -> Attempted:
    """
    Return an answer that a check refuses.
    """
    check = CheckResult(check="contains:Hello", passed=False, reason="no Hello")
    return Attempted(Reply(answer="Bye", duration_s=duration_s), (check,), "Bye.", 0.0)


def trouble(
    kind: ErrorKind, *, retry_after_s: float | None = None, duration_s: float = 1.0
) -> Attempted:
    """
    Return an attempt that met trouble.
    """
    what = Trouble(kind=kind, text=f"met {kind}", retry_after_s=retry_after_s)
    return Attempted(Reply(trouble=what, duration_s=duration_s))


def play(
    script: Mapping[int, Sequence[Attempted]] | None = None,
    *,
    trials: int = 3,
    workers: int = 1,
    gap_s: float = 0.0,
    retry: Any = None,
    cancel_at_s: float | None = None,
    cancel_again_at_s: float | None = None,
    per_minute: int | None = None,
    caps: dict[str, Any] | None = None,
    service: Callable[[Trial, int, float], Attempted] | None = None,
    reach_s: Callable[[], float] | None = None,
    judge_says: Callable[[Trial, int, Attempted], Judged] | None = None,
    referee: Referee | None = None,
    drains: bool = False,
    time: VirtualTime | None = None,
) -> Story:
    """
    Run trials in virtual time and return what happened.

    Args:
        script: What each attempt of a trial brings, by number; the last one repeats. A
            trial that is not there passes.
        cancel_at_s, cancel_again_at_s: Seconds after the beginning.
        caps: Of the `Budget`.
        service: Answers instead of the script; asked with the seconds since the
            beginning.
        reach_s: Of the `VirtualTime`.
        judge_says: Answers questions about graded attempts; None: there are none.
        referee: Stops the run when its verdict is certain; the story tells it outcomes.
        drains: As for the scheduler.
        time: Another clock than the usual one.
    """
    time = time or VirtualTime(reach_s)
    story = Story(time, referee)
    cancellation = Cancellation()

    def ask(trial: Trial, attempt: int) -> Attempted:
        """
        Bring what the script says.
        """
        story.asked.append((trial.number, attempt, time.now_s - 1000))
        if service is not None:
            return service(trial, attempt, time.now_s - 1000)
        steps = (script or {}).get(trial.number) or [right()]
        return steps[min(attempt, len(steps)) - 1]

    def plan() -> Iterator[Trial]:
        """
        Count how many trials are taken.
        """
        for number in range(1, trials + 1):
            story.taken += 1
            yield Trial(number=number, case="prompt", loop=number)

    def stop() -> None:
        """
        Count the calls; attempts under way take their time.
        """
        story.stops += 1

    if cancel_at_s is not None:
        time.at(1000 + cancel_at_s, cancellation.request)
    if cancel_again_at_s is not None:
        time.at(1000 + cancel_again_at_s, cancellation.request)

    def kill() -> None:
        """
        Count the calls.
        """
        story.kills += 1

    def judge(trial: Trial, attempt: int, graded: Attempted) -> Judged:
        """
        Bring what the script of the judge says.
        """
        story.judged.append((trial.number, attempt, time.now_s - 1000))
        assert judge_says is not None
        return judge_says(trial, attempt, graded)

    scheduler = Scheduler(
        trials=plan(),
        ask=ask,
        judge=judge,
        stop=stop,
        kill=kill,
        pool=time,
        governor=Governor(ceiling=workers, gap_s=gap_s, per_minute=per_minute),
        budget=Budget(began_mono_s=1000.0, **(caps or {})),
        retry=retry or RetryPolicy(3),
        observer=story,
        clock=time,
        cancellation=cancellation,
        certainty=Certainty(referee, drains=drains),
        inbox=time,
    )
    story.status = scheduler.run()
    story.stopped_by = scheduler.stopped_by
    return story
