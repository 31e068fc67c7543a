"""
What a plan says is what runs do.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes.runs import own_environ, python, run_simulated, texts
from scipy import stats as oracle

from reliability.errors import UsageError
from reliability.gate import Gate
from reliability.stats import chances_of, trials_for
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from pathlib import Path

FIXED = Gate(min_pass_rate=0.8)
STOPPING = Gate(min_pass_rate=0.8, early_stop=True)


@pytest.mark.parametrize("trials", [14, 50, 200, 3_000])
@pytest.mark.parametrize("true_rate", [0.5, 0.8, 0.9, 0.99])
def test_chances_of_a_fixed_number_are_binomial(trials: int, true_rate: float) -> None:
    """
    By SciPy: the tails beyond the counts whose exact test is significant.
    """
    found = chances_of(trials, 0.8, true_rate, gate=FIXED)
    counts = range(trials + 1)
    at_least = oracle.binom.sf([k - 1 for k in counts], trials, 0.8)
    at_most = oracle.binom.cdf(list(counts), trials, 0.8)
    weights = oracle.binom.pmf(list(counts), trials, true_rate)

    passes = sum(weights[k] for k in counts if at_least[k] <= 0.05)
    fails = sum(weights[k] for k in counts if at_most[k] <= 0.05)
    assert pytest.approx(passes, abs=1e-9) == found.passes
    assert pytest.approx(fails, abs=1e-9) == found.fails


@pytest.mark.parametrize("gate", [FIXED, STOPPING])
def test_the_planned_number_is_enough_and_one_less_is_not(gate: Gate) -> None:
    """
    From the number on, the chance of a pass is what was asked.
    """
    trials = trials_for(0.8, 0.95, gate=gate, power=0.8, most=1_000)

    assert trials is not None
    assert all(
        chances_of(more, 0.8, 0.95, gate=gate).passes >= 0.8
        for more in range(trials, trials + 10)
    )
    assert chances_of(trials - 1, 0.8, 0.95, gate=gate).passes < 0.8


@pytest.mark.parametrize(("rate", "true_rate"), [(0.8, 0.8), (0.9, 0.5), (1.0, 1.0)])
def test_no_number_shows_what_is_not_so(rate: float, true_rate: float) -> None:
    """
    An agent that is no better than the rate asked has no plan.
    """
    assert trials_for(rate, true_rate, gate=STOPPING, power=0.8, most=10_000) is None


def test_the_plain_rule_has_its_chances_too() -> None:
    """
    All of 20 pass for an agent of 0.95 in 36 % of the runs.
    """
    found = chances_of(20, 1.0, 0.95, gate=Gate(early_stop=True))

    assert pytest.approx(0.95**20) == found.passes
    assert pytest.approx((1 - 0.95**20) / 0.05) == found.mean_trials


def test_loops_auto_runs_as_many_as_the_gate_needs(tmp_path: Path) -> None:
    """
    The number stands in the settings, as if it had been given.
    """
    given = {"min-pass-rate": "0.8", "expected-rate": "0.95", "loops": "auto"}
    suite = open_suite(texts(tmp_path, **given))
    planned = trials_for(0.8, 0.95, gate=STOPPING, power=0.8, most=1_000)

    assert planned == suite.settings.loops


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"expected-rate": "0.9"},
        {"min-pass-rate": "0.9"},
        {"min-pass-rate": "0.9", "expected-rate": "0.9"},
    ],
)
def test_loops_auto_says_what_it_needs(tmp_path: Path, given: dict[str, str]) -> None:
    """
    Without both rates there is nothing to plan by.
    """
    with pytest.raises(UsageError, match="needs a min-pass-rate below 1"):
        open_suite(texts(tmp_path, loops="auto", **given))


def planned(folder: Path, *words: str) -> str:
    """
    Return what `reliability plan` prints.
    """
    return subprocess.run(
        [*python("-m", "reliability", "plan"), *words],
        cwd=folder,
        env=own_environ(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_plan_prints_loops_chances_cost_time_and_what_stays_open(
    tmp_path: Path,
) -> None:
    """
    Everything that decides on a number of loops, in one screen.
    """
    words = "--min-pass-rate 0.9 --true-rate 0.97 --budget 5 --minutes 20"
    more = "--requests-per-minute 50 --cost-usd 0.05 --seconds 20"
    text = planned(tmp_path, *words.split(), *more.split())

    assert "102: an agent of 0.97 is passed by 85% of the runs" in text
    assert "Used       66 trials on average" in text
    assert "$5 is enough only for 100 trials" in text
    assert "at once" in text
    assert "most runs stay inconclusive for a true rate from" in text


def test_plan_takes_cost_and_time_from_a_log(tmp_path: Path) -> None:
    """
    A log of such trials tells what one of them takes; a simulated one has no price.
    """
    result = run_simulated(tmp_path)
    words = ["--min-pass-rate", "0.8", "--loops", "30", "--log", result.log]
    text = planned(tmp_path, *words)

    assert "30, as you say" in text
    assert "Cost       not known" in text
    assert "Time       about" in text
