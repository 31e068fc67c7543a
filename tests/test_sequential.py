"""
The sequential test: its error rates, its figures, its order, its interval.
"""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise, product
from statistics import fmean
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from reliability.model import Verdict
from reliability.stats.course import course_of
from reliability.stats.design import (
    Design,
    design_of,
    fixed_design,
    sequential_design,
)
from reliability.stats.interval import lower_bound, upper_bound
from reliability.stats.watch import Stop, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALPHA = 0.05
RATES = st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99])
SIZES = st.integers(1, 60)


def design(trials: int, rate: float, alpha: float = ALPHA) -> Design:
    """
    Return the sequential design with one alpha for both sides.
    """
    return sequential_design(trials, rate, alpha, alpha)


def judged(plan: Design, outcomes: Sequence[bool]) -> Stop:
    """
    Return where *plan* ends, by its definition.
    """
    passes = 0
    for n, passed in enumerate(outcomes, 1):
        passes += passed
        if passes >= plan.uppers[n]:
            return Stop(Verdict.PASS, n, passes)
        if passes <= plan.lowers[n]:
            return Stop(Verdict.FAIL, n, passes)
    return Stop(Verdict.INCONCLUSIVE, len(outcomes), passes)


def exact_chance(plan: Design, rate: Fraction, verdict: Verdict) -> Fraction:
    """
    Return the probability of a verdict over all courses of the trials.
    """
    chance = Fraction(0)
    for outcomes in product([False, True], repeat=plan.trials):
        if judged(plan, outcomes).verdict is verdict:
            passes = sum(outcomes)
            chance += rate**passes * (1 - rate) ** (plan.trials - passes)
    return chance


@pytest.mark.parametrize("trials", [5, 9, 12])
@pytest.mark.parametrize("rate", [Fraction(1, 2), Fraction(4, 5)])
def test_neither_error_exceeds_alpha_in_exact_arithmetic(
    trials: int, rate: Fraction
) -> None:
    """
    All courses of the trials, in fractions: no wrong verdict is likelier than alpha.
    """
    plan = design(trials, float(rate))

    assert exact_chance(plan, rate, Verdict.PASS) <= Fraction(ALPHA)
    assert exact_chance(plan, rate, Verdict.FAIL) <= Fraction(ALPHA)


@pytest.mark.parametrize(
    ("trials", "true_rate", "passes", "fails", "mean_trials"),
    [
        (100, 0.5, 0.0, 1.0, 18.0),
        (100, 0.95, 0.998, 0.0, 35.9),
        (100, 1.0, 1.0, 0.0, 21.0),
        (100, 0.8, 0.047, 0.050, 86.5),
        (20, 0.95, 0.463, 0.0, 14.2),
        (50, 0.9, 0.524, 0.0, 36.5),
    ],
)
def test_chances_are_those_of_an_independent_enumeration(
    trials: int, true_rate: float, passes: float, fails: float, mean_trials: float
) -> None:
    """
    Values that another program found for a threshold of 0.8.
    """
    found = course_of(design(trials, 0.8), 0.8).chances(true_rate)

    assert pytest.approx(passes, abs=6e-4) == found.passes
    assert pytest.approx(fails, abs=6e-4) == found.fails
    assert pytest.approx(mean_trials, abs=0.06) == found.mean_trials


def test_the_first_passes_of_a_hundred_are_as_published() -> None:
    """
    21 of 21, 30 of 31, 37 of 39: where an agent passes at 0.8.
    """
    plan = design(100, 0.8)
    first = [n for n in range(1, 101) if plan.uppers[n] == plan.uppers[n - 1]]

    assert 21 == next(n for n in range(1, 101) if plan.uppers[n] <= n)
    assert [(30, 31), (37, 39), (43, 46), (50, 54), (55, 60)] == [
        (plan.uppers[n], n) for n in (31, 39, 46, 54, 60)
    ]
    assert 86 == plan.uppers[97]
    assert first  # Somewhere a failure is allowed for.


@settings(deadline=None)
@given(trials=st.integers(1, 300), rate=RATES, alpha=st.sampled_from([0.2, 0.05, 1e-3]))
def test_boundaries_never_fall_and_rise_by_one_at_most(
    trials: int, rate: float, alpha: float
) -> None:
    """
    So one more success can never make a verdict worse.
    """
    for plan in (design(trials, rate, alpha), fixed_design(trials, rate, alpha, alpha)):
        for bounds in (plan.uppers[1:], plan.lowers):
            steps = [b - a for a, b in pairwise(bounds)]
            assert set(steps) <= {0, 1}
        pairs = zip(plan.lowers, plan.uppers, strict=True)
        assert all(low < high for low, high in pairs)


@settings(deadline=None)
@given(
    trials=SIZES,
    rate=RATES,
    chance=st.randoms(use_true_random=False),
    true_rate=st.floats(0, 1),
)
def test_no_verdict_is_announced_that_the_rest_could_change(
    trials: int, rate: float, chance: random.Random, true_rate: float
) -> None:
    """
    In whatever order trials end: what is announced is the verdict in index order.
    """
    plan = design(trials, rate)
    outcomes = [chance.random() < true_rate for _ in range(trials)]
    order = list(range(1, trials + 1))
    chance.shuffle(order)
    expected = judged(plan, outcomes).verdict
    watch = Watch(plan)
    for index in order:
        watch.settle(index, passed=outcomes[index - 1])

        assert watch.verdict in {None, expected}
    assert expected is watch.verdict


@settings(deadline=None)
@given(
    trials=st.integers(1, 12),
    rate=RATES,
    known=st.lists(st.sampled_from([True, False, None]), max_size=12),
)
def test_a_verdict_is_certain_just_when_every_filling_gives_it(
    trials: int, rate: float, known: list[bool | None]
) -> None:
    """
    By brute force over all fillings of what is not known.
    """
    plan = design(trials, rate)
    states = [*known, *[None] * trials][:trials]
    watch = Watch(plan)
    for index, passed in enumerate(states, 1):
        if passed is not None:
            watch.settle(index, passed=passed)
    unknown = [at for at, passed in enumerate(states) if passed is None]
    verdicts = set()
    for filling in product([False, True], repeat=len(unknown)):
        filled = [bool(passed) for passed in states]
        for at, passed in zip(unknown, filling, strict=True):
            filled[at] = passed
        verdicts.add(judged(plan, filled).verdict)

    assert watch.verdict is (verdicts.pop() if len(verdicts) == 1 else None)


def test_a_lost_trial_stays_unknown() -> None:
    """
    A trial that could not be measured delays a pass, and is never taken for one.
    """
    watch = Watch(design(100, 0.8))
    watch.settle(1, passed=None)
    for index in range(2, 22):
        watch.settle(index, passed=True)

    assert watch.verdict is None
    for index in range(22, 32):
        watch.settle(index, passed=True)
    assert Verdict.PASS is watch.verdict


@given(trials=SIZES, rate=RATES, chance=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_run_within_its_frontier_always_comes_to_an_end(
    trials: int, rate: float, chance: random.Random
) -> None:
    """
    Starting only what is wanted, with some trials lost, never gets stuck undecided.
    """
    watch = Watch(design(trials, rate))
    begun = 0
    while watch.verdict is None and begun < trials:
        assert watch.frontier <= trials
        begun += 1 if watch.frontier <= begun else min(3, watch.frontier - begun)
        for index in range(1, begun + 1):
            if not watch._states[index]:
                passed = None if chance.random() < 0.1 else chance.random() < rate
                watch.settle(index, passed=passed)

    assert watch.verdict is not None or begun == trials


def test_an_agent_that_never_fails_is_asked_no_more_than_needed() -> None:
    """
    The optimistic window is just what a run of passes takes.
    """
    watch = Watch(design(100, 0.8))

    assert 21 == watch.frontier
    watch.settle(1, passed=False)
    assert 31 == watch.frontier


@settings(deadline=None, max_examples=30)
@given(trials=st.integers(2, 40), rate=RATES, chance=st.randoms(use_true_random=False))
def test_the_interval_never_contradicts_the_verdict(
    trials: int, rate: float, chance: random.Random
) -> None:
    """
    At every end: a pass has its lower bound at the rate or above, a fail the mirror.
    """
    plan = design(trials, rate)
    end = judged(plan, [chance.random() < chance.random() for _ in range(trials)])
    lower, upper = course_of(plan, rate).bounds(end, end, 1 - ALPHA)

    assert 0 <= lower <= upper <= 1
    if end.verdict is Verdict.PASS:
        assert lower >= rate - 1e-9
    if end.verdict is Verdict.FAIL:
        assert upper <= rate + 1e-9
    if end.verdict is Verdict.INCONCLUSIVE:
        assert lower <= rate + 1e-9
        assert upper >= rate - 1e-9


@pytest.mark.parametrize(
    ("end", "lower", "upper"),
    [
        (Stop(Verdict.PASS, 21, 21), 0.867, 1.0),
        (Stop(Verdict.FAIL, 36, 22), 0.488, 0.766),
        (Stop(Verdict.INCONCLUSIVE, 100, 80), 0.722, 0.863),
    ],
)
def test_intervals_are_those_of_an_independent_program(
    end: Stop, lower: float, upper: float
) -> None:
    """
    Three ends of a run of a hundred trials at 0.8.
    """
    found = course_of(design(100, 0.8), 0.8).bounds(end, end, 0.95)

    assert pytest.approx((lower, upper), abs=6e-4) == found


@pytest.mark.parametrize("true_rate", [0.3, 0.8, 0.9])
def test_the_interval_covers_the_rate_as_often_as_it_says(true_rate: float) -> None:
    """
    Summed up over all ends: each bound misses in no more than 5 % of the runs.
    """
    course = course_of(design(30, 0.8), 0.8)
    missed_below = missed_above = 0.0
    for state in course._ends:
        stop = Stop(state.verdict, state.trials, state.passes)
        lower, upper = course.bounds(stop, stop, 0.95)
        weight = course._weight(state, true_rate)
        missed_below += weight * (lower > true_rate + 1e-9)
        missed_above += weight * (upper < true_rate - 1e-9)

    assert missed_below <= ALPHA + 1e-9
    assert missed_above <= ALPHA + 1e-9


def test_the_fixed_design_is_the_exact_binomial_test() -> None:
    """
    Its verdict after all trials is that of the one-sided bounds.
    """
    plan = fixed_design(60, 0.8, ALPHA, ALPHA)
    for passed in range(61):
        verdict = judged(plan, [True] * passed + [False] * (60 - passed)).verdict

        assert (verdict is Verdict.PASS) is (lower_bound(passed, 60, 0.95) >= 0.8)
        assert (verdict is Verdict.FAIL) is (upper_bound(passed, 60, 0.95) <= 0.8)


def test_the_plain_rule_ends_with_the_first_failure() -> None:
    """
    A rate of 1 is settled by one failure, whichever trial it is.
    """
    watch = Watch(design_of(10, 1.0, alpha_pass=ALPHA, alpha_fail=ALPHA))
    watch.settle(7, passed=True)

    assert watch.verdict is None
    watch.settle(9, passed=False)
    assert Verdict.FAIL is watch.verdict


def by_completion(plan: Design, ends: Iterable[tuple[float, bool]]) -> Verdict:
    """
    Return what reading the trials in the order of their ends would say.
    """
    return judged(plan, [passed for _, passed in sorted(ends)]).verdict


def test_index_order_keeps_the_promise_that_completion_order_breaks() -> None:
    """
    Failures ten times slower: reading them as they end passes far too many agents.
    """
    plan, chance = design(100, 0.8), random.Random(11)
    wrong: dict[str, list[bool]] = {"index": [], "completion": []}
    for _ in range(600):
        outcomes = [chance.random() < 0.8 for _ in range(100)]
        workers = [0.0] * 8
        ends = []
        for passed in outcomes:
            at = workers.index(min(workers))
            workers[at] += chance.lognormvariate(0, 0.5) * (1 if passed else 10)
            ends.append((workers[at], passed))
        wrong["index"].append(judged(plan, outcomes).verdict is Verdict.PASS)
        wrong["completion"].append(by_completion(plan, ends) is Verdict.PASS)

    assert fmean(wrong["index"]) < 0.08
    assert fmean(wrong["completion"]) > 0.3
