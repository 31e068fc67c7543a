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
from typing import TYPE_CHECKING

from reliability.engine.certainty import Certainty
from reliability.engine.ends import given_up, tell, unasked
from reliability.engine.launcher import Launcher
from reliability.engine.task import Attempted, Inbox, Message, Observer, Task
from reliability.gate import EARLY_STOP
from reliability.model import RunStatus, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from reliability.clock import Clock
    from reliability.engine.budget import Budget
    from reliability.engine.cancellation import Cancellation
    from reliability.engine.governor import Governor
    from reliability.engine.retry import RetryPolicy
    from reliability.engine.task import Judged

DRAIN_S = 3.2
"""Time for attempts to end after a cancel: a child's 2.5 s between SIGTERM and SIGKILL,
and a little. GitHub's runner kills everything 10 s after the first signal, and the log,
the summary and the upload still have to follow."""

_KILL_S = 1.0  # After a second request: SIGKILL works at once, or never.
_TICK_S = 0.25
_SHOW_EVERY_S = 0.1


class Scheduler:
    """
    One run of trials.

    Args:
        trials: What to run; taken one by one, when one may start.
        ask: Makes one attempt and grades it; called in the pool; must not raise.
        judge: Asks a model one question about a graded attempt; as *ask*.
        stop: Ends the attempts under way soon.
        kill: Ends them now; for whoever asks a second time.
        certainty: Says when no other trial is needed; None runs all of them.
        inbox: Where replies arrive; a clock that is not the machine's needs one of its
            own, which moves that clock while it waits.
    """

    def __init__(
        self,
        *,
        trials: Iterator[Trial],
        ask: Callable[[Trial, int], Attempted],
        judge: Callable[[Trial, int, Attempted], Judged],
        stop: Callable[[], None],
        kill: Callable[[], object],
        pool: Executor,
        governor: Governor,
        budget: Budget,
        retry: RetryPolicy,
        observer: Observer,
        clock: Clock,
        cancellation: Cancellation,
        certainty: Certainty | None = None,
        inbox: Inbox | None = None,
    ) -> None:
        self._trials = trials
        self._stop = stop
        self._kill = kill
        self._governor = governor
        self._budget = budget
        self._retry = retry
        self._observer = observer
        self._clock = clock
        self._cancellation = cancellation
        self._certainty = certainty or Certainty()
        self._next = next(trials, None)
        self._retries: list[Task] = []
        self._in_flight: dict[int, Task] = {}
        # SimpleQueue.put may be called inside a signal handler; Queue.put may not.
        self._inbox: Inbox = queue.SimpleQueue() if inbox is None else inbox
        self._launcher = Launcher(ask=ask, judge=judge, pool=pool, inbox=self._inbox)
        self._ticked_mono_s = -math.inf
        self._cut_by = ""
        self._is_held_back = False
        self.stopped_by = ""

    def run(self) -> RunStatus:
        """
        Run until everything has ended, or until a stop; then end what is under way.

        After it, `stopped_by` names the trouble or the cap that stopped the run.
        """
        self._cancellation.on_request(lambda: self._inbox.put(None))
        self._look_at_verdict()
        while not self._cancellation.requested and self._has_work():
            if self.stopped_by == EARLY_STOP and not self._certainty.drains:
                self._cut_by = EARLY_STOP
                break
            if self._clock.monotonic_s() >= self._budget.cut_mono_s:
                self._stop_for("max-minutes", "max-minutes was reached")
                self._cut_by = "max-minutes"
                break
            self._launch_what_may_start()
            self._receive(self._nap_s())
        if self._cut_by or self._cancellation.requested:
            self._drain()
        if self._cancellation.requested:
            return RunStatus.CANCELLED
        return RunStatus.STOPPED if self.stopped_by else RunStatus.COMPLETED

    def _has_work(self) -> bool:
        return bool(self._in_flight or self._retries or self._next)

    def _launch_what_may_start(self) -> None:
        self._is_held_back = False
        while not self.stopped_by and (self._retries or self._next):
            now_s = self._clock.monotonic_s()
            if self._governor.wait_s(now_s, first_attempt=False) != 0:
                return
            is_due = bool(self._retries) and self._retries[0].due_mono_s <= now_s
            if not is_due and not self._may_begin(now_s):
                return
            self._is_held_back = not self._may_spend(now_s)
            if self._is_held_back:
                return
            if is_due:
                self._launch(heapq.heappop(self._retries), now_s)
            else:
                self._begin(now_s)

    def _may_begin(self, now_s: float) -> bool:
        """
        Tell whether there is another trial and the gap between loops is over.
        """
        self._next = self._certainty.first_needed(self._next, self._trials)
        if self._next is None or not self._is_wanted():
            return False
        return self._governor.wait_s(now_s, first_attempt=True) == 0

    def _is_wanted(self) -> bool:
        """
        Tell whether the next trial may still count; only a reply changes that.
        """
        is_idle = not self._in_flight and not self._retries
        return is_idle or self._certainty.wants(self._next)

    def _look_at_verdict(self) -> None:
        """
        Stop once no other trial could change the verdict.
        """
        if self._has_work() and self._certainty.is_reached:
            self._stop_for(EARLY_STOP, "the verdict is certain")

    def _may_spend(self, now_s: float) -> bool:
        """
        Ask the budget; a final no stops the run.
        """
        refusal = self._budget.refusal(now_s, in_flight=len(self._in_flight))
        if refusal is not None and refusal.is_final:
            self._stop_for(refusal.option, f"{refusal.option} was reached")
        return refusal is None

    def _begin(self, now_s: float) -> None:
        """
        Start the next trial.
        """
        trial, self._next = self._next, next(self._trials, None)
        assert trial is not None, "_may_begin says so"  # noqa: S101
        self._observer.trial_started(trial)
        task = Task(now_s, trial.number, trial, self._retry.begin())
        self._launch(task, now_s)

    def _launch(self, task: Task, now_s: float) -> None:
        """
        Start the next attempt of *task*, or the next question about it.
        """
        if task.ticket is not None:
            task.waited_s += now_s - task.ended_mono_s
        task.ticket = self._governor.started(now_s)
        self._in_flight[task.number] = task
        self._launcher.launch(task)

    def _nap_s(self) -> float:
        """
        Return how long nothing can happen but a reply.
        """
        now_s = self._clock.monotonic_s()
        naps = [_TICK_S, self._budget.cut_mono_s - now_s]
        if self._is_held_back:
            return max(0.0, min(naps))  # Only a reply changes the budget's mind.
        if self._retries and not self.stopped_by:
            gate_s = self._governor.wait_s(now_s, first_attempt=False)
            if gate_s is not None:
                naps.append(max(gate_s, self._retries[0].due_mono_s - now_s))
        if self._next is not None and not self.stopped_by and self._is_wanted():
            first_s = self._governor.wait_s(now_s, first_attempt=True)
            naps.append(math.inf if first_s is None else first_s)
        return max(0.0, min(naps))

    def _receive(self, timeout_s: float) -> None:
        self._tick()
        try:
            message = self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return
        if message is not None:
            self._finish(*message)

    def _tick(self) -> None:
        """
        Show how far the run is, often enough for a person.
        """
        now_s = self._clock.monotonic_s()
        if now_s - self._ticked_mono_s < _SHOW_EVERY_S:
            return
        self._ticked_mono_s = now_s
        self._observer.tick(
            len(self._in_flight), len(self._retries), self._governor.hold(now_s)
        )

    def _finish(self, task: Task, message: Message) -> None:
        """
        Learn from what came, log it, and decide whether the trial goes on.
        """
        del self._in_flight[task.number]
        now_s = self._clock.monotonic_s()
        reply = message.reply
        task.worked_s += reply.duration_s if task.graded is None else 0.0
        task.ended_mono_s = now_s
        assert task.ticket is not None, "_launch gives one"  # noqa: S101
        self._governor.ended(task.ticket, reply, now_s)
        self._budget.spend(reply)
        trouble = reply.trouble
        if trouble is not None and trouble.rule.fatal:
            self._stop_for(trouble.kind, trouble.text)
        elif self._governor.is_broken:
            self._stop_for("outage", "the infrastructure is gone, every probe failed")
        wait_s = None if self._is_stopping() else task.next_wait_s(reply)
        attempted = tell(self._observer, task, message, wait_s, cut_by=self._cut_by)
        for change in self._governor.take_changes():
            self._observer.governor_changed(change)
        if wait_s is None and attempted.pending is not None:
            if self._is_stopping():
                attempted = unasked(attempted, cut_by=self._cut_by)
            else:
                wait_s = self._turn_to_judge(task, attempted)
        if wait_s is None:
            self._observer.trial_finished(task, attempted)
            self._look_at_verdict()
            return
        task.due_mono_s = now_s + wait_s
        heapq.heappush(self._retries, task)

    def _turn_to_judge(self, task: Task, attempted: Attempted) -> float:
        """
        Make the first pending question what *task* does next, which may be at once.
        """
        task.graded, task.tries = attempted, 0
        task.next_wait_s = self._retry.begin()
        return 0.0

    def _is_stopping(self) -> bool:
        return bool(self.stopped_by) or self._cancellation.requested

    def _stop_for(self, reason: str, text: str) -> None:
        """
        Start nothing more, and give up what waits for another attempt.
        """
        if self._is_stopping():
            return
        self.stopped_by = reason
        self._next = None
        for task in sorted(self._retries):
            end = given_up(f"the run stopped: {text}", cut_by=reason)
            self._observer.trial_finished(task, end)
        self._retries.clear()

    def _drain(self) -> None:
        """
        End what is under way; whatever does not end in time is left as it is.

        A second request to stop ends it now.
        """
        self._stop()
        deadline_s = self._clock.monotonic_s() + DRAIN_S
        is_killed = False
        while self._in_flight and self._clock.monotonic_s() < deadline_s:
            if self._cancellation.is_urgent and not is_killed:
                is_killed = True
                self._kill()
                deadline_s = min(deadline_s, self._clock.monotonic_s() + _KILL_S)
            self._receive(max(0.0, deadline_s - self._clock.monotonic_s()))
        for task in sorted([*self._retries, *self._in_flight.values()]):
            end = given_up("the run was cancelled", cut_by=self._cut_by)
            self._observer.trial_finished(task, end)
