"""
Checks of what a trial took: `max-cost-usd`, `max-turns`, `max-seconds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from reliability.checks.base import BaseCheck
from reliability.errors import CheckError
from reliability.grades import Grade

if TYPE_CHECKING:
    from reliability.grades import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxCost(BaseCheck):
    """
    The attempt that answered cost no more than this.

    Args:
        usd: US dollars.
    """

    KIND: ClassVar[str] = "max-cost-usd"
    SHORT: ClassVar[str] = "usd"
    usd: float

    def grade(self, evidence: Evidence) -> Grade:
        """
        Compare the cost.

        Raises:
            CheckError: when nobody knows it.
        """
        if evidence.cost_usd is None:
            raise CheckError(
                "max-cost-usd cannot decide: the price of the model is not known",
                remedy="Give it with the option prices.",
            )
        if evidence.cost_usd <= self.usd:
            return Grade.of("")
        return Grade.of(
            f"expected a cost of at most ${self.usd:g}, got ${evidence.cost_usd:.4f}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxTurns(BaseCheck):
    """
    The agent took no more turns than this.
    """

    KIND: ClassVar[str] = "max-turns"
    SHORT: ClassVar[str] = "turns"
    turns: int

    def grade(self, evidence: Evidence) -> Grade:
        """
        Compare the turns.

        Raises:
            CheckError: when the backend does not count them.
        """
        if evidence.turns is None:
            raise CheckError("max-turns cannot decide: the backend tells no turns")
        if evidence.turns <= self.turns:
            return Grade.of("")
        return Grade.of(
            f"expected at most {self.turns} turns, got {evidence.turns} turns"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxSeconds(BaseCheck):
    """
    The agent worked no longer than this; waiting on a limit does not count.
    """

    KIND: ClassVar[str] = "max-seconds"
    SHORT: ClassVar[str] = "seconds"
    seconds: float

    def grade(self, evidence: Evidence) -> Grade:
        """
        Compare the time.
        """
        if evidence.duration_s <= self.seconds:
            return Grade.of("")
        return Grade.of(
            f"expected at most {self.seconds:g} s, got {evidence.duration_s:.1f} s"
        )
