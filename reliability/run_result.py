"""
What came of a run: its trials, its counts, and all that is reported of it.

Computed from the log and from nothing else; frozen, without I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.model import CheckResult, Outcome, RunStatus, Usage, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """
    One trial as the log tells it.

    Args:
        reason: Why it is not a pass, in one line; empty for a pass.
        duration_s: Time the agent worked, waits between attempts left out.
        waited_s: Time between attempts.
        cost_usd: None when no attempt knew its price.
        answer: The beginning of the last attempt's answer.
        answer_cut: There is more of it, in the log alone.
        reused_from: Id of the run that measured it; empty when this one did.
        changed: It was measured under other conditions than this run's.
        score: The weighted mean of its checks' scores; None without checks.
    """

    number: int
    case: str
    loop: int
    outcome: Outcome
    reason: str = ""
    kind: str = ""
    attempts: int = 0
    duration_s: float = 0.0
    waited_s: float = 0.0
    cost_usd: float | None = None
    turns: int | None = None
    started_utc: str = ""
    answer: str = ""
    answer_cut: bool = False
    checks: tuple[CheckResult, ...] = ()
    reused_from: str = ""
    changed: bool = False
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    Counts of a run; `planned` trials that never started are in none of the others.

    Args:
        cut: Those of the invalid ones that a cap of the run ended.
    """

    planned: int = 0
    passed: int = 0
    failed: int = 0
    invalid: int = 0
    unknown: int = 0
    cut: int = 0

    @property
    def measured(self) -> int:
        """
        Trials that say something about the agent.
        """
        return self.passed + self.failed

    @property
    def missing(self) -> int:
        """
        Planned trials that say nothing about the agent, whatever the reason.
        """
        return self.planned - self.measured

    @property
    def not_run(self) -> int:
        """
        Planned trials that never started.
        """
        return self.missing - self.invalid - self.unknown

    @property
    def lost(self) -> int:
        """
        Trials that began and could not be measured, those that a cap ended left out.
        """
        return self.invalid + self.unknown - self.cut

    @property
    def pass_rate(self) -> float | None:
        """
        Passed of measured; None when nothing was measured.
        """
        return self.passed / self.measured if self.measured else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlan:
    """
    A case as its run's log describes it, as far as results need it.

    Args:
        planned: Its trials, also those that never started.
        min_pass_rate: Its gate, above 0 to 1.
        arm, pair: As in `Case`.
    """

    name: str
    planned: int
    min_pass_rate: float = 1.0
    agent: str = ""
    backend: str = ""
    model: str = ""
    tags: tuple[str, ...] = ()
    arm: str = ""
    pair: str = ""

    @classmethod
    def of(cls, case: Mapping[str, Any]) -> Self:
        """
        Return the plan of a case as `run_started` has it.
        """
        return cls(
            name=case["name"],
            planned=int(case["loops"]),
            min_pass_rate=float(case["min_pass_rate"]),
            agent=case["agent"],
            backend=case["backend"],
            model=case["model"],
            tags=tuple(case["tags"]),
            arm=str(case.get("arm", "")),
            pair=str(case.get("pair", "")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """
    What came of one case.

    Args:
        reason: The verdict in one plain sentence.
        lower, upper: As in `RunResult`.
        mean_score: Of its trials with checks; None when there are none.
        cost_usd: None when no attempt knew its price.
        worked_s: Sum of the time that agents worked.
    """

    plan: CasePlan
    tally: Tally
    verdict: Verdict
    reason: str
    lower: float
    upper: float
    mean_score: float | None = None
    cost_usd: float | None = None
    worked_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """
    A whole run, computed from its log and from nothing else.

    Args:
        reason: The verdict in one plain sentence.
        lower, upper: The exact one-sided bounds of the pass rate at `confidence`.
        cost_usd: None when no attempt knew its price.
        priced: Attempts whose price is known, of `attempts`.
        log_sha256: Empty while the log is not locked.
        signal_number: The signal that cancelled the run; None otherwise.
        stopped_by: What stopped the run: a kind of trouble, or the option whose cap
            was reached; empty when nothing did.
        worked_s, waited_s: Sums over the trials of this very run: agents at work, and
            waits between attempts.
        cases: In the order of the suite; one when there was none.
        trials: All that started, by number; not in memory when there are many.
        retried: Trials that needed more than one attempt.
        reused: Trials that were taken over from earlier runs.
        reused_changed: Those of them that were measured under other conditions.
        earlier: Ids of the runs that this one goes on with.
        changed: What was otherwise there, as sentences.
        comparison: Head against base, JSON-like; None when there is one arm.
        troubles: How often each kind of trouble led to another attempt or an end.
    """

    run_id: str
    agent: str
    backend: str
    model: str
    context: str
    prompt: str
    simulated: bool
    status: RunStatus
    verdict: Verdict
    reason: str
    tally: Tally
    lower: float
    upper: float
    confidence: float
    started_utc: str
    duration_s: float
    attempts: int
    priced: int
    cost_usd: float | None
    usage: Usage
    troubles: Mapping[str, int]
    warnings: tuple[str, ...]
    cases: tuple[CaseResult, ...]
    trials: Sequence[TrialResult]
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    fingerprint: Mapping[str, str]
    log: str
    log_sha256: str = ""
    signal_number: int | None = None
    stopped_by: str = ""
    worked_s: float = 0.0
    waited_s: float = 0.0
    retried: int = 0
    reused: int = 0
    reused_changed: int = 0
    earlier: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    comparison: Mapping[str, Any] | None = None
