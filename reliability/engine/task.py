"""
What the scheduler passes around: a trial under way, what came of it, who is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.engine.governor import Change, Ticket
    from reliability.grades import Evidence, Grade, Question
    from reliability.limits import Hold
    from reliability.model import CheckResult, Reply, Trial


@dataclass(frozen=True, slots=True)
class Pending:
    """
    A trial whose agent has answered, while a model is still to be asked about it.

    Args:
        evidence: Without the agent's folder, which is gone, and with the answers that
            came so far.
        grades: What the checks said that ask nothing, by their place in the case.
        questions: What is still to be asked, in order; never empty.
    """

    evidence: Evidence
    grades: Mapping[int, Grade]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Attempted:
    """
    One attempt's reply and, when there was an answer, what the checks say.

    Args:
        failure: Why the trial fails by its checks; empty when it passes.
        score: The weighted mean of the checks' scores; None without checks.
        pending: What is missing before the trial can be graded; None when nothing is.
    """

    reply: Reply
    checks: tuple[CheckResult, ...] = ()
    failure: str = ""
    score: float | None = None
    pending: Pending | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """
    What a model said to the first question that was pending.

    Args:
        reply: Of the model.
        attempted: The trial's attempt with that answer; when *reply* has a trouble,
            how the trial ends if the model is not asked again.
    """

    reply: Reply
    attempted: Attempted


Message = Attempted | Judged
"""What a worker brings."""


@dataclass(slots=True, order=True)
class Task:
    """
    A trial under way.

    Args:
        due_mono_s: When its next attempt may start.
        attempt: The attempt under way, or the last one; 0 before the first.
        tries: How often what is under way, attempt or question, has been tried.
        waited_s: Time it has spent between attempts.
        ticket: Of the attempt under way; None before the first.
        graded: The agent's answer while a model is asked about it; None before.
    """

    due_mono_s: float
    number: int
    trial: Trial = field(compare=False)
    next_wait_s: Callable[[Reply], float | None] = field(compare=False)
    attempt: int = field(default=0, compare=False)
    tries: int = field(default=0, compare=False)
    waited_s: float = field(default=0.0, compare=False)
    worked_s: float = field(default=0.0, compare=False)
    ended_mono_s: float = field(default=0.0, compare=False)
    ticket: Ticket | None = field(default=None, compare=False)
    graded: Attempted | None = field(default=None, compare=False)


class Inbox(Protocol):
    """
    What the scheduler waits on: the part of `queue.SimpleQueue` that it uses.
    """

    def put(self, item: tuple[Task, Message] | None, /) -> None:
        """
        Add a reply, or None to wake the scheduler; any thread, never blocks.
        """

    def get(self, *, timeout: float) -> tuple[Task, Message] | None:
        """
        Return the next one, or raise `queue.Empty` after *timeout* seconds.
        """


class Observer(Protocol):
    """
    Whoever is told what happens, always in the scheduler's thread.
    """

    def trial_started(self, trial: Trial) -> None:
        """
        Hear that the first attempt of *trial* is about to start.
        """

    def attempt_finished(
        self, task: Task, attempted: Attempted, retry_in_s: float | None
    ) -> None:
        """
        Hear what an attempt brought; *retry_in_s* is None when it was the last.
        """

    def question_finished(
        self,
        task: Task,
        question: Question,
        reply: Reply,
        retry_in_s: float | None,
    ) -> None:
        """
        Hear what a model said when it was asked about a trial.

        Args:
            retry_in_s: None when it is not asked again.
        """

    def trial_finished(self, task: Task, attempted: Attempted) -> None:
        """
        Hear that *task* has ended, with its last attempt.
        """

    def governor_changed(self, change: Change) -> None:
        """
        Hear that the gate in front of all attempts is another one now.
        """

    def tick(self, in_flight: int, waiting: int, hold: Hold | None) -> None:
        """
        Hear, a few times a second, how many attempts are in flight or wait.

        Args:
            hold: Why none starts now; None when nothing keeps them.
        """
