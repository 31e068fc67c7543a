"""
The plain rule: every trial must pass.

One failing trial proves that not every trial passes, whatever else could not be
measured. Passing trials alone prove it only when none is missing: with a few missing
the verdict is inconclusive, with more than a fifth of them it is invalid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.model import RunStatus, Verdict
from reliability.stats.interval import lower_bound

if TYPE_CHECKING:
    from reliability.run_result import Tally

CONFIDENCE = 0.95
"""Of each one-sided bound that is shown."""

MAX_MISSING_SHARE = 0.2


def decide(
    tally: Tally, status: RunStatus, *, fatal_kind: str = ""
) -> tuple[Verdict, str]:
    """
    Return the verdict and its reason in one sentence.

    Args:
        fatal_kind: The kind of trouble that stopped the run; empty when none did.
    """
    counted = f"{tally.measured} of {_trials(tally.planned)}"
    if status is RunStatus.CANCELLED:
        return Verdict.INVALID, f"Cancelled when {counted} had been measured."
    if status is RunStatus.STARTED:
        return Verdict.INVALID, f"The run never ended; {counted} had been measured."
    if tally.failed:
        failed = f"{tally.failed} of {tally.measured} measured trials failed"
        return Verdict.FAIL, f"{failed}, and every trial must pass."
    if status is RunStatus.STOPPED:
        why = f"{fatal_kind}, which no later trial could have escaped"
        return Verdict.INVALID, f"Stopped by {why}; {counted} had been measured."
    if tally.missing > MAX_MISSING_SHARE * tally.planned:
        why = "the rest met trouble that is not the agent's"
        return Verdict.INVALID, f"Too little was measured: {counted}; {why}."
    if tally.missing:
        passed = f"All {tally.measured} measured trials passed"
        missing = f"{tally.missing} of {tally.planned} could not be measured"
        return Verdict.INCONCLUSIVE, f"{passed}, but {missing}."
    sure = lower_bound(tally.passed, tally.measured, CONFIDENCE)
    claim = f"the agent passes at least {sure:.1%} of the time"
    only = tally.planned == 1
    passed = "The only trial passed" if only else f"All {tally.passed} trials passed"
    return Verdict.PASS, f"{passed}: {CONFIDENCE:.0%} sure that {claim}."


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
