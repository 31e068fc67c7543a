"""
Judges a run and each of its cases by the run's gate, while it goes on and after it.

The same object is fed by the run under way and by whoever reads its log, so what
stopped a run and what its report says cannot differ. Without early stop it holds
nothing but the gate, and counts decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reliability.choices import GateRule
from reliability.model import Outcome, RunStatus, Verdict
from reliability.stats.arms import judge_arms
from reliability.stats.course import course_of
from reliability.stats.design import design_of
from reliability.stats.interval import lower_bound, percent, tail, upper_bound
from reliability.stats.judged import (
    SEVERITY,
    Judged,
    bounded,
    by_counts,
    together,
)
from reliability.stats.tables import holm
from reliability.stats.verdict import CAPS, nothing_left, total
from reliability.stats.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reliability.gate import Gate
    from reliability.run_result import CasePlan, Tally


class _Design(NamedTuple):
    """
    A claim that trials are held to, in their order.
    """

    watch: Watch
    rate: float


class Referee:
    """
    The judge of one run.

    Args:
        plans: The cases, in the order of the suite; not empty.
    """

    def __init__(self, gate: Gate, plans: Sequence[CasePlan]) -> None:
        self._gate = gate
        self._plans = tuple(plans)
        self._whole: _Design | None = None
        self._of_case: dict[str, _Design] = {}
        if gate.early_stop:
            self._begin()

    def settle(self, number: int, case: str, loop: int, outcome: Outcome) -> None:
        """
        Note how a trial ended.
        """
        if not self._gate.early_stop:
            return
        passed = {Outcome.PASS: True, Outcome.FAIL: False}.get(outcome)
        if self._whole is not None:
            self._whole.watch.settle(number, passed=passed)
        if case in self._of_case:
            self._of_case[case].watch.settle(loop, passed=passed)

    @property
    def is_certain(self) -> bool:
        """
        Whether no trial that is not known can change the verdict any more.
        """
        verdicts = [one.watch.verdict for one in self._designs()]
        return Verdict.FAIL in verdicts or (bool(verdicts) and None not in verdicts)

    def wants(self, number: int, case: str, loop: int) -> bool:
        """
        Tell whether it is worth starting this trial now.
        """
        return not self._gate.early_stop or any(
            index <= design.watch.frontier
            for index, design in self._open(number, case, loop)
        )

    def needs(self, number: int, case: str, loop: int) -> bool:
        """
        Tell whether anything depends on this trial, now or later.
        """
        return not self._gate.early_stop or any(self._open(number, case, loop))

    def judge(
        self, tallies: Sequence[Tally], status: RunStatus, stopped_by: str = ""
    ) -> tuple[Judged, list[Judged]]:
        """
        Return the verdict of the run and those of its cases.

        Args:
            tallies: Of each case, in their order.
            stopped_by: The kind of trouble, or the option whose cap, that stopped the
                run; empty when none did.
        """
        whole = total(tallies)
        if self._gate.compares:
            return judge_arms(self._gate, self._plans, tallies, status, stopped_by)
        each = [
            self._judge_case(plan, tally, status, stopped_by)
            for plan, tally in zip(self._plans, tallies, strict=True)
        ]
        if len(each) == 1:
            return each[0], each
        if self._gate.rule is GateRule.ALL_CASES:
            each = self._corrected(each, tallies)
        broken = status in {RunStatus.CANCELLED, RunStatus.STARTED}
        if broken or not whole.measured:
            return by_counts(self._gate, whole, status, stopped_by, 1.0), each
        if self._gate.rule is GateRule.MEAN:
            return self._mean(whole, status, stopped_by, each), each
        names = [plan.name for plan in self._plans]
        verdict, reason = together(names, [one.verdict for one in each])
        return bounded(self._gate, verdict, reason, whole), each

    def _begin(self) -> None:
        gate, plans = self._gate, self._plans
        alpha = gate.alpha
        is_mean = gate.rule is GateRule.MEAN and len(plans) > 1
        if is_mean:
            planned = sum(plan.planned for plan in plans)
            self._whole = _designed(planned, gate.min_pass_rate, alpha, alpha)
        held = [one for one in plans if not is_mean or self._has_floor(one)]
        for plan in held:
            # One case in many fails by chance sooner than one alone (Bonferroni);
            # that all of them pass by chance is no likelier than that one does.
            design = _designed(
                plan.planned, plan.min_pass_rate, alpha, alpha / len(held)
            )
            self._of_case[plan.name] = design

    def _has_floor(self, plan: CasePlan) -> bool:
        """
        Tell whether a case is held to a rate of its own beside the mean.
        """
        return plan.min_pass_rate != self._gate.min_pass_rate

    def _designs(self) -> Iterator[_Design]:
        if self._whole is not None:
            yield self._whole
        yield from self._of_case.values()

    def _open(self, number: int, case: str, loop: int) -> Iterator[tuple[int, _Design]]:
        """
        Yield the designs that still wait for this trial, and its index there.
        """
        if self._whole is not None and self._whole.watch.verdict is None:
            yield number, self._whole
        design = self._of_case.get(case)
        if design is not None and design.watch.verdict is None:
            yield loop, design

    def _judge_case(
        self, plan: CasePlan, tally: Tally, status: RunStatus, stopped_by: str
    ) -> Judged:
        if len(self._plans) > 1 and nothing_left(tally, status, stopped_by):
            reason = f"{stopped_by} left none of its {tally.planned} trials."
            return bounded(self._gate, Verdict.INCONCLUSIVE, reason, tally)
        counted = by_counts(self._gate, tally, status, stopped_by, plan.min_pass_rate)
        design = self._of_case.get(plan.name)
        return self._by_design(design, tally, counted, status, stopped_by)

    def _mean(
        self,
        whole: Tally,
        status: RunStatus,
        stopped_by: str,
        each: Sequence[Judged],
    ) -> Judged:
        """
        Judge all trials together, and the floors of cases that have one.
        """
        rate = self._gate.min_pass_rate
        counted = by_counts(self._gate, whole, status, stopped_by, rate)
        mean = self._by_design(self._whole, whole, counted, status, stopped_by)
        floors = [
            (plan.name, one)
            for plan, one in zip(self._plans, each, strict=True)
            if self._has_floor(plan)
        ]
        verdicts = [mean.verdict, *(one.verdict for _, one in floors)]
        worst = next(one for one in SEVERITY if one in verdicts)
        if worst is mean.verdict:
            return mean
        names, judged = zip(*floors, strict=True)
        _, reason = together(names, [one.verdict for one in judged])
        reason = f"By a rate of their own, {reason[0].lower()}{reason[1:]}"
        return Judged(worst, reason, mean.lower, mean.upper)

    def _by_design(
        self,
        design: _Design | None,
        tally: Tally,
        counted: Judged,
        status: RunStatus,
        stopped_by: str,
    ) -> Judged:
        """
        Judge by a design; by *counted* where there is none, or counts settle it.
        """
        if design is None or design.rate >= 1 or not tally.measured:
            return counted
        is_over = status is RunStatus.COMPLETED or (
            status is RunStatus.STOPPED and stopped_by in CAPS
        )
        if not is_over or tally.lost > self._gate.max_invalid * tally.planned:
            return counted
        return self._told(design, tally)

    def _told(self, design: _Design, tally: Tally) -> Judged:
        """
        Say what a design shows at the end.
        """
        watch, confidence = design.watch, self._gate.confidence
        planned = watch.design.trials
        if watch.design.has_order:
            course = course_of(watch.design, design.rate)
            lower, upper = course.bounds(*watch.stops, confidence)
        else:
            lower = lower_bound(tally.passed, planned, confidence)
            upper = upper_bound(planned - tally.failed, planned, confidence)
        verdict = watch.verdict or Verdict.INCONCLUSIVE
        said = f"{tally.passed} of {tally.measured} measured trials passed"
        sure = f"{percent(confidence)} sure that the agent passes"
        asked = f"and {design.rate:.4g} is asked"
        if verdict is Verdict.PASS:
            claim = f"at least {lower:.1%} of the time, {asked}"
        elif verdict is Verdict.FAIL:
            claim = f"at most {upper:.1%} of the time, {asked}"
        else:
            between = f"between {lower:.1%} and {upper:.1%} of the time"
            text = f"{said}: {design.rate:.4g} is asked, and the rate may be {between}."
            return Judged(verdict, text, lower, upper)
        return Judged(verdict, f"{said}: {sure} {claim}.", lower, upper)

    def _corrected(
        self, each: Sequence[Judged], tallies: Sequence[Tally]
    ) -> list[Judged]:
        """
        Take back the fails that chance alone brings among so many cases (Holm, 1979).

        Designs have their correction from the start, and the plain rule needs none.
        """
        held = [
            place
            for place, plan in enumerate(self._plans)
            if plan.name not in self._of_case and plan.min_pass_rate < 1
        ]
        chances = [
            _chance_of_so_few(tallies[place], self._plans[place].min_pass_rate)
            for place in held
        ]
        kept = list(each)
        for place, chance in zip(held, holm(chances), strict=True):
            one = kept[place]
            if one.verdict is Verdict.FAIL and chance > self._gate.alpha:
                text = f"{one.reason} Among {len(held)} cases that may be chance."
                kept[place] = Judged(Verdict.INCONCLUSIVE, text, one.lower, one.upper)
        return kept


def _designed(
    trials: int, rate: float, alpha_pass: float, alpha_fail: float
) -> _Design:
    design = design_of(trials, rate, alpha_pass=alpha_pass, alpha_fail=alpha_fail)
    return _Design(Watch(design), rate)


def _chance_of_so_few(tally: Tally, rate: float) -> float:
    """
    Return how likely so few passes are at *rate*, what was lost counted as passed.
    """
    return tail(tally.failed, tally.measured + tally.lost, 1 - rate)
