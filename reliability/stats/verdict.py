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

CAPS = frozenset({"max-cost-usd", "max-tokens", "max-minutes"})
"""Options that may end a run before all trials have run."""


def decide(
    tally: Tally, status: RunStatus, *, stopped_by: str = ""
) -> tuple[Verdict, str]:
    """
    Return the verdict and its reason in one sentence.

    Args:
        stopped_by: The kind of trouble, or the option whose cap, that stopped the run;
            empty when none did.
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
        if stopped_by in CAPS and tally.measured:
            return _capped(tally, stopped_by)
        if stopped_by in CAPS:
            why = "before anything was measured"
            return Verdict.INVALID, f"Stopped by {stopped_by} {why}."
        why = f"{stopped_by}, which no later trial could have escaped"
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


def _capped(tally: Tally, cap: str) -> tuple[Verdict, str]:
    """
    Judge a run without a failure that a cap ended, and say what that cost in certainty.
    """
    started = tally.planned - tally.not_run
    if started - tally.measured > MAX_MISSING_SHARE * started:
        counted = f"{tally.measured} of {_trials(started)}"
        why = f"too little was measured, {counted} that began"
        return Verdict.INVALID, f"Stopped by {cap}, and {why}."
    sure = lower_bound(tally.passed, tally.measured, CONFIDENCE)
    could = lower_bound(tally.planned, tally.planned, CONFIDENCE)
    passed = f"All {tally.measured} measured trials passed"
    missing = f"{cap} left {tally.missing} of {tally.planned} without a result"
    claim = f"{CONFIDENCE:.0%} sure of {sure:.1%} at least, where all could show"
    return Verdict.INCONCLUSIVE, f"{passed}, but {missing}: {claim} {could:.1%}."


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
