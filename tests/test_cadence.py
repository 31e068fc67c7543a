"""
What a rate learnt from refusals promises.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from fakes.limited_service import LimitedService
from fakes.virtual_time import play, right, trouble
from hypothesis import given, strategies as st

from reliability.engine.cadence import Cadence
from reliability.engine.governor import Governor
from reliability.kinds import ErrorKind
from reliability.model import Reply

if TYPE_CHECKING:
    from reliability.engine.task import Attempted

LONGEST_WAIT_S = 61.0


def started(cadence: Cadence, *starts_s: float) -> None:
    """
    Start attempts.
    """
    for start_s in starts_s:
        cadence.started(start_s)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("latency_s", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("slowest_s", [0.0, 1.2, 2.0])
def test_children_under_a_hidden_limit_are_paced_almost_exactly(
    seed: int,
    latency_s: float,
    slowest_s: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    40 at 8 under 60 a minute, each some time after its start: at most 4 are refused.
    """
    chance = random.Random(seed)
    monkeypatch.setattr("tenacity.wait.random", chance)
    service = LimitedService(per_minute=60, burst=5, latency_s=latency_s, states=False)
    story = play(
        trials=40,
        workers=8,
        service=service,
        reach_s=lambda: chance.uniform(slowest_s / 3, slowest_s),
    )
    ideal_s = (40 - 5) / 1 + latency_s

    assert 40 == service.answered
    assert service.refused <= 4
    assert max(one.at_s for one in story.of("trial_finished")) <= 1.1 * ideal_s


def test_a_limit_of_a_few_a_minute_is_found_without_knocking_for_ever() -> None:
    """
    6 a minute: each pause is kept, and soon only one starts after it.
    """
    service = LimitedService(per_minute=6, burst=5, latency_s=3.0, states=False)
    play(trials=40, workers=8, service=service)

    assert service.refused <= 12


@pytest.mark.parametrize("seed", range(5))
def test_chance_refusals_do_not_hold_a_run_to_a_few_starts_a_second(seed: int) -> None:
    """
    One in twelve is refused at any rate: 1000 calls at 50 take a minute or two at most.
    """
    chance = random.Random(seed)

    def service(trial: object, attempt: int, now_s: float) -> Attempted:
        """
        Refuse by chance.
        """
        _ = trial, attempt, now_s
        if chance.random() < 1 / 12:
            return trouble(ErrorKind.RATE_LIMIT, duration_s=0.01)
        return right(0.3)

    story = play(trials=1000, workers=50, service=service)
    starts_s = sorted(at_s for _, _, at_s in story.asked)
    usual_s = starts_s[900] - starts_s[600]

    assert starts_s[900] <= 150
    assert usual_s <= 60


def test_a_refusal_in_mid_conversation_sets_no_pace_of_minutes() -> None:
    """
    Eight conversations of five minutes, one refused once: the next may start soon.
    """
    governor = Governor(ceiling=20, gap_s=0)
    tickets = [governor.started(0.0) for _ in range(8)]
    governor.ended(tickets[3], Reply(refusals=1), 300.0)
    governor.started(300.0)
    wait_s = governor.wait_s(300.0, first_attempt=True)

    assert wait_s is not None
    assert wait_s <= 2


def test_a_pause_of_its_own_is_not_measured_as_the_services_rate() -> None:
    """
    Ten that went through in a second after a pause of a minute are ten a second.
    """
    cadence = Cadence()
    started(cadence, *(n / 10 for n in range(20)))
    assert cadence.refused(20, 1.9, 60.0)
    cadence.paused(2.0, 62.0)
    started(cadence, *(62 + n / 10 for n in range(10)))
    for number in range(21, 30):
        cadence.passed(number)
    cadence.refused(30, 62.9, 60.0)

    assert cadence.per_s >= 5


def test_a_few_stray_refusals_after_many_answers_cut_little() -> None:
    """
    Fewer than three went through since the last one, but nearly all before: bad luck.
    """
    cadence = Cadence()
    started(cadence, *(n / 10 for n in range(100)))
    for number in range(1, 100):
        cadence.passed(number)
    assert cadence.refused(100, 9.9, None)
    started(cadence, 10.1, 10.2)
    cadence.passed(101)
    before_per_s = cadence.per_s

    assert not cadence.refused(102, 10.2, None)
    assert before_per_s == cadence.per_s >= 5


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e6),
            st.booleans(),
            st.none() | st.floats(0, 1e10) | st.integers(1, 10**9),
        ),
        max_size=60,
    )
)
def test_whatever_is_refused_the_pace_stays_between_one_a_minute_and_none(
    said: list[tuple[float, bool, float | None]],
) -> None:
    """
    No wait of a rate is longer than a minute, negative or not a number.
    """
    cadence = Cadence()
    now_s = 0.0
    for number, (gap_s, is_refused, retry_after_s) in enumerate(said, 1):
        now_s += gap_s
        cadence.started(now_s)
        if is_refused:
            cadence.refused(number, now_s, retry_after_s)
            cadence.paused(now_s, now_s + (retry_after_s or 0))
        else:
            cadence.passed(number)

        assert 0 <= cadence.wait_s(now_s) <= LONGEST_WAIT_S
        assert 0 < cadence.per_s <= math.inf
