"""
Runs the trials: lazily, through a `concurrent.futures` executor, in one loop.

The loop has one thread, the caller's. It launches an attempt when the governor lets it,
takes each reply from an inbox, and keeps the trials that wait for another attempt in a
heap by the time they are due. Sequential is the same loop with a pool of one worker:
the worker is a thread even then, so that this one stays free to hear a signal.

A trial is submitted only when it may start, so a stop never has to take anything back.
Everything the observer is told is told in this thread, in one order.
"""

from __future__ import annotations

import heapq
import math
import queue
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from reliability.engine.task import Attempted, Inbox, Observer, Task
from reliability.kinds import ErrorKind
from reliability.model import Reply, RunStatus, Trial, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reliability.clock import Clock
    from reliability.engine.cancellation import Cancellation
    from reliability.engine.governor import Governor
    from reliability.engine.retry import RetryPolicy

DRAIN_S = 3.2
"""Time for attempts to end after a cancel: a child's 2.5 s between SIGTERM and SIGKILL,
and a little. GitHub's runner kills everything 10 s after the first signal, and the log,
the summary and the upload still have to follow."""

_TICK_S = 0.25


def open_pool(workers: int) -> Executor:
    """
    Return the executor of a run: the one seam for other kinds.
    """
    return ThreadPoolExecutor(workers, thread_name_prefix="trial")


class Scheduler:
    """
    One run of trials.

    Args:
        trials: What to run; taken one by one, when one may start.
        ask: Makes one attempt and grades it; called in the pool; must not raise.
        stop: Ends the attempts under way soon.
        inbox: Where replies arrive; a clock that is not the machine's needs one of its
            own, which moves that clock while it waits.
    """

    def __init__(
        self,
        *,
        trials: Iterator[Trial],
        ask: Callable[[Trial, int], Attempted],
        stop: Callable[[], None],
        pool: Executor,
        governor: Governor,
        retry: RetryPolicy,
        observer: Observer,
        clock: Clock,
        cancellation: Cancellation,
        inbox: Inbox | None = None,
    ) -> None:
        self._trials = trials
        self._ask = ask
        self._stop = stop
        self._pool = pool
        self._governor = governor
        self._retry = retry
        self._observer = observer
        self._clock = clock
        self._cancellation = cancellation
        self._next = next(trials, None)
        self._retries: list[Task] = []
        self._in_flight: dict[int, Task] = {}
        # SimpleQueue.put may be called inside a signal handler; Queue.put may not.
        self._inbox: Inbox = queue.SimpleQueue() if inbox is None else inbox
        self._fatal = False

    def run(self) -> RunStatus:
        """
        Run until everything has ended, or until a stop; then end what is under way.
        """
        self._cancellation.on_request(lambda: self._inbox.put(None))
        while not self._cancellation.requested and self._has_work():
            self._launch_what_may_start()
            self._receive(self._nap_s())
        if self._cancellation.requested:
            self._drain()
            return RunStatus.CANCELLED
        return RunStatus.STOPPED if self._fatal else RunStatus.COMPLETED

    def _has_work(self) -> bool:
        return bool(self._in_flight or self._retries or self._next)

    def _launch_what_may_start(self) -> None:
        while not self._fatal and self._gate_s() == 0:
            now_s = self._clock.monotonic_s()
            if self._retries and self._retries[0].due_mono_s <= now_s:
                self._launch(heapq.heappop(self._retries))
                continue
            # The gap between loops is for first attempts; a due retry passed above.
            if self._next is None or self._gate_s(first=True) != 0:
                return
            trial, self._next = self._next, next(self._trials, None)
            self._observer.trial_started(trial)
            self._launch(Task(now_s, trial.number, trial, self._retry.begin()))

    def _gate_s(self, *, first: bool = False) -> float | None:
        now_s = self._clock.monotonic_s()
        return self._governor.wait_s(now_s, first_attempt=first)

    def _launch(self, task: Task) -> None:
        """
        Hand the next attempt of *task* to the pool.
        """
        if task.attempt:
            task.waited_s += self._clock.monotonic_s() - task.ended_mono_s
        task.attempt += 1
        self._governor.started()
        self._in_flight[task.number] = task
        try:
            future = self._pool.submit(self._ask, task.trial, task.attempt)
        except RuntimeError as error:  # The machine has no thread left to give.
            self._inbox.put((task, _of_our_own(str(error))))
            return
        future.add_done_callback(lambda done: self._inbox.put((task, _taken(done))))

    def _nap_s(self) -> float:
        """
        Return how long nothing can happen but a reply.
        """
        if self._fatal:
            return _TICK_S
        naps = [_TICK_S]
        gate_s = self._gate_s()
        if self._retries and gate_s is not None:
            due_s = self._retries[0].due_mono_s - self._clock.monotonic_s()
            naps.append(max(gate_s, due_s))
        if self._next is not None:
            first_s = self._gate_s(first=True)
            naps.append(math.inf if first_s is None else first_s)
        return max(0.0, min(naps))

    def _receive(self, timeout_s: float) -> None:
        now_s = self._clock.monotonic_s()
        self._observer.tick(
            len(self._in_flight), len(self._retries), self._governor.paused_s(now_s)
        )
        try:
            message = self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return
        if message is not None:
            self._finish_attempt(*message)

    def _finish_attempt(self, task: Task, attempted: Attempted) -> None:
        """
        Log what came, and decide whether the trial goes on.
        """
        del self._in_flight[task.number]
        now_s = self._clock.monotonic_s()
        reply = attempted.reply
        task.worked_s += reply.duration_s
        task.ended_mono_s = now_s
        self._governor.ended(reply, now_s)
        self._fatal |= reply.trouble is not None and reply.trouble.rule.fatal
        wait_s = None if self._is_stopping() else task.next_wait_s(reply)
        self._observer.attempt_finished(task, attempted, wait_s)
        if wait_s is None:
            self._observer.trial_finished(task, attempted)
            self._give_up_retries_if_stopping(attempted)
            return
        task.due_mono_s = now_s + wait_s
        heapq.heappush(self._retries, task)

    def _is_stopping(self) -> bool:
        return self._fatal or self._cancellation.requested

    def _give_up_retries_if_stopping(self, attempted: Attempted) -> None:
        if not self._is_stopping():
            return
        if self._fatal:
            self._next = None
        for task in sorted(self._retries):
            self._observer.trial_finished(task, _given_up(attempted.reply.trouble))
        self._retries.clear()

    def _drain(self) -> None:
        """
        End what is under way; whatever does not end in time is left as cancelled.
        """
        self._stop()
        deadline_s = self._clock.monotonic_s() + DRAIN_S
        while self._in_flight and self._clock.monotonic_s() < deadline_s:
            self._receive(max(0.0, deadline_s - self._clock.monotonic_s()))
        for task in sorted([*self._retries, *self._in_flight.values()]):
            self._observer.trial_finished(task, _given_up(None))


def _taken(future: Future[Attempted]) -> Attempted:
    """
    Return what the future holds; an error in it is our own, and no trial's fault.
    """
    if future.cancelled():
        text = "the pool gave the attempt back"
    elif (error := future.exception()) is None:
        return future.result()
    else:
        text = f"{type(error).__name__}: {error}"
    return _of_our_own(text)


def _of_our_own(text: str) -> Attempted:
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.INTERNAL, text=text)))


def _given_up(why: Trouble | None) -> Attempted:
    if why is not None and why.rule.fatal:
        text = f"the run stopped: {why.text}"
    else:
        text = "the run was cancelled"
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.CANCELLED, text=text)))
