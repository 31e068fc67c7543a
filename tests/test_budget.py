"""
Money and time are kept: the caps, alone and in whole runs in virtual time.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes.virtual_time import FixedWaits, Story, play, right, trouble
from hypothesis import given, strategies as st

from reliability.engine.budget import RESERVE_S, Budget
from reliability.engine.executor import DRAIN_S
from reliability.engine.task import Attempted
from reliability.kinds import ErrorKind
from reliability.model import Reply, RunStatus, Trial, Usage, Verdict
from reliability.run_result import Tally
from reliability.stats import decide


def costing(cost_usd: float | None, *, duration_s: float = 1.0) -> Attempted:
    """
    Return an answer at a price.
    """
    done = right(duration_s)
    return replace(done, reply=replace(done.reply, cost_usd=cost_usd))


def priced(costs_usd: list[float]) -> dict[int, list[Attempted]]:
    """
    Return a script in which each trial costs what is given.
    """
    return {n: [costing(cost)] for n, cost in enumerate(costs_usd, start=1)}


def spent_usd(story: Story) -> float:
    """
    Return what all attempts of a run cost.
    """
    return sum(
        one.attempted.reply.cost_usd or 0 for one in story.of("attempt_finished")
    )


@given(st.integers(1, 100), st.integers(1, 60), st.integers(1, 20), st.integers(1, 100))
def test_equal_prices_never_pass_the_cap(
    price_usd: int, cap_in_half_prices: int, workers: int, trials: int
) -> None:
    """
    Whatever is in flight counts, so the cap holds to the cent, and no slot is wasted.
    """
    cap_usd = price_usd * cap_in_half_prices / 2
    story = play(
        priced([price_usd] * trials),
        trials=trials,
        workers=workers,
        caps={"max_cost_usd": cap_usd},
    )
    affordable = max(1, cap_in_half_prices // 2)

    assert min(trials, affordable) == len(story.of("trial_finished"))
    assert spent_usd(story) <= max(cap_usd, price_usd)
    assert (RunStatus.STOPPED if trials > affordable else RunStatus.COMPLETED) is (
        story.status
    )
    assert ("max-cost-usd" if trials > affordable else "") == story.stopped_by


def test_one_attempt_alone_learns_the_price() -> None:
    """
    With a cap nobody follows until the first has told what it costs.
    """
    story = play(priced([1.0] * 9), trials=9, workers=5, caps={"max_cost_usd": 100.0})
    starts_s = [at_s for _, _, at_s in story.asked]

    assert [0.0, *[1.0] * 5, *[2.0] * 3] == starts_s


def test_without_a_cap_all_start_at_once() -> None:
    """
    Learning the price is for runs that have a cap.
    """
    story = play(priced([1.0] * 5), trials=5, workers=5)

    assert [0.0] * 5 == [at_s for _, _, at_s in story.asked]


def test_dear_attempts_pass_the_cap_by_no_more_than_they_are_dearer() -> None:
    """
    The mean is all that is known before; what was sent cannot be taken back.
    """
    story = play(
        priced([1.0, 1.0, 5.0, 1.0, 1.0]),
        trials=5,
        workers=1,
        caps={"max_cost_usd": 4.0},
    )

    assert 7.0 == spent_usd(story)
    assert 3 == len(story.of("trial_finished"))


def test_tokens_have_a_cap_of_their_own() -> None:
    """
    In, out and cached count alike.
    """
    usage = Usage(
        input_tokens=40, output_tokens=30, cache_read_tokens=20, cache_write_tokens=10
    )
    done = Attempted(Reply(answer="x", usage=usage, duration_s=1.0))
    story = play({n: [done] for n in range(1, 11)}, trials=10, caps={"max_tokens": 350})

    assert 3 == len(story.of("trial_finished"))
    assert "max-tokens" == story.stopped_by


def test_a_retry_is_not_paid_for_when_the_cap_is_reached() -> None:
    """
    What waits for another attempt is given up, with the cap as the reason.
    """
    script = priced([2.0] * 4)
    script[2] = [trouble(ErrorKind.NETWORK), costing(2.0)]
    story = play(
        script,
        trials=4,
        workers=2,
        caps={"max_cost_usd": 5.0},
        retry=FixedWaits(10.0),
    )
    last = story.of("trial_finished")[-1].attempted.reply

    assert last.trouble is not None
    assert "max-cost-usd was reached" in last.trouble.text
    assert len(story.of("trial_started")) == len(story.of("trial_finished"))


def test_nothing_is_started_that_would_not_end_in_time() -> None:
    """
    By the mean of those before; what is under way ends by itself.
    """
    story = play(trials=100, workers=2, caps={"max_minutes": 1.0})
    long = play(
        {n: [right(10.0)] for n in range(1, 100)},
        trials=99,
        workers=2,
        caps={"max_minutes": 1.0},
    )

    assert "max-minutes" == long.stopped_by
    assert 10 == len(long.of("trial_finished"))
    assert 0 == long.stops
    assert max(one.at_s for one in long.of("trial_finished")) <= 60 - RESERVE_S
    assert RunStatus.COMPLETED is story.status


def test_what_is_under_way_at_the_deadline_is_cut_and_is_no_failure() -> None:
    """
    Invalid, with its reason, and everything is written inside the time.
    """
    story = play(
        {n: [right(math.inf)] for n in range(1, 5)},
        trials=4,
        workers=2,
        caps={"max_minutes": 1.0},
    )
    ends = story.of("trial_finished")

    assert RunStatus.STOPPED is story.status
    assert 1 == story.stops
    assert 2 == len(ends)
    for one in ends:
        assert one.attempted.reply.trouble is not None
        assert ErrorKind.DEADLINE is one.attempted.reply.trouble.kind
        assert one.at_s <= 60 - RESERVE_S + DRAIN_S + 0.01


def test_a_wait_beyond_the_deadline_ends_at_the_deadline() -> None:
    """
    A service that asks for an hour does not make the run last an hour.
    """
    script = {n: [trouble(ErrorKind.RATE_LIMIT, retry_after_s=500)] for n in (1, 2)}
    story = play(script, trials=2, workers=2, caps={"max_minutes": 1.0})

    assert max(one.at_s for one in story.of("trial_finished")) <= 60
    assert "max-minutes" == story.stopped_by


@given(st.floats(0.01, 20), st.integers(1, 9), st.lists(st.floats(0, 300), min_size=9))
def test_no_run_lasts_longer_than_it_may(
    max_minutes: float, workers: int, durations_s: list[float]
) -> None:
    """
    Whatever the agents take, all is told before the time is up.
    """
    script = {n: [right(took)] for n, took in enumerate(durations_s, start=1)}
    story = play(
        script,
        trials=len(durations_s),
        workers=workers,
        caps={"max_minutes": max_minutes},
    )
    reserve_s = min(RESERVE_S, 6 * max_minutes)
    last_s = max((one.at_s for one in story.of("trial_finished")), default=0.0)

    assert last_s <= 60 * max_minutes - reserve_s + DRAIN_S + 1e-6
    assert len(story.of("trial_started")) == len(story.of("trial_finished"))


def test_the_first_signal_drains_and_the_second_kills_at_once() -> None:
    """
    A person who asks twice does not wait for the grace of a child.
    """

    def service(_trial: Trial, _attempt: int, _now_s: float) -> Attempted:
        """
        Never answer.
        """
        return right(math.inf)

    patient = play(trials=3, workers=3, service=service, cancel_at_s=1.0)
    urgent = play(
        trials=3, workers=3, service=service, cancel_at_s=1.0, cancel_again_at_s=1.5
    )

    assert (1, 0) == (patient.stops, patient.kills)
    assert (1, 1) == (urgent.stops, urgent.kills)
    assert 1.0 + DRAIN_S == pytest.approx(patient.of("trial_finished")[-1].at_s)
    assert urgent.of("trial_finished")[-1].at_s < 1.0 + DRAIN_S
    assert RunStatus.CANCELLED is urgent.status


def test_a_signal_while_the_deadline_drains_ends_no_trial_twice() -> None:
    """
    What is under way is ended once, and written down once, for whichever reason.
    """

    def service(_trial: Trial, _attempt: int, _now_s: float) -> Attempted:
        """
        Never answer.
        """
        return right(math.inf)

    story = play(
        trials=3,
        workers=3,
        service=service,
        caps={"max_minutes": 1.0},
        cancel_at_s=60 - RESERVE_S + 1,
    )

    assert RunStatus.CANCELLED is story.status
    assert 1 == story.stops
    assert [1, 2, 3] == [one.trial for one in story.of("trial_finished")]


@pytest.mark.parametrize("cap", ["max-cost-usd", "max-tokens", "max-minutes"])
def test_a_cap_takes_certainty_and_the_verdict_says_how_much(cap: str) -> None:
    """
    Not a pass, since not all ran; not invalid, since what ran was measured.
    """
    stopped = RunStatus.STOPPED
    verdict, reason = decide(Tally(planned=100, passed=40), stopped, stopped_by=cap)

    assert Verdict.INCONCLUSIVE is verdict
    assert f"{cap} left 60 of 100" in reason
    assert "92.8%" in reason
    assert "97.0%" in reason


def test_a_cap_does_not_hide_what_was_measured() -> None:
    """
    A failure decides; nothing measured claims nothing; mostly invalid is invalid.
    """
    stopped, cap = RunStatus.STOPPED, "max-minutes"
    failed = Tally(planned=100, passed=39, failed=1)
    mostly_invalid = Tally(planned=100, passed=5, invalid=5)

    assert Verdict.FAIL is decide(failed, stopped, stopped_by=cap)[0]
    assert Verdict.INVALID is decide(Tally(planned=9), stopped, stopped_by=cap)[0]
    assert Verdict.INVALID is decide(mostly_invalid, stopped, stopped_by=cap)[0]


def test_the_budget_lets_everything_through_without_caps() -> None:
    """
    No option, no cap.
    """
    budget = Budget(began_mono_s=0.0)

    assert budget.refusal(1e9, in_flight=10**6) is None
    assert math.inf == budget.cut_mono_s
