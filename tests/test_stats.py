"""
Bounds and verdicts, against published values and against exact arithmetic.
"""

from __future__ import annotations

import math
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reliability.gate import CONFIDENCE
from reliability.model import RunStatus, Verdict
from reliability.run_result import Tally
from reliability.stats import decide, lower_bound, upper_bound
from reliability.stats.interval import tail
from reliability.stats.verdict import CAPS


def exact_tail(successes: int, trials: int, rate: Fraction) -> Fraction:
    """
    Return P(X >= successes) by definition, in whole numbers.
    """
    return sum(
        (
            math.comb(trials, count) * rate**count * (1 - rate) ** (trials - count)
            for count in range(successes, trials + 1)
        ),
        Fraction(0),
    )


@pytest.mark.parametrize(
    ("passed", "measured", "lower", "upper"),
    [
        # Two-sided 95 %, so one-sided 97.5 % each; to the digits of R's binom.test.
        (7, 10, 0.3475471, 0.9332605),
        (0, 10, 0.0, 0.3084971),
        (10, 10, 0.6915029, 1.0),
        (1, 2, 0.01257912, 0.98742088),
        (5, 20, 0.0865715, 0.4910459),
    ],
)
def test_bounds_are_the_published_ones(
    passed: int, measured: int, lower: float, upper: float
) -> None:
    """
    They agree with R's `binom.test` to the digits that it prints.
    """
    assert pytest.approx(lower, abs=6e-8) == lower_bound(passed, measured, 0.975)
    assert pytest.approx(upper, abs=6e-8) == upper_bound(passed, measured, 0.975)


@pytest.mark.parametrize("measured", [1, 2, 10, 59, 1000, 100_000])
def test_all_passed_has_a_bound_in_closed_form(measured: int) -> None:
    """
    With no failure the lower bound is alpha to the power of 1/n: the rule of three.
    """
    expected = (1 - CONFIDENCE) ** (1 / measured)

    assert pytest.approx(expected, rel=1e-12) == lower_bound(
        measured, measured, CONFIDENCE
    )
    assert 1.0 == upper_bound(measured, measured, CONFIDENCE)


COUNTS = st.integers(1, 60).flatmap(
    lambda measured: st.tuples(st.integers(0, measured), st.just(measured))
)


@given(counts=COUNTS, rate=st.fractions(0, 1, max_denominator=1000))
def test_the_tail_is_the_exact_probability(
    counts: tuple[int, int], rate: Fraction
) -> None:
    """
    Summing in floating point loses nothing that matters.
    """
    exact = float(exact_tail(*counts, rate))

    assert math.isclose(exact, tail(*counts, float(rate)), rel_tol=1e-9, abs_tol=1e-15)


@given(counts=COUNTS, confidence=st.sampled_from([0.5, 0.8, 0.95, 0.975, 0.999]))
def test_a_lower_bound_is_where_the_tail_crosses(
    counts: tuple[int, int], confidence: float
) -> None:
    """
    A hair below it the result is too unlikely, a hair above it is not.
    """
    bound = lower_bound(*counts, confidence)
    alpha = 1 - confidence
    if counts[0] == 0:
        assert 0 == bound
        return
    below = Fraction(max(0.0, bound - 1e-9))
    above = Fraction(min(1.0, bound + 1e-9))

    assert exact_tail(*counts, below) <= alpha <= exact_tail(*counts, above)


@given(counts=COUNTS, confidence=st.sampled_from([0.8, 0.95, 0.999]))
def test_bounds_enclose_the_rate_and_mirror_each_other(
    counts: tuple[int, int], confidence: float
) -> None:
    """
    Passes and failures are treated alike.
    """
    passed, measured = counts
    lower = lower_bound(passed, measured, confidence)
    upper = upper_bound(passed, measured, confidence)

    assert 0 <= lower <= passed / measured <= upper <= 1
    assert pytest.approx(1 - upper) == lower_bound(
        measured - passed, measured, confidence
    )


@given(counts=COUNTS)
def test_more_passes_never_lower_a_bound(counts: tuple[int, int]) -> None:
    """
    A pass more, or more confidence asked for, moves the bound the way it should.
    """
    passed, measured = counts
    bound = lower_bound(passed, measured, 0.95)

    assert bound >= lower_bound(max(0, passed - 1), measured, 0.95)
    assert bound >= lower_bound(passed, measured + 1, 0.95)
    assert bound >= lower_bound(passed, measured, 0.99)


def tally(planned: int, *, passed: int = 0, failed: int = 0, unknown: int = 0) -> Tally:
    """
    Return counts in which the rest is invalid.
    """
    rest = planned - passed - failed - unknown
    return Tally(
        planned=planned, passed=passed, failed=failed, invalid=rest, unknown=unknown
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (tally(10, passed=10), Verdict.PASS),
        (tally(1, passed=1), Verdict.PASS),
        (tally(10, passed=9, failed=1), Verdict.FAIL),
        (
            tally(10, failed=1),
            Verdict.FAIL,
        ),  # One failure decides, whatever is missing.
        (tally(10, passed=8), Verdict.INCONCLUSIVE),  # A fifth is missing: just enough.
        (tally(10, passed=9), Verdict.INCONCLUSIVE),
        (tally(10, passed=7), Verdict.INVALID),
        (tally(10), Verdict.INVALID),
        (tally(1), Verdict.INVALID),
        (tally(10, passed=9, unknown=1), Verdict.INCONCLUSIVE),
        (Tally(planned=10, passed=9), Verdict.INCONCLUSIVE),  # One was not run.
        (Tally(planned=10), Verdict.INVALID),
    ],
)
def test_the_verdict_follows_its_table(counts: Tally, expected: Verdict) -> None:
    """
    A failure first, then too much missing, then anything missing, else pass.
    """
    assert expected is decide(counts, RunStatus.COMPLETED)[0]


@pytest.mark.parametrize("passed", [0, 9, 10])
def test_a_stopped_run_is_invalid_unless_a_trial_has_failed(passed: int) -> None:
    """
    Trouble that no later trial can escape leaves nothing to claim but a failure.
    """
    stopped = RunStatus.STOPPED
    verdict, reason = decide(
        Tally(planned=10, passed=passed), stopped, stopped_by="authentication"
    )
    failed = decide(tally(10, passed=passed // 2, failed=1), stopped)

    assert Verdict.INVALID is verdict
    assert "Stopped by authentication" in reason
    assert Verdict.FAIL is failed[0]


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.STARTED])
@pytest.mark.parametrize("failed", [0, 1, 10])
def test_a_run_without_its_end_is_never_judged(status: RunStatus, failed: int) -> None:
    """
    Cancelled or killed is invalid, whatever was measured until then.
    """
    verdict, reason = decide(tally(10, passed=10 - failed, failed=failed), status)

    assert Verdict.INVALID is verdict
    assert "10 of 10 trials had been measured" in reason


@given(fifths=st.integers(1, 20_000))
def test_exactly_a_fifth_missing_is_still_inconclusive(fifths: int) -> None:
    """
    The limit is not moved by the rounding of a float.
    """
    at = decide(tally(5 * fifths, passed=4 * fifths), RunStatus.COMPLETED)
    beyond = decide(tally(5 * fifths, passed=4 * fifths - 1), RunStatus.COMPLETED)

    assert Verdict.INCONCLUSIVE is at[0]
    assert Verdict.INVALID is beyond[0]


def test_a_reason_says_what_was_counted() -> None:
    """
    Each verdict's sentence has the numbers that led to it.
    """
    reasons = [
        decide(counts, RunStatus.COMPLETED)[1]
        for counts in (
            tally(10, passed=10),
            tally(10, passed=8, failed=1),
            tally(10, passed=9),
            tally(10, passed=1),
        )
    ]

    assert [
        (
            "All 10 trials passed: 95% sure that the agent passes at least 74.1% of "
            "the time."
        ),
        "1 of 9 measured trials failed, and every trial must pass.",
        "All 9 measured trials passed, but 1 of 10 could not be measured.",
        (
            "Too little was measured: 1 of 10 trials; the rest met trouble that is "
            "not the agent's."
        ),
    ] == reasons


@pytest.mark.parametrize("cap", sorted(CAPS))
def test_a_cap_that_left_nothing_out_costs_nothing(cap: str) -> None:
    """
    When all trials passed while the last were under way, it is a pass.
    """
    counts = Tally(planned=40, passed=40)
    expected = decide(counts, RunStatus.COMPLETED)

    assert expected == decide(counts, RunStatus.STOPPED, stopped_by=cap)


@pytest.mark.parametrize("cap", sorted(CAPS))
def test_what_a_cap_cut_off_is_no_trouble(cap: str) -> None:
    """
    However many trials it ended: the verdict is inconclusive, and counts them.
    """
    counts = Tally(planned=40, passed=10, invalid=25, cut=25)
    verdict, reason = decide(counts, RunStatus.STOPPED, stopped_by=cap)

    assert Verdict.INCONCLUSIVE is verdict
    assert f"{cap} left 30 of 40 without a result" in reason


def test_a_tally_without_measurements_has_no_rate() -> None:
    """
    Nothing measured, nothing claimed.
    """
    assert Tally(planned=3, invalid=3).pass_rate is None
    assert 0.5 == Tally(planned=3, passed=1, failed=1).pass_rate
