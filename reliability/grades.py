"""
What a check is given, what it says, and what it may ask a model.

A check is a value: a frozen dataclass whose fields are what the user wrote. It grades
the evidence of one trial, in a worker, while the agent's folder is still there. One
that needs a model's opinion says beforehand what it wants to ask; the engine asks, as
it asks the agent, and grades when all answers are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reliability.model import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reliability.transcript import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """
    What one check says of one trial.

    Args:
        score: From 0 to 1.
        reason: What was expected and what came, in a sentence; empty when it passed.
        details: More facts for the log, JSON-like, such as the votes of a judge.
    """

    passed: bool
    score: float
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, reason: str) -> Grade:
        """
        Return the grade of a check that is met when there is no *reason* against it.
        """
        return cls(passed=not reason, score=0.0 if reason else 1.0, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    Something to ask a model about a trial.

    Args:
        key: Names it among all questions of all trials: a hash of what follows, so
            that its answer in a log can be found again.
        model: Empty for the model that the suite names for its judges.
    """

    key: str
    prompt: str
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    How a check's command ended.

    Args:
        exit_code: Negative for a signal; None when it was ended at its limit.
        output, errors: The beginning and end of what it wrote, capped.
    """

    exit_code: int | None
    output: str
    errors: str
    duration_s: float


class Leavings(Protocol):
    """
    The agent's folder after the agent has ended, as long as it is there.
    """

    @property
    def folder(self) -> Path:
        """
        Where the agent worked. Its content is hostile: links, pipes, any size.
        """

    def changes(self) -> Mapping[str, Any]:
        """
        Return what the agent changed, as the log's evidence `workspace` has it.
        """

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes,
        hidden: Mapping[str, bytes],
        env: Mapping[str, str],
        timeout_s: float,
    ) -> Ended:
        """
        Run a program in the agent's folder, as the agent's user, under its limits.

        Args:
            hidden: Files by name that are put into a folder of their own, which the
                agent never saw; `{hidden}` in *argv* and *env* becomes its path.

        Raises:
            CheckError: when it cannot be started.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    What is known of a trial whose agent has answered.

    Args:
        steps: What the agent did; empty when the backend does not tell.
        turns, cost_usd: None when the backend does not tell.
        duration_s: Time the agent worked.
        leavings: The agent's folder; None when it has none or when it is gone.
        workspace: The log's evidence of what changed there; empty when nothing did.
        answers: A model's answers to questions, by their key.
    """

    case: str
    prompt: str
    answer: str
    variables: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    turns: int | None = None
    cost_usd: float | None = None
    usage: Usage = field(default_factory=Usage)
    duration_s: float = 0.0
    leavings: Leavings | None = None
    workspace: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)


class Check(Protocol):
    """
    One test of a trial's evidence: a frozen value, used by many threads at once.
    """

    @property
    def label(self) -> str:
        """
        How people know it, such as `contains:Hello`; at most some 80 characters.
        """

    @property
    def needs_folder(self) -> bool:
        """
        Tell whether it looks into the agent's folder.
        """

    def questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """
        Return what a model must be asked before `grade`; empty for nothing.
        """

    def grade(self, evidence: Evidence) -> Grade:
        """
        Grade the trial.

        Raises:
            CheckError: when that cannot be done; the trial is then `invalid`.
        """

    def spec(self) -> Mapping[str, Any]:
        """
        Return `{kind: parameters}` as in a suite file, JSON-like, for the log.

        Two checks with the same spec grade alike.
        """
