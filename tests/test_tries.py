"""
pass@k, pass^k and percentiles: against enumeration, SciPy and published ranks.
"""

from __future__ import annotations

import json
import math
import subprocess
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from fakes.runs import own_environ, python, run_simulated
from fakes.trials import a_trial
from hypothesis import given
from scipy import stats as oracle

from reliability.errors import EXIT_USAGE
from reliability.kinds import ErrorKind
from reliability.model import Outcome
from reliability.report.trial_times import times_by_case
from reliability.stats.passes import all_of, any_of, steadiness
from reliability.stats.percentile import enough_for, percentile, ranks

if TYPE_CHECKING:
    from pathlib import Path


@given(data=st.data())
def test_both_are_the_mean_over_all_choices_of_k_trials(data: st.DataObject) -> None:
    """
    By enumeration of which k of the trials were the tries.
    """
    measured = data.draw(st.integers(1, 8))
    passed = data.draw(st.integers(0, measured))
    k = data.draw(st.integers(1, measured))
    trials = [True] * passed + [False] * (measured - passed)
    chosen = list(combinations(trials, k))

    one, every = any_of(passed, measured, k), all_of(passed, measured, k)
    assert pytest.approx(fmean(any(some) for some in chosen)) == one.estimate
    assert pytest.approx(fmean(all(some) for some in chosen)) == every.estimate
    for found in (one, every):
        assert 0 <= found.lower <= found.upper <= 1


@pytest.mark.parametrize("function", [any_of, all_of])
def test_more_tries_than_trials_are_refused(function: type) -> None:
    """
    Nothing is said about k tries by fewer trials.
    """
    with pytest.raises(ValueError, match="k is 4, and only 3 trials were measured"):
        function(0, 3, 4)


def test_steady_is_never_said_without_a_bound() -> None:
    """
    All passed allows for failures; one of each proves a mixture.
    """
    assert "all 10 passed: failures at most 25.9%" == steadiness(10, 10)
    assert "all 5 failed: passes at most 45.1%" == steadiness(0, 5)
    assert "mixed: 9 of 10 passed, so it is not deterministic" == steadiness(9, 10)
    assert "nothing measured" == steadiness(0, 0)


@pytest.mark.parametrize(
    ("share", "least"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)]
)
def test_an_upper_end_needs_so_many_values(share: float, least: int) -> None:
    """
    Published numbers; with one value less there is none.
    """
    enough = percentile([float(one) for one in range(least)], share)
    short = percentile([float(one) for one in range(least - 1)], share)

    assert least == enough_for(share)
    assert enough.upper < math.inf
    assert math.inf == short.upper


@pytest.mark.parametrize(("count", "low", "high"), [(100, 90, 100), (200, 184, 197)])
def test_ranks_of_the_95th_percentile_are_the_published_ones(
    count: int, low: int, high: int
) -> None:
    """
    Ranks and, by SciPy, that they cover what they promise.
    """
    assert (low, high) == ranks(count, 0.95, 0.025)
    law = oracle.binom(count, 0.95)
    assert law.cdf(high - 1) - law.cdf(low - 1) >= 0.95


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=60),
    share=st.sampled_from([0.5, 0.9, 0.95]),
)
def test_a_percentile_is_a_value_inside_its_bounds(
    values: list[float], share: float
) -> None:
    """
    The point was measured, in whatever order the values came.
    """
    found = percentile(values, share)

    assert found.point in values
    assert found.lower <= found.point <= found.upper
    assert found == percentile(sorted(values), share)


def test_what_had_no_end_is_no_small_number() -> None:
    """
    Timeouts stand above every value, and may be the percentile.
    """
    found = percentile([1.0] * 30 + [math.inf] * 10, 0.9)

    assert math.inf == found.point
    assert 1.0 == found.most


def shown(*words: object) -> subprocess.CompletedProcess[str]:
    """
    Run the command.
    """
    argv = [*python("-m", "reliability", "tries"), *map(str, words)]
    return subprocess.run(
        argv, env=own_environ(), capture_output=True, text=True, check=False
    )


def test_the_command_tells_tries_and_times_from_a_log(tmp_path: Path) -> None:
    """
    For people and as JSON; a k beyond the trials is refused with the case's name.
    """
    profile = "latency=0,seed=4,pass-rate=0.5"
    result = run_simulated(tmp_path, loops="12", simulator=profile)
    text, data = shown(result.log), shown(result.log, "--json", "--k", "2")
    refused = shown(result.log, "--k", "13")
    document = json.loads(data.stdout)

    assert "pass@3" in text.stdout
    assert "mixed:" in text.stdout
    assert "not enough trials" in text.stdout
    assert (
        document["mean"]["pass_at_k"] == document["cases"][0]["pass_at_k"]["estimate"]
    )
    assert EXIT_USAGE == refused.returncode
    assert "case prompt: k is 13, and only 12 trials were measured" in refused.stderr


@given(
    count=st.integers(1, 400),
    share=st.sampled_from([0.1, 0.5, 0.9, 0.95, 0.99]),
    half=st.sampled_from([0.005, 0.025, 0.1]),
)
def test_ranks_are_the_closest_that_keep_their_promise(
    count: int, share: float, half: float
) -> None:
    """
    By SciPy's binomial law: one rank further in would miss too often.
    """
    law = oracle.binom(count, share)
    low, high = ranks(count, share, half)

    assert low == 0 or law.cdf(low - 1) <= half + 1e-12
    assert law.cdf(low) > half - 1e-12
    assert high == 0 or law.sf(high - 1) <= half + 1e-12
    assert law.sf((high or count + 1) - 2) > half - 1e-12


def test_times_end_at_the_first_trial_without_an_end() -> None:
    """
    Cut off, unknown or never begun: later ones were only the quicker ones.
    """
    timeout = a_trial(2, outcome=Outcome.FAIL, kind=ErrorKind.TIMEOUT)
    lost = a_trial(3, outcome=Outcome.INVALID, kind=ErrorKind.OVERLOADED)
    first = [a_trial(1, duration_s=1.0), timeout, lost, a_trial(4, duration_s=2.0)]
    case = first[0].case
    cut = a_trial(5, outcome=Outcome.INVALID, kind=ErrorKind.CANCELLED)
    unknown = a_trial(5, outcome=Outcome.UNKNOWN)
    later = a_trial(6, duration_s=0.1)

    expected = {case: [1.0, math.inf, 2.0]}
    assert expected == times_by_case([*first, cut, later])
    assert expected == times_by_case([*first, unknown, later])
    assert expected == times_by_case([*first, later])
