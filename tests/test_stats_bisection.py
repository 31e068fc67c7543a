"""
The noisy bisection: its arithmetic against the plain sums, its promise by simulation.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from reliability.stats.bisection import Counts, believe, groups_of, next_place

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTS = st.builds(Counts, st.integers(0, 12), st.integers(0, 12))
ROWS = st.lists(COUNTS, min_size=2, max_size=8)
UNTOLD = [(part + 0.5) / 40 for part in range(40)]


def likelihood(row: Sequence[Counts], first: int, good: float, bad: float) -> float:
    """
    Return how likely the trials are when *first* is the first bad place.
    """
    rates = [good if at < first else bad for at in range(len(row))]
    return math.prod(
        rate**one.passed * (1 - rate) ** one.failed
        for rate, one in zip(rates, row, strict=True)
    )


@settings(max_examples=60)
@given(ROWS, st.sampled_from([(0.95, 0.6), (0.9, 0.2), (0.5, 0.4)]))
def test_told_rates_give_bayes_rule(
    row: list[Counts], rates: tuple[float, float]
) -> None:
    """
    Each share is its likelihood over the sum of all.
    """
    good, bad = rates
    plain = [likelihood(row, first, good, bad) for first in range(len(row) + 1)]
    belief = believe(row, good_rate=good, bad_rate=bad)

    expected = [one / math.fsum(plain) for one in plain]
    assert expected == pytest.approx(belief.shares, rel=1e-9, abs=1e-12)


def test_untold_rates_are_summed_over_every_falling_pair() -> None:
    """
    The shares and mean rates are those of the plain double sum.
    """
    row = [Counts(5, 0), Counts(3, 1), Counts(1, 3), Counts(2, 3)]
    pairs = [(good, bad) for good in UNTOLD for bad in UNTOLD if bad < good]
    table = [
        [likelihood(row, first, good, bad) for good, bad in pairs] for first in range(5)
    ]
    sums = [math.fsum(line) for line in table]
    goods = [
        math.fsum(w * good for w, (good, _) in zip(line, pairs, strict=True)) / total
        for line, total in zip(table, sums, strict=True)
    ]
    belief = believe(row)

    assert [one / math.fsum(sums) for one in sums] == pytest.approx(belief.shares)
    assert goods == pytest.approx(belief.good_rates)


@settings(max_examples=30)
@given(st.lists(st.builds(Counts, *[st.integers(0, 5000)] * 2), min_size=2, max_size=9))
def test_shares_add_up_to_one_whatever_was_counted(row: list[Counts]) -> None:
    """
    Thousands of trials that contradict each other neither overflow nor vanish.
    """
    belief = believe(row)

    assert 1.0 == pytest.approx(math.fsum(belief.shares))
    assert all(0 <= share <= 1 for share in belief.shares)


@settings(max_examples=60)
@given(ROWS)
def test_the_next_place_is_the_one_that_leaves_least_doubt(row: list[Counts]) -> None:
    """
    No other place's trial lowers the expected entropy of the shares by more.
    """
    rates = {"good_rate": 0.9, "bad_rate": 0.5}

    def doubt(counts: Sequence[Counts]) -> float:
        shares = believe(counts, **rates).shares
        return -math.fsum(share * math.log(share) for share in shares if share)

    def expected_doubt(at: int) -> float:
        shares = believe(row, **rates).shares
        passes = math.fsum(
            share * (0.9 if at < first else 0.5) for first, share in enumerate(shares)
        )
        after = []
        for one in (Counts(1, 0), Counts(0, 1)):
            grown = list(row)
            sums = zip(grown[at], one, strict=True)
            grown[at] = Counts(*(was + more for was, more in sums))
            after.append(doubt(grown))
        return passes * after[0] + (1 - passes) * after[1]

    chosen = next_place(believe(row, **rates), range(len(row)))
    left = [expected_doubt(at) for at in range(len(row))]

    assert chosen is None or min(left) == pytest.approx(left[chosen], abs=1e-9)


def test_no_place_is_next_when_none_may_have_trials_or_all_is_known() -> None:
    """
    Nothing is asked for nothing.
    """
    sure = believe([Counts(5000, 0), Counts(0, 5000)], good_rate=0.9, bad_rate=0.1)

    assert next_place(believe([Counts(), Counts()]), []) is None
    assert next_place(sure, [0, 1]) is None


def test_places_without_trials_belong_to_the_next_that_has_some() -> None:
    """
    Nothing can keep apart who changed something in between.
    """
    assert [range(1), range(1, 2), range(2, 5), range(5, 6)] == groups_of(6, {2, 3})


def searched(
    chance: random.Random,
    culprit: int,
    *,
    told: bool,
    batch: int,
    rates: tuple[float, float] = (0.95, 0.6),
) -> tuple[int, int]:
    """
    Search 16 commits on a model of the trials; return who is named and the trials used.

    Nobody is 17, and means that nothing between the ends lowered the rate.
    """
    row = [Counts()] * 17
    known = {"good_rate": rates[0], "bad_rate": rates[1]} if told else {}
    todo: list[tuple[int, int]] = [] if told else [(0, 5), (16, 5)]
    while True:
        for at, trials in todo:
            rate = rates[at >= culprit]
            passed = sum(chance.random() < rate for _ in range(trials))
            row[at] = Counts(row[at].passed + passed, row[at].failed + trials - passed)
        belief = believe(row, **known)
        shares = [belief.no_drop, *belief.shares[1:-1]]
        named = max(range(17), key=shares.__getitem__)
        if shares[named] >= 0.9:
            return named or 17, sum(one.trials for one in row)
        chosen = next_place(belief, range(17))
        assert chosen is not None
        todo = [(chosen, batch)]


@pytest.mark.parametrize(
    ("told", "batch", "each", "most_trials"), [(True, 4, 10, 45), (False, 8, 3, 110)]
)
def test_nine_of_ten_searches_name_the_right_one_of_sixteen_commits(
    told: bool, batch: int, each: int, most_trials: int
) -> None:
    """
    From 0.95 to 0.6, wherever it fell, with rates told or not.
    """
    chance = random.Random(20)
    runs = [
        (culprit, *searched(chance, culprit, told=told, batch=batch))
        for culprit in range(1, 17)
        for _ in range(each)
    ]
    right = sum(culprit == named for culprit, named, _ in runs) / len(runs)

    assert right >= 0.9
    assert sum(trials for *_, trials in runs) / len(runs) <= most_trials


def test_nobody_is_named_when_nothing_fell() -> None:
    """
    Nine of ten searches over one and the same rate say so.
    """
    chance = random.Random(3)
    runs = [
        searched(chance, 17, told=told, batch=10, rates=(0.95, 0.6))
        for told in (True, False)
        for _ in range(10)
    ]

    assert sum(named == 17 for named, _ in runs) >= 18
