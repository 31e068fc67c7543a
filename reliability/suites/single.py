"""
The suite of a run without a suite file: one case, made of the options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.checks.text import Contains, Equals, Regex
from reliability.parsers import ExpectMode
from reliability.suite import DEFAULT_CASE, Case, Suite, Weighed

if TYPE_CHECKING:
    from reliability.grades import Check
    from reliability.parsers import Expectation
    from reliability.settings import Settings


def single_case(settings: Settings, checks: tuple[Weighed, ...] = ()) -> Suite:
    """
    Return the suite with the one case that the options describe.

    Args:
        checks: What the option `checks` says; `expect` adds its own.
    """
    if settings.expect is not None:
        checks = (*checks, Weighed(check=_expected(settings.expect)))
    case = Case(
        name=DEFAULT_CASE,
        settings=settings,
        checks=checks,
        variables=dict(settings.var),
    )
    return Suite(cases=(case,), min_pass_rate=settings.min_pass_rate)


def _expected(expectation: Expectation) -> Check:
    match expectation.mode:
        case ExpectMode.CONTAINS:
            return Contains(text=expectation.text)
        case ExpectMode.EQUALS:
            return Equals(text=expectation.text)
        case ExpectMode.MATCHES:
            return Regex(pattern=expectation.text)
