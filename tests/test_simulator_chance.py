"""
Chance is a function of the seed and of who asks, and of nothing else.
"""

from __future__ import annotations

import statistics

from hypothesis import given, strategies as st

from reliability.simulator.chance import (
    WRONG_ANSWERS,
    Identity,
    answer_of,
    fault_of,
    is_right,
    latency_s_of,
    unit,
)
from reliability.simulator.profile import Profile

TRIALS = [str(number) for number in range(4000)]


@given(seed=st.integers(), parts=st.lists(st.text() | st.integers()))
def test_draw_is_always_below_one_and_repeatable(
    seed: int, parts: list[str | int]
) -> None:
    """
    A draw is in [0, 1) and the same for the same arguments.
    """
    drawn = unit(seed, *map(str, parts))

    assert 0 <= drawn < 1
    assert drawn == unit(seed, *map(str, parts))


def test_pass_rate_is_met_over_many_trials() -> None:
    """
    The share of right answers is near the rate (five standard errors).
    """
    profile = Profile(pass_rate=0.8)
    right = sum(is_right(profile, trial) for trial in TRIALS)

    assert abs(right / len(TRIALS) - 0.8) < 5 * (0.8 * 0.2 / len(TRIALS)) ** 0.5


def test_rates_of_zero_and_one_are_exact() -> None:
    """
    A sure thing has no exception.
    """
    never = Profile(pass_rate=0.0, rate_529=1.0)
    always = Profile(pass_rate=1.0)

    assert not any(is_right(never, trial) for trial in TRIALS)
    assert all(is_right(always, trial) for trial in TRIALS)
    assert all(fault_of(always, Identity(trial=trial)) is None for trial in TRIALS)
    assert {529} == {fault_of(never, Identity(trial=t)).status for t in TRIALS}


def test_each_fault_comes_at_its_own_rate() -> None:
    """
    The shares of the four faults are near their rates, both kinds of drop included.
    """
    profile = Profile(rate_429=0.1, rate_529=0.2, rate_500=0.05, rate_drop=0.1)
    faults = [fault_of(profile, Identity(trial=trial)) for trial in TRIALS]
    names = [f and (f.drop or f.status) for f in faults]
    shares = {name: names.count(name) / len(names) for name in set(names)}
    expected = {429: 0.1, 529: 0.2, 500: 0.05, "before": 0.05, "middle": 0.05}

    assert {*expected, None} == set(shares)
    assert all(abs(shares[name] - rate) < 0.035 for name, rate in expected.items())


def test_faults_differ_by_attempt_and_by_request() -> None:
    """
    A fault that meets one attempt does not meet all the others.
    """
    profile = Profile(rate_500=0.5)
    by_attempt = {
        fault_of(profile, Identity(trial="1", attempt=str(n))) is None
        for n in range(30)
    }
    by_request = {
        fault_of(profile, Identity(trial="1", request_number=n)) is None
        for n in range(30)
    }

    assert {True, False} == by_attempt == by_request


def test_wrong_answers_vary_and_none_says_hello() -> None:
    """
    All wrong texts occur; none is empty and none holds the word of the right one.
    """
    profile = Profile(pass_rate=0.0)
    seen = {answer_of(profile, trial) for trial in TRIALS}

    assert set(WRONG_ANSWERS) == seen
    assert not any("hello" in text.lower() or not text for text in seen)


def test_wrong_answer_never_contains_a_right_one_of_the_users() -> None:
    """
    An answer that one of the wrong texts holds takes that text out of the game.
    """
    profile = Profile(pass_rate=0.0, answer="The task is complete")
    seen = {answer_of(profile, trial) for trial in TRIALS}

    assert len(WRONG_ANSWERS) - 1 == len(seen)
    assert not any("task is complete" in text for text in seen)


def test_latency_is_lognormal_around_its_median() -> None:
    """
    The median stays where it was put, and sigma spreads the logarithms.
    """
    profile = Profile(latency_s=0.2, latency_sigma=0.5)
    drawn = [latency_s_of(profile, Identity(trial=trial)) for trial in TRIALS]

    assert abs(statistics.median(drawn) - 0.2) < 0.02
    assert min(drawn) > 0
    assert max(drawn) > 0.5


def test_latency_without_sigma_is_constant() -> None:
    """
    Sigma 0 is no spread at all.
    """
    profile = Profile(latency_s=0.2)

    assert latency_s_of(profile, Identity(trial="1")) == 0.2
