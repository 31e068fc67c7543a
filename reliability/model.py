"""
The values that the rest of the package passes around, and the words they use.

agent      what is tested
case       one prompt and the checks that its answer must pass
trial      one graded execution of a case; `--loops N` asks for N of each case
attempt    one call of the agent inside a trial; only infrastructure trouble leads
           to another one, a wrong answer never does
outcome    of a trial; verdict: of a case and of a run

Everything here is frozen and does no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reliability.kinds import KIND_RULES, ErrorKind, KindRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.limits import Limits
    from reliability.transcript import Step

SCHEMA_VERSION = 1
"""Version of the log's events and of `results.json`; it grows when a field changes."""


class Outcome(StrEnum):
    """
    What became of a trial.
    """

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"  # the agent answered and a check says no, or it ended in an error
    INVALID = "invalid"  # could not be measured: neither pass nor fail
    UNKNOWN = "unknown"  # started and never ended: the run was killed


class Verdict(StrEnum):
    """
    What the evidence says about the agent.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"  # too little was measured


class RunStatus(StrEnum):
    """
    How a run ended; `STARTED` is what a killed run's log still says.
    """

    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"  # trouble that no later trial could escape, such as a bad key
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """
    An attempt's error.

    Args:
        text: What happened, for people; may hold untrusted text.
        retry_after_s: What the service asked for; None when it did not say.
    """

    kind: ErrorKind
    text: str
    retry_after_s: float | None = None

    @property
    def rule(self) -> KindRule:
        """
        What follows from it.
        """
        return KIND_RULES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    Tokens of one attempt, as the API counts them.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """
        All of them: in, out and cached.
        """
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    What one attempt brought: an answer or a trouble, and the evidence for either.

    Args:
        answer: The final answer; what there is of it when `trouble` is set.
        trouble: None when the answer may be graded.
        errors: What the agent wrote to standard error, or the service's message.
        cost_usd: None when the price of the model is not known.
        turns: Model turns; None when the backend cannot tell.
        tools: Names of the tools called, in order.
        subagents: Types of the subagents called, in order.
        denied_tools: Names of the tools that permissions refused.
        steps: What the agent did, in order; empty when the backend does not tell.
        duration_s: Time the agent worked.
        evidence: More facts of this backend, JSON-like, for the log.
        refusals: How often the service refused for a rate limit while the attempt went
            on by itself.
        limits: What the service said about its limits; None when it did not.
    """

    answer: str = ""
    trouble: Trouble | None = None
    errors: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    model: str = ""
    session_id: str = ""
    turns: int | None = None
    tools: tuple[str, ...] = ()
    subagents: tuple[str, ...] = ()
    denied_tools: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    http_status: int | None = None
    exit_code: int | None = None
    duration_s: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    refusals: int = 0
    limits: Limits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One planned execution of a case.

    Args:
        number: Position in the run, from 1; unique in a log.
        case: Name of the case.
        loop: Which execution of that case this is, from 1.
    """

    number: int
    case: str
    loop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """
    What one check said of an answer.

    Args:
        reason: Why it failed: what was expected and what came; empty when it passed.
        score: From 0 to 1; None stands for 1 when it passed and for 0 when not.
        weight: Of the mean score of its case.
        details: More facts, JSON-like, such as the votes of a judge.
    """

    check: str
    passed: bool
    reason: str = ""
    score: float | None = None
    weight: float = 1.0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """
    What a backend says of itself before the first call.

    Args:
        versions: Versions of the programs involved, by name.
        fingerprint: Hashes and names that must agree before two runs are compared.
        warnings: Sentences for the user.
        simulated: Every answer comes from the simulator.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    simulated: bool = False
