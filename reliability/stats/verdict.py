"""
From counts to a verdict, for a number of trials that was fixed before.

A pass rate of 1 is the plain rule: every trial must pass, and one that fails decides.
Any other rate is a claim about the agent: pass when the exact one-sided bound shows
that its rate is at least that, fail when it shows that it is below.

Trials that could not be measured count against both: a pass must hold if they had all
failed, a fail if they had all passed. Beyond a fifth of them the verdict is invalid.
What a cap left out is another thing: nothing went wrong there, so it only leaves less
to be sure of.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from reliability.gate import EARLY_STOP, Gate
from reliability.model import RunStatus, Verdict
from reliability.run_result import Tally
from reliability.stats.interval import lower_bound, percent, upper_bound

if TYPE_CHECKING:
    from collections.abc import Iterable

CAPS = frozenset({"max-cost-usd", "max-tokens", "max-minutes", EARLY_STOP})
"""What may end a run before all trials have run, without anything having gone wrong."""

_DEFAULT = Gate()


def decide(
    tally: Tally,
    status: RunStatus,
    *,
    stopped_by: str = "",
    min_pass_rate: float = 1.0,
    gate: Gate = _DEFAULT,
) -> tuple[Verdict, str]:
    """
    Return the verdict and its reason in one sentence.

    Args:
        stopped_by: The kind of trouble, or the option whose cap, that stopped the run;
            empty when none did.
        min_pass_rate: What the agent must reach, above 0 to 1.
        gate: For its confidence and for how much may be missing.
    """
    counted = f"{tally.measured} of {_trials(tally.planned)}"
    if status is RunStatus.CANCELLED:
        return Verdict.INVALID, f"Cancelled when {counted} had been measured."
    if status is RunStatus.STARTED:
        return Verdict.INVALID, f"The run never ended; {counted} had been measured."
    if min_pass_rate >= 1 and tally.failed:
        failed = f"{tally.failed} of {tally.measured} measured trials failed"
        return Verdict.FAIL, f"{failed}, and every trial must pass."
    problem = _too_little(tally, status, stopped_by, gate.max_invalid)
    if problem:
        return Verdict.INVALID, problem
    cap = stopped_by if status is RunStatus.STOPPED else ""
    if min_pass_rate < 1:
        return _gate(tally, cap, min_pass_rate, gate.confidence)
    return _plain_rule(tally, cap, gate.confidence)


def nothing_left(tally: Tally, status: RunStatus, stopped_by: str) -> bool:
    """
    Tell whether a cap left nothing of a case, which is no fault of anybody's.
    """
    is_cut = status is RunStatus.STOPPED and stopped_by in CAPS
    return is_cut and tally.not_run + tally.cut == tally.planned


def total(tallies: Iterable[Tally]) -> Tally:
    """
    Return the sum of counts.
    """
    sums: Counter[str] = Counter()
    for tally in tallies:
        sums.update(asdict(tally))
    return Tally(**sums)


def _too_little(
    tally: Tally, status: RunStatus, stopped_by: str, max_invalid: float
) -> str:
    """
    Return why nothing can be said, or nothing when enough was measured for something.
    """
    counted = f"{tally.measured} of {_trials(tally.planned)}"
    if status is not RunStatus.STOPPED:
        if tally.missing <= max_invalid * tally.planned:
            return ""
        why = "the rest met trouble that is not the agent's"
        return f"Too little was measured: {counted}; {why}."
    if stopped_by not in CAPS:
        why = f"{stopped_by}, which no later trial could have escaped"
        return f"Stopped by {why}; {counted} had been measured."
    if not tally.measured:
        return f"Stopped by {stopped_by} before anything was measured."
    tried = tally.planned - tally.not_run - tally.cut
    if tried - tally.measured <= max_invalid * tried:
        return ""
    counted = f"{tally.measured} of {_trials(tried)}"
    return f"Stopped by {stopped_by}, and too little was measured, {counted} tried."


def _plain_rule(tally: Tally, cap: str, confidence: float) -> tuple[Verdict, str]:
    """
    Judge a run without a failure by the rule that every trial must pass.
    """
    sure = lower_bound(tally.passed, tally.measured, confidence)
    if not tally.missing:
        claim = f"the agent passes at least {sure:.1%} of the time"
        only = tally.planned == 1
        passed = (
            "The only trial passed" if only else f"All {tally.passed} trials passed"
        )
        return Verdict.PASS, f"{passed}: {percent(confidence)} sure that {claim}."
    passed = f"All {tally.measured} measured trials passed"
    if not cap:
        missing = f"{tally.missing} of {tally.planned} could not be measured"
        return Verdict.INCONCLUSIVE, f"{passed}, but {missing}."
    could = lower_bound(tally.planned, tally.planned, confidence)
    missing = f"{cap} left {tally.missing} of {tally.planned} without a result"
    claim = f"{percent(confidence)} sure of {sure:.1%} at least, where all could show"
    return Verdict.INCONCLUSIVE, f"{passed}, but {missing}: {claim} {could:.1%}."


def _gate(
    tally: Tally, cap: str, min_pass_rate: float, confidence: float
) -> tuple[Verdict, str]:
    """
    Judge by a rate below 1.
    """
    lost = tally.lost
    counted = tally.measured + lost
    lower = lower_bound(tally.passed, counted, confidence)
    upper = upper_bound(tally.passed + lost, counted, confidence)
    said = f"{tally.passed} of {tally.measured} measured trials passed"
    if lost:
        said += f" and {lost} could not be measured"
    sure = f"{percent(confidence)} sure that the agent passes"
    if lower >= min_pass_rate:
        claim = f"at least {lower:.1%} of the time, and {min_pass_rate:.4g} is asked"
        return Verdict.PASS, f"{said}: {sure} {claim}."
    if upper < min_pass_rate:
        claim = f"at most {upper:.1%} of the time, and {min_pass_rate:.4g} is asked"
        return Verdict.FAIL, f"{said}: {sure} {claim}."
    between = f"between {lower:.1%} and {upper:.1%} of the time"
    open_question = f"{min_pass_rate:.4g} is asked, and the rate may be {between}"
    left = f"; {cap} left {tally.not_run + tally.cut} trials out" if cap else ""
    return Verdict.INCONCLUSIVE, f"{said}: {open_question}{left}."


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
