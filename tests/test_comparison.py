"""
Two arms: exact tests against SciPy, intervals against published values, findings.
"""

from __future__ import annotations

import random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from scipy import stats as oracle
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from reliability.stats.comparison import (
    Comparison,
    Finding,
    Pair,
    compare,
)
from reliability.stats.difference import difference_bounds
from reliability.stats.tables import Arm, boschloo, holm, stratified

SIZES = st.integers(1, 25)


@st.composite
def arms(draw: st.DrawFn) -> tuple[Arm, Arm]:
    """
    Draw what was measured in both arms of a case.
    """
    base, head = draw(SIZES), draw(SIZES)
    passed = (draw(st.integers(0, base)), draw(st.integers(0, head)))
    return Arm(passed[0], base), Arm(passed[1], head)


def table(base: Arm, head: Arm) -> list[list[int]]:
    """
    Return the arms as SciPy wants them, head first.
    """
    return [
        [head.passed, base.passed],
        [head.measured - head.passed, base.measured - base.passed],
    ]


@settings(deadline=None)
@given(pair=arms())
def test_one_case_is_fishers_test(pair: tuple[Arm, Arm]) -> None:
    """
    To 1e-9 of SciPy.
    """
    expected = oracle.fisher_exact(table(*pair), alternative="less").pvalue

    assert pytest.approx(expected, abs=1e-9) == stratified([pair]).p


@settings(deadline=None, max_examples=40)
@given(pairs=st.lists(arms(), min_size=1, max_size=5))
def test_many_cases_are_the_convolution_of_their_laws(
    pairs: list[tuple[Arm, Arm]],
) -> None:
    """
    To 1e-9 of sums over SciPy's hypergeometric law, case by case.
    """
    law = {0: 1.0}
    for base, head in pairs:
        total = base.measured + head.measured
        one = oracle.hypergeom(total, base.passed + head.passed, head.measured)
        grown: dict[int, float] = {}
        for count, weight in law.items():
            for more in range(head.measured + 1):
                part = weight * float(one.pmf(more))
                grown[count + more] = grown.get(count + more, 0.0) + part
        law = grown
    seen = sum(head.passed for _, head in pairs)
    expected = sum(weight for count, weight in law.items() if count <= seen)
    here = law[seen]
    found = stratified(pairs)

    assert pytest.approx(expected, abs=1e-9) == found.p
    assert pytest.approx(expected - here / 2, abs=1e-9) == found.mid_p


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (Arm(20, 20), Arm(16, 20)),
        (Arm(7, 12), Arm(8, 10)),
        (Arm(9, 10), Arm(4, 15)),
        (Arm(48, 50), Arm(40, 50)),
        (Arm(0, 5), Arm(0, 5)),
    ],
)
def test_boschloo_is_scipys(base: Arm, head: Arm) -> None:
    """
    To 1e-6, where SciPy samples finely enough.
    """
    expected = oracle.boschloo_exact(table(base, head), alternative="less", n=256)

    assert pytest.approx(expected.pvalue, abs=1e-6) == boschloo(base, head)


@settings(deadline=None, max_examples=40)
@given(pair=arms())
def test_boschloo_is_never_above_fisher(pair: tuple[Arm, Arm]) -> None:
    """
    It finds at least as much, at the same error.
    """
    assert boschloo(*pair) <= stratified([pair]).p + 1e-9


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_boschloo_keeps_its_error_at_every_common_rate(rate: float) -> None:
    """
    By enumeration of all tables of 12 and 12: rejected in 5 % at most.
    """
    weights = [float(oracle.binom.pmf(count, 12, rate)) for count in range(13)]
    error = sum(
        weights[base] * weights[head]
        for base in range(13)
        for head in range(base + 1)
        if boschloo(Arm(base, 12), Arm(head, 12)) <= 0.05
    )

    assert error <= 0.05 + 1e-9


@settings(deadline=None, max_examples=40)
@given(chances=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_statsmodels(chances: list[float]) -> None:
    """
    To 1e-9, in the order that was given.
    """
    expected = multipletests(chances, method="holm")[1]

    assert pytest.approx(list(expected), abs=1e-9) == holm(chances)


@pytest.mark.parametrize(
    ("first", "second", "lower", "upper"),
    [
        # Newcombe 1998, table II, method 10: 95 % two-sided, first minus second.
        (Arm(56, 70), Arm(48, 80), 0.0524, 0.3339),
        (Arm(9, 10), Arm(3, 10), 0.1705, 0.8090),
        (Arm(6, 7), Arm(2, 7), 0.0582, 0.8062),
        (Arm(5, 56), Arm(0, 29), -0.0381, 0.1926),
        (Arm(0, 10), Arm(0, 20), -0.1611, 0.2775),
        (Arm(10, 10), Arm(0, 20), 0.6791, 1.0),
    ],
)
def test_the_difference_is_newcombes(
    first: Arm, second: Arm, lower: float, upper: float
) -> None:
    """
    The published table to its four digits.
    """
    found = difference_bounds(second, first, 0.975)

    assert pytest.approx((lower, upper), abs=6e-5) == found


@settings(deadline=None)
@given(pair=arms())
def test_the_difference_is_statsmodels(pair: tuple[Arm, Arm]) -> None:
    """
    To 1e-9.
    """
    base, head = pair
    expected = confint_proportions_2indep(
        head.passed,
        head.measured,
        base.passed,
        base.measured,
        method="newcomb",
        compare="diff",
        alpha=0.1,
    )

    assert pytest.approx(expected, abs=1e-9) == difference_bounds(base, head, 0.95)


def compared(*pairs: tuple[Arm, Arm], **options: float) -> Comparison:
    """
    Compare cases a, b, c.
    """
    named = [
        Pair(name="abcdefghijkl"[at], base=base, head=head)
        for at, (base, head) in enumerate(pairs)
    ]
    return compare(named, **options)


def test_each_finding_has_its_numbers() -> None:
    """
    A clear drop, none, one inside the margin, and too few trials.
    """
    worse = compared((Arm(38, 40), Arm(28, 40)))
    same = compared((Arm(195, 200), Arm(195, 200)))
    small = compared((Arm(1990, 2000), Arm(1960, 2000)))
    few = compared((Arm(20, 20), Arm(20, 20)))

    assert Finding.REGRESSED is worse.finding
    assert "Worse than the base: head passed 28 of 40, base 38 of 40" in worse.reason
    assert Finding.NOT_WORSE is same.finding
    assert Finding.SMALL_DROP is small.finding
    assert Finding.INCONCLUSIVE is few.finding
    assert few.needed > 20
    assert 0.05 == same.margin
    assert 0.10 == few.margin


def test_a_case_that_breaks_among_many_is_found() -> None:
    """
    One of ten collapses; the mean over all of them would hardly tell.
    """
    fine = [(Arm(10, 10), Arm(10, 10)), (Arm(9, 10), Arm(10, 10))] * 4
    found = compared(*fine, (Arm(10, 10), Arm(1, 10)), (Arm(9, 10), Arm(10, 10)))

    assert Finding.REGRESSED is found.finding
    assert "i" == found.worst[0].pair.name


def test_unequal_cases_do_not_hide_a_drop_of_all() -> None:
    """
    Easy and hard cases, each a little worse: stratified, it is seen.
    """
    base = [Arm(40, 40), Arm(12, 40)] * 5
    head = [Arm(36, 40), Arm(8, 40)] * 5

    found = compared(*zip(base, head, strict=True))
    assert Finding.REGRESSED is found.finding


def test_lost_trials_can_take_a_finding_back() -> None:
    """
    Worse only if it holds with head's lost trials passed, and no worse if the mirror.
    """
    base, head = Arm(38, 40), Arm(28, 40)
    sure = compare([Pair(name="a", base=base, head=head)])
    open_ = compare([Pair(name="a", base=base, head=head, head_lost=40)])
    equal = compare([Pair(name="a", base=Arm(195, 200), head=Arm(195, 200))])
    lossy = compare(
        [Pair(name="a", base=Arm(195, 200), head=Arm(195, 200), head_lost=20)]
    )

    assert Finding.REGRESSED is sure.finding
    assert Finding.INCONCLUSIVE is open_.finding
    assert Finding.NOT_WORSE is equal.finding
    assert Finding.INCONCLUSIVE is lossy.finding


def test_nothing_in_both_arms_is_no_comparison() -> None:
    """
    A sentence instead of a number that means nothing.
    """
    with pytest.raises(ValueError, match="no case was measured in both arms"):
        compared((Arm(0, 0), Arm(5, 5)))


def test_an_unchanged_agent_is_seldom_called_worse_and_a_bad_one_mostly() -> None:
    """
    40 trials an arm: 0.95 against itself, and against 0.75.
    """
    chance = random.Random(3)

    def drawn(rate: float) -> Arm:
        """
        Measure an arm.
        """
        return Arm(sum(chance.random() < rate for _ in range(40)), 40)

    found = {
        rate: sum(
            compared((drawn(0.95), drawn(rate))).finding is Finding.REGRESSED
            for _ in range(30)
        )
        for rate in (0.95, 0.75)
    }

    assert found[0.95] <= 4
    assert found[0.75] >= 20
