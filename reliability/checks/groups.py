"""
Checks made of checks: `not`, `any`, `all`, `weighted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from reliability.checks.base import BaseCheck, label_of
from reliability.grades import Check, Grade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reliability.grades import Evidence, Question
    from reliability.suite import Weighed

EXACT = 1e-9
"""A mean of thirds that should be 1 may be a little less."""


class _Group(BaseCheck):
    """
    A check that asks what its checks ask.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """
        Refuse a group of none.

        Raises:
            ValueError: when there is no check in it.
        """
        if not tuple(self._members()):
            raise ValueError("there is no check in it")

    def _members(self) -> Iterable[Check]:
        return ()

    @property
    def label(self) -> str:
        """
        The labels of its checks.
        """
        return label_of(
            self.KIND, f"({', '.join(one.label for one in self._members())})"
        )

    @property
    def needs_folder(self) -> bool:
        """
        Tell whether one of its checks does.
        """
        return any(check.needs_folder for check in self._members())

    def questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """
        Return what its checks ask.
        """
        return tuple(
            question
            for check in self._members()
            for question in check.questions(evidence)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(_Group):
    """
    A check that passes when another fails; its score is what the other's lacks to 1.
    """

    KIND: ClassVar[str] = "not"
    SHORT: ClassVar[str] = "check"
    check: Check

    def _members(self) -> Iterable[Check]:
        return (self.check,)

    def grade(self, evidence: Evidence) -> Grade:
        """
        Turn the other's grade around.
        """
        grade = self.check.grade(evidence)
        reason = f"expected {self.check.label} not to hold" if grade.passed else ""
        return Grade(
            passed=not grade.passed,
            score=1.0 - grade.score,
            reason=reason,
            details=grade.details,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(_Group):
    """
    At least one of several checks passes; the best score counts.
    """

    KIND: ClassVar[str] = "any"
    SHORT: ClassVar[str] = "checks"
    checks: tuple[Check, ...]

    def _members(self) -> Iterable[Check]:
        return self.checks

    def grade(self, evidence: Evidence) -> Grade:
        """
        Grade all of them.
        """
        grades = [check.grade(evidence) for check in self.checks]
        passed = any(grade.passed for grade in grades)
        reasons = "; ".join(grade.reason for grade in grades)
        return Grade(
            passed=passed,
            score=max(grade.score for grade in grades),
            reason="" if passed else f"none of {len(grades)} holds: {reasons}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf(_Group):
    """
    Each of several checks passes; the lowest score counts.
    """

    KIND: ClassVar[str] = "all"
    SHORT: ClassVar[str] = "checks"
    checks: tuple[Check, ...]

    def _members(self) -> Iterable[Check]:
        return self.checks

    def grade(self, evidence: Evidence) -> Grade:
        """
        Grade all of them.
        """
        grades = [check.grade(evidence) for check in self.checks]
        reasons = [grade.reason for grade in grades if not grade.passed]
        return Grade(
            passed=not reasons,
            score=min(grade.score for grade in grades),
            reason="; ".join(reasons),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted(_Group):
    """
    The mean score of several checks, each by its weight, is high enough.

    Args:
        pass_mark: From which mean it passes, above 0 to 1.
    """

    KIND: ClassVar[str] = "weighted"
    SHORT: ClassVar[str] = "checks"
    checks: tuple[Weighed, ...]
    pass_mark: float = 1.0

    def _members(self) -> Iterable[Check]:
        return (weighed.check for weighed in self.checks)

    def grade(self, evidence: Evidence) -> Grade:
        """
        Grade all of them and take the mean.
        """
        grades = [weighed.check.grade(evidence) for weighed in self.checks]
        passed, score, reason = weigh(self.checks, grades, pass_mark=self.pass_mark)
        return Grade(passed=passed, score=score, reason=reason)

    def spec(self) -> Mapping[str, Any]:
        """
        Return the checks with their weights.
        """
        checks = [weighed.spec() for weighed in self.checks]
        return {self.KIND: {"pass-mark": self.pass_mark, "checks": checks}}


def weigh(
    checks: Sequence[Weighed], grades: Sequence[Grade], *, pass_mark: float
) -> tuple[bool, float, str]:
    """
    Return whether checks pass together, their mean score by weight, and why not.

    With a pass mark of 1 each must pass, whatever its score; below it, each required
    one must, and the mean must reach the mark.

    Args:
        grades: One for each of *checks*, which are not empty.
    """
    total = sum(weighed.weight for weighed in checks)
    pairs = list(zip(checks, grades, strict=True))
    mean = sum(weighed.weight * grade.score for weighed, grade in pairs) / total
    failed = [(weighed, grade) for weighed, grade in pairs if not grade.passed]
    reasons = [grade.reason for _, grade in failed]
    if pass_mark >= 1:
        return not failed, mean, "; ".join(reasons)
    needed = [grade.reason for weighed, grade in failed if weighed.required]
    if needed:
        return False, mean, "; ".join(needed)
    if mean >= pass_mark - EXACT:
        return True, mean, ""
    low = f"expected a score of at least {pass_mark:g}, got {mean:.3g}"
    return False, mean, "; ".join([low, *reasons])
