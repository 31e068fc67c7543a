"""
From what an attempt brought to the outcome of its trial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.model import Outcome

if TYPE_CHECKING:
    from reliability.engine.task import Attempted


def outcome_of(last: Attempted) -> tuple[Outcome, str]:
    """
    Return the outcome of a trial and, unless it passed, why.

    Args:
        last: The attempt that ended it; earlier ones met infrastructure trouble and say
            nothing about the agent.
    """
    trouble = last.reply.trouble
    if trouble is not None:
        outcome = Outcome.INVALID if trouble.rule.infrastructure else Outcome.FAIL
        return outcome, trouble.text
    failed = [check.reason for check in last.checks if not check.passed]
    if failed:
        return Outcome.FAIL, "; ".join(failed)
    return Outcome.PASS, ""
