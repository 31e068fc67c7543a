"""
Checks of the answer's text: `contains`, `not-contains`, `equals`, `regex`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from reliability.checks.base import BaseCheck, require_pattern, shown
from reliability.grades import Grade

if TYPE_CHECKING:
    from reliability.grades import Evidence

REGEX_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains(BaseCheck):
    """
    The answer holds a text.

    Args:
        ignore_case: Upper and lower case are alike.
    """

    KIND: ClassVar[str] = "contains"
    SHORT: ClassVar[str] = "text"
    text: str
    ignore_case: bool = False

    def grade(self, evidence: Evidence) -> Grade:
        """
        Look for the text.
        """
        if _holds(evidence.answer, self.text, ignore_case=self.ignore_case):
            return Grade.of("")
        got = shown(evidence.answer)
        return Grade.of(f"expected an answer that contains {self.text!r}, got {got}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotContains(BaseCheck):
    """
    The answer does not hold a text.

    Args:
        ignore_case: Upper and lower case are alike.
    """

    KIND: ClassVar[str] = "not-contains"
    SHORT: ClassVar[str] = "text"
    text: str
    ignore_case: bool = False

    def grade(self, evidence: Evidence) -> Grade:
        """
        Look for the text.
        """
        if not _holds(evidence.answer, self.text, ignore_case=self.ignore_case):
            return Grade.of("")
        got = shown(evidence.answer)
        return Grade.of(f"expected an answer without {self.text!r}, got {got}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals(BaseCheck):
    """
    The answer is a text, blanks around it aside.

    Args:
        ignore_case: Upper and lower case are alike.
    """

    KIND: ClassVar[str] = "equals"
    SHORT: ClassVar[str] = "text"
    text: str
    ignore_case: bool = False

    def grade(self, evidence: Evidence) -> Grade:
        """
        Compare the two.
        """
        one, other = self.text.strip(), evidence.answer.strip()
        if self.ignore_case:
            one, other = one.casefold(), other.casefold()
        if one == other:
            return Grade.of("")
        got = shown(evidence.answer)
        return Grade.of(f"expected exactly {self.text!r}, got {got}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex(BaseCheck):
    """
    A regular expression of Python's matches somewhere in the answer.

    It runs in a helper process: Python's engine can take exponential time over it while
    holding the interpreter's lock.

    Args:
        timeout: Seconds; a pattern that takes longer cannot decide.
    """

    KIND: ClassVar[str] = "regex"
    SHORT: ClassVar[str] = "pattern"
    pattern: str
    timeout: float = REGEX_TIMEOUT_S

    def __post_init__(self) -> None:
        """
        Refuse what is no regular expression.

        Raises:
            ValueError: when it is none.
        """
        require_pattern(self.pattern)

    def grade(self, evidence: Evidence) -> Grade:
        """
        Search the answer.

        Raises:
            CheckError: when the search finds no end within its time.
        """
        from reliability.checks.sandbox import search

        if search(self.pattern, evidence.answer, timeout_s=self.timeout):
            return Grade.of("")
        got = shown(evidence.answer)
        return Grade.of(f"expected an answer that matches {self.pattern!r}, got {got}")


def _holds(answer: str, text: str, *, ignore_case: bool) -> bool:
    if ignore_case:
        return text.casefold() in answer.casefold()
    return text in answer
