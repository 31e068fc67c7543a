"""
Checks with bugs, and runs of one case with checks of any kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from fakes.runs import ENVIRON, texts

from reliability.checks.base import BaseCheck
from reliability.run import run
from reliability.settings import Settings
from reliability.suite import Case, Suite, Weighed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.grades import Evidence, Grade, Question
    from reliability.run_result import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(BaseCheck):
    """
    A check of a package with a bug.
    """

    KIND: ClassVar[str] = "broken"
    SHORT: ClassVar[str] = "name"
    name: str = "a"
    says: Callable[[Evidence], Any] = field(default=lambda _: None)
    asks: Callable[[Evidence], Any] = field(default=lambda _: ())

    def questions(self, evidence: Evidence) -> tuple[Question, ...]:
        asked: tuple[Question, ...] = self.asks(evidence)
        return asked

    def grade(self, evidence: Evidence) -> Grade:
        grade: Grade = self.says(evidence)
        return grade

    def spec(self) -> Mapping[str, Any]:
        return {self.KIND: self.name}


def case_of(folder: Path, *checks: BaseCheck, **given: str) -> Case:
    """
    Return a case with some checks.
    """
    settings = Settings.from_text(texts(folder, expect="", **given))
    return Case(
        name="one",
        settings=settings,
        checks=tuple(Weighed(check=check) for check in checks),
    )


def run_checks(
    folder: Path, *checks: BaseCheck, environ: Mapping[str, str] = ENVIRON, **given: str
) -> RunResult:
    """
    Run a suite of one case with some checks.
    """
    case = case_of(folder, *checks, **given)
    return run(
        case.settings, suite=Suite(cases=(case,)), environ=environ, workspace=folder
    )
