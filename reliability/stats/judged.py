"""
A verdict with its reason and its bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.model import RunStatus, Verdict
from reliability.stats.interval import lower_bound, upper_bound
from reliability.stats.verdict import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reliability.gate import Gate
    from reliability.run_result import Tally
    from reliability.stats.comparison import Comparison

SEVERITY = (Verdict.FAIL, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.PASS)
"""The worst first."""

_SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """
    A verdict, why, and the exact one-sided bounds of the pass rate.

    Args:
        comparison: Head against base; None with one arm, or nothing to compare.
    """

    verdict: Verdict
    reason: str
    lower: float
    upper: float
    comparison: Comparison | None = None


def by_counts(
    gate: Gate, tally: Tally, status: RunStatus, stopped_by: str, rate: float
) -> Judged:
    """
    Judge a number of trials that was fixed before.
    """
    verdict, reason = decide(
        tally, status, stopped_by=stopped_by, min_pass_rate=rate, gate=gate
    )
    return bounded(gate, verdict, reason, tally)


def bounded(gate: Gate, verdict: Verdict, reason: str, tally: Tally) -> Judged:
    """
    Add the bounds of a number of trials that was fixed before.
    """
    confidence = gate.confidence
    return Judged(
        verdict,
        reason,
        lower_bound(tally.passed, tally.measured, confidence),
        upper_bound(tally.passed, tally.measured, confidence),
    )


def together(names: Sequence[str], verdicts: Sequence[Verdict]) -> tuple[Verdict, str]:
    """
    Return the worst of several verdicts, and who has it.
    """
    found: dict[Verdict, list[str]] = {}
    for name, verdict in zip(names, verdicts, strict=True):
        found.setdefault(verdict, []).append(name)
    worst = next(one for one in SEVERITY if one in found)
    if worst is Verdict.PASS:
        return worst, f"All {len(names)} cases passed."
    who = found[worst]
    shown = ", ".join(who[:_SHOWN_NAMES])
    more = f" and {len(who) - _SHOWN_NAMES} more" if len(who) > _SHOWN_NAMES else ""
    words = {Verdict.FAIL: "failed", Verdict.INVALID: "could not be measured"}
    what = words.get(worst, "remained inconclusive")
    return worst, f"{len(who)} of {len(names)} cases {what}: {shown}{more}."
