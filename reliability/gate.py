"""
What a run must show to pass: one value, fixed before the first trial, kept in the log.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from reliability.choices import GateRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.suite import Suite

CONFIDENCE = 0.95
"""Of each one-sided bound, unless the user asks for another."""

MAX_INVALID = 0.2
"""Share of the trials that may be invalid, unless the user says otherwise."""

EARLY_STOP = "early-stop"
"""What stopped a run whose verdict was certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """
    The gate of a run; that of a case is its own rate at the same confidence.

    Args:
        rule: What is asked of the cases together; all the same for one case.
        min_pass_rate: Of the run, above 0 to 1; 1 is the plain rule.
        confidence: One-sided, of each claim.
        early_stop: The trials follow a sequential design; one list of trials has one
            design, so this is not changed later.
        compares: Head is held against base, and to no rate.
        baseline: By the name of the case, how many passed, were measured and were lost
            in the run that is the base; None when that is an arm of this run.
        margin: By how much head's rate may be lower and still count as no worse; None
            for what the number of trials makes sensible.
        max_invalid: Share of the trials beyond which the verdict is invalid.
    """

    rule: GateRule = GateRule.ALL_CASES
    min_pass_rate: float = 1.0
    confidence: float = CONFIDENCE
    early_stop: bool = False
    max_invalid: float = MAX_INVALID
    compares: bool = False
    margin: float | None = None
    baseline: Mapping[str, Sequence[int]] | None = None

    @property
    def alpha(self) -> float:
        """
        The most probability of a wrong verdict of either kind.
        """
        return 1 - self.confidence

    @classmethod
    def of(cls, suite: Suite) -> Self:
        """
        Return the gate that a suite's options describe.

        The mean is only asked for when the run as a whole has a rate below 1: with 1,
        each case is held to its own.
        """
        settings = suite.settings
        rate = suite.min_pass_rate
        rates = {rate, *(case.settings.min_pass_rate for case in suite.cases)}
        early_stop = settings.early_stop
        if suite.baseline is not None or any(case.arm for case in suite.cases):
            return cls(
                baseline=suite.baseline,
                confidence=settings.confidence,
                max_invalid=settings.max_invalid,
                compares=True,
                margin=settings.margin,
            )
        return cls(
            rule=settings.gate if rate < 1 else GateRule.ALL_CASES,
            min_pass_rate=rate,
            confidence=settings.confidence,
            early_stop=min(rates) < 1 if early_stop is None else early_stop,
            max_invalid=settings.max_invalid,
        )

    @classmethod
    def read(cls, start: Mapping[str, Any]) -> Self:
        """
        Return the gate of a log, of its `run_started`; earlier versions wrote none.
        """
        fields = start.get("gate")
        if fields is None:
            return cls()
        return cls(**{**fields, "rule": GateRule(fields["rule"])})

    def as_json(self) -> dict[str, Any]:
        """
        Return what the log keeps.
        """
        return asdict(self)
