"""
Cost of a success and comparison of times: against SciPy and by simulation.
"""

from __future__ import annotations

import random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from scipy import stats as oracle

from reliability.stats.expense import slower, success_cost

TIMES = st.lists(st.integers(1, 9).map(float), min_size=2, max_size=30)


@settings(deadline=None)
@given(base=TIMES, head=TIMES)
def test_one_case_is_mann_and_whitneys_test(
    base: list[float], head: list[float]
) -> None:
    """
    To 1e-9 of SciPy's, ties and continuity corrected.
    """
    if len({*base, *head}) == 1:
        assert slower([(base, head)]) == 1.0
        return
    expected = oracle.mannwhitneyu(
        head, base, alternative="greater", method="asymptotic"
    )

    assert pytest.approx(expected.pvalue, abs=1e-9) == slower([(base, head)])


def test_cases_of_other_lengths_do_not_hide_a_slow_down() -> None:
    """
    Stratified: a quick and a slow case, each half again as slow.
    """
    chance = random.Random(4)
    quick = [chance.lognormvariate(0, 0.2) for _ in range(40)]
    slow = [chance.lognormvariate(3, 0.2) for _ in range(40)]
    strata = [
        (quick[:20], [1.5 * one for one in quick[20:]]),
        (slow[:20], [1.5 * one for one in slow[20:]]),
    ]

    assert slower(strata) < 1e-4
    assert slower([(head, base) for base, head in strata]) > 0.99
    assert slower([([], [1.0])]) == 1.0


def test_failures_are_paid_for_by_successes() -> None:
    """
    Two dollars for one success in two; nothing to say without one.
    """
    found = success_cost([(1.0, True), (1.0, False)])

    assert found is not None
    assert pytest.approx(2.0) == found.usd
    assert success_cost([(1.0, False)] * 5) is None
    assert success_cost([(3.0, True)]) == (3.0, 3.0, 3.0)


def test_the_interval_covers_the_cost_about_as_often_as_it_says() -> None:
    """
    30 trials at a rate of 0.8, by simulation: between 90 and 98 %.
    """
    chance = random.Random(8)
    covered = 0
    for _ in range(600):
        trials = [
            (chance.lognormvariate(0, 0.5), chance.random() < 0.8) for _ in range(30)
        ]
        found = success_cost(trials)
        assert found is not None
        covered += found.lower <= 1.1331484530668263 / 0.8 <= found.upper

    assert 0.90 < covered / 600 < 0.98
