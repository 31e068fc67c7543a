"""
The order of a run's trials.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, strategies as st

from reliability.engine.rounds import shuffled_rounds
from reliability.model import Trial
from reliability.settings import Settings
from reliability.suite import Case, Suite

BASE = Settings.from_text({"agent": "any", "backend": "simulated"})
LOOPS = st.dictionaries(st.text(max_size=3), st.integers(1, 6), max_size=6)


def suite(loops: dict[str, int]) -> Suite:
    """
    Return a suite with so many loops of each case.
    """
    return Suite(
        cases=tuple(
            Case(name=name, settings=replace(BASE, loops=count))
            for name, count in loops.items()
        )
    )


@given(LOOPS, st.integers(0, 2**31))
def test_every_trial_comes_once_and_numbers_are_dense(
    loops: dict[str, int], seed: int
) -> None:
    """
    Each case has its loops 1 to N, and the numbers of all trials are 1 to their count.
    """
    trials = list(shuffled_rounds(suite(loops), seed=seed))
    expected = {(name, loop) for name, n in loops.items() for loop in range(1, n + 1)}

    assert expected == {(trial.case, trial.loop) for trial in trials}
    assert list(range(1, len(expected) + 1)) == [trial.number for trial in trials]


@given(LOOPS, st.integers(0, 2**31), st.integers(0, 36))
def test_a_stop_at_any_point_leaves_the_cases_measured_alike(
    loops: dict[str, int], seed: int, stop: int
) -> None:
    """
    Whenever the run stops, two cases that still have loops differ by one trial at most.
    """
    begun = Counter(
        trial.case for trial in list(shuffled_rounds(suite(loops), seed=seed))[:stop]
    )
    unfinished = [begun[name] for name, count in loops.items() if begun[name] < count]

    assert max(unfinished, default=0) - min(unfinished, default=0) <= 1


def test_the_order_follows_from_the_seed_alone() -> None:
    """
    One seed gives one order; another seed gives another.
    """
    loops = dict.fromkeys("abcdefgh", 3)

    assert list(shuffled_rounds(suite(loops), seed=1)) == list(
        shuffled_rounds(suite(loops), seed=1)
    )
    assert list(shuffled_rounds(suite(loops), seed=1)) != list(
        shuffled_rounds(suite(loops), seed=2)
    )


@given(LOOPS, st.sets(st.integers(1, 36)))
def test_trials_that_are_done_are_left_out_and_the_others_keep_their_numbers(
    loops: dict[str, int], done: set[int]
) -> None:
    """
    Going on with a run gives each missing trial the number that it was planned with.
    """
    every = list(shuffled_rounds(suite(loops), seed=7))
    missing = [trial for trial in every if trial.number not in done]

    assert missing == list(shuffled_rounds(suite(loops), seed=7, done=done))


def test_one_case_runs_in_the_order_of_its_loops() -> None:
    """
    Without a suite, trial 7 is loop 7.
    """
    trials = list(shuffled_rounds(suite({"prompt": 3}), seed=5))

    assert [Trial(number=n, case="prompt", loop=n) for n in (1, 2, 3)] == trials
