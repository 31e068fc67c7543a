"""
How an answer is graded: each check says yes, or no and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.checks.expect import Expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.model import CheckResult
    from reliability.settings import Settings

__all__ = ["open_checks"]


def open_checks(settings: Settings) -> tuple[Callable[[str], CheckResult], ...]:
    """
    Return the checks that every answer of the run must pass; none means any answer.
    """
    return (Expect(settings.expect),) if settings.expect else ()
