"""
The verdict of a run with two arms, from their counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.model import RunStatus, Verdict
from reliability.stats.comparison import Comparison, Finding, Pair, compare
from reliability.stats.judged import Judged, bounded, by_counts
from reliability.stats.tables import Arm
from reliability.stats.verdict import total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.gate import Gate
    from reliability.run_result import CasePlan, Tally

_VERDICTS = {
    Finding.REGRESSED: Verdict.FAIL,
    Finding.NOT_WORSE: Verdict.PASS,
    Finding.SMALL_DROP: Verdict.PASS,
    Finding.INCONCLUSIVE: Verdict.INCONCLUSIVE,
}


def judge_arms(
    gate: Gate,
    plans: Sequence[CasePlan],
    tallies: Sequence[Tally],
    status: RunStatus,
    stopped_by: str,
) -> tuple[Judged, list[Judged]]:
    """
    Judge head by base; a case says only what it was alone.
    """
    whole = total(tallies)
    each = [
        bounded(gate, Verdict.INCONCLUSIVE, _alone(plan, tally), tally)
        for plan, tally in zip(plans, tallies, strict=True)
    ]
    found = _compared(gate, plans, tallies)
    # By the counts of both arms: whether there is enough for any verdict.
    counted = by_counts(gate, whole, status, stopped_by, 0.5)
    if counted.verdict is Verdict.INVALID:
        return replace(counted, comparison=found), each
    if found is None:
        text = "Nothing was measured in both arms, so there is nothing to compare."
        return bounded(gate, Verdict.INVALID, text, whole), each
    worse = {one.pair.name: one for one in found.worst if one.corrected_p <= gate.alpha}
    for place, plan in enumerate(plans):
        name = plan.pair or plan.name
        if plan.arm != "base" and name in worse:
            p = worse[name].corrected_p
            text = f"{each[place].reason} Fewer than in base (p = {p:.2g}, corrected "
            text += "for all cases)."
            each[place] = bounded(gate, Verdict.FAIL, text, tallies[place])
    heads = [
        tally for plan, tally in zip(plans, tallies, strict=True) if plan.arm != "base"
    ]
    judged = bounded(gate, _VERDICTS[found.finding], found.reason, total(heads))
    return replace(judged, comparison=found), each


def _compared(
    gate: Gate, plans: Sequence[CasePlan], tallies: Sequence[Tally]
) -> Comparison | None:
    if gate.baseline is None:
        pairs = _pairs(plans, tallies)
    else:
        pairs = _pairs_with(gate.baseline, plans, tallies)
    if not any(one.base.measured and one.head.measured for one in pairs):
        return None
    return compare(pairs, margin=gate.margin, confidence=gate.confidence)


def _pairs_with(
    baseline: Mapping[str, Sequence[int]],
    plans: Sequence[CasePlan],
    tallies: Sequence[Tally],
) -> list[Pair]:
    """
    Return the cases that the run of the baseline has too.
    """
    return [
        Pair(
            name=plan.name,
            base=Arm(*baseline[plan.name][:2]),
            head=Arm(tally.passed, tally.measured),
            base_lost=baseline[plan.name][2],
            head_lost=tally.lost,
        )
        for plan, tally in zip(plans, tallies, strict=True)
        if plan.name in baseline
    ]


def _pairs(plans: Sequence[CasePlan], tallies: Sequence[Tally]) -> list[Pair]:
    """
    Return the cases that have two arms.
    """
    arms: dict[str, dict[str, Tally]] = {}
    for plan, tally in zip(plans, tallies, strict=True):
        arms.setdefault(plan.pair, {})[plan.arm] = tally
    return [
        Pair.of(name, both["base"], both["head"])
        for name, both in arms.items()
        if {"base", "head"} <= both.keys()
    ]


def _alone(plan: CasePlan, tally: Tally) -> str:
    counts = f"{tally.passed} of {tally.measured} measured trials passed"
    return f"{(plan.arm or 'head').capitalize()}: {counts}."
