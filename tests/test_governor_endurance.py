"""
What the governor promises in outages and odd company: it ends, and it hammers nobody.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from fakes.virtual_time import Story, play, right, trouble
from hypothesis import given, settings, strategies as st

from reliability.engine.circuit import PROBES, PROBES_AFTER_AN_ANSWER, Circuit
from reliability.engine.governor import Governor
from reliability.engine.meter import Meter
from reliability.engine.retry import RETRY_AFTER_CAP_S
from reliability.engine.task import Attempted
from reliability.kinds import ErrorKind
from reliability.limits import Allowance, Limits
from reliability.model import Reply, RunStatus, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.model import Trial

ONE_TRIALS_OWN = (
    ErrorKind.BAD_REQUEST,
    ErrorKind.PROMPT_TOO_LONG,
    ErrorKind.CHECK_ERROR,
    ErrorKind.ANSWER_TOO_LONG,
)


class Patient:
    """
    A retry policy that tries again after a second, for ever.
    """

    def begin(self) -> Callable[[Reply], float | None]:
        """
        Return the memory of one trial.
        """
        return lambda reply: 1.0 if reply.trouble is not None else None


def play_an_outage(from_s: float, until_s: float) -> Story:
    """
    Play an hour of calls to a service that is gone for a while.
    """

    def service(trial: Trial, attempt: int, now_s: float) -> Attempted:
        """
        Answer after half a minute, or refuse the connection.
        """
        _ = trial, attempt
        is_gone = from_s <= now_s < until_s
        return trouble(ErrorKind.NETWORK, duration_s=0.1) if is_gone else right(30)

    return play(trials=480, workers=4, service=service, retry=Patient())


@pytest.mark.parametrize("outage_s", [30.0, 120.0, 240.0])
def test_a_long_run_survives_an_outage_of_a_few_minutes(outage_s: float) -> None:
    """
    A service that answered before is waited for, and every trial has its answer.
    """
    story = play_an_outage(1200.0, 1200.0 + outage_s)

    assert RunStatus.COMPLETED is story.status
    assert 480 == len(story.of("trial_finished"))
    assert all(
        one.attempted.reply.trouble is None for one in story.of("trial_finished")
    )
    assert "outage-over" in [change.reason for change in story.changes]


@pytest.mark.parametrize(
    ("from_s", "least_s", "most_s"), [(0.0, 60, 120), (1200.0, 240, 420)]
)
def test_a_service_that_does_not_come_back_ends_the_run(
    from_s: float, least_s: float, most_s: float
) -> None:
    """
    In one to two minutes when it never answered, in some five when it did.
    """
    story = play_an_outage(from_s, 1e9)
    gone_s = max(one.at_s for one in story.of("trial_finished")) - from_s

    assert "outage" == story.stopped_by
    assert least_s <= gone_s <= most_s


@pytest.mark.parametrize("kind", ONE_TRIALS_OWN)
def test_what_the_service_dealt_with_is_no_sign_of_an_outage(kind: ErrorKind) -> None:
    """
    One such end among failures closes the circuit again.
    """
    governor = Governor(ceiling=1, gap_s=0)
    met = Reply(trouble=Trouble(kind=ErrorKind.NETWORK, text=""))
    for now_s in range(11):
        governor.ended(governor.started(now_s), met, now_s)
    assert governor.wait_s(10, first_attempt=False)
    probe = governor.started(12)
    governor.ended(probe, Reply(trouble=Trouble(kind=kind, text="")), 12)

    assert "outage-over" == governor.take_changes()[-1].reason
    assert 0 == governor.wait_s(12, first_attempt=False)


@pytest.mark.parametrize("has_answered", [True, False])
def test_the_documented_patience_is_what_the_circuit_has(has_answered: bool) -> None:
    """
    About a minute of pauses for nobody, about five for one that answered.
    """
    circuit = Circuit(ceiling=1)
    if has_answered:
        circuit.succeeded()
    now_s, probes = 0.0, 0
    while not circuit.is_open:
        circuit.failed(now_s, now_s)
    while not circuit.is_broken:
        now_s += max(0.001, circuit.wait_s(now_s))
        circuit.failed(now_s, now_s)
        probes += 1

    assert (PROBES_AFTER_AN_ANSWER if has_answered else PROBES) == probes
    assert pytest.approx(303 if has_answered else 63, abs=1) == now_s


@pytest.mark.parametrize("per_minute", [None, 1])
def test_no_stated_limit_holds_everybody_for_longer_than_the_cap(
    per_minute: int | None,
) -> None:
    """
    A reset in a year, and a rate that would take one, are asked about again.
    """
    meter = Meter()
    meter.hear(
        Allowance(per_minute=per_minute, remaining=0, full_in_s=3e7),
        sent_mono_s=100.0,
        own_cost=1e6,
        later_cost=0,
    )

    assert pytest.approx(RETRY_AFTER_CAP_S) == meter.wait_s(1e6, 100.0)
    assert 0 == meter.wait_s(1e6, 100.0 + RETRY_AFTER_CAP_S)


_attempts = st.builds(
    lambda kind, retry_after_s, duration_s, limits: (
        kind,
        retry_after_s,
        duration_s,
        limits,
    ),
    st.none() | st.sampled_from([kind for kind in ErrorKind if kind != "cancelled"]),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 100),
    st.none()
    | st.builds(
        lambda allowance: Limits(requests=allowance, tokens=allowance),
        st.builds(
            Allowance,
            per_minute=st.none() | st.integers(1, 10**6),
            remaining=st.integers(0, 10**6),
            full_in_s=st.none() | st.floats(0, 1e9),
        ),
    ),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_attempts, min_size=1, max_size=12), st.integers(1, 9))
def test_every_run_ends_and_never_has_more_in_flight_than_the_ceiling(
    said: list[tuple[ErrorKind | None, float | None, float, Limits | None]],
    workers: int,
) -> None:
    """
    Whatever a service says, in whatever order, and however often.
    """
    asked = iter(range(10**6))

    def service(trial: Trial, attempt: int, now_s: float) -> Attempted:
        """
        Say the next thing.
        """
        _ = trial, attempt, now_s
        kind, retry_after_s, duration_s, limits = said[next(asked) % len(said)]
        met = None
        if kind is not None:
            met = Trouble(kind=kind, text="", retry_after_s=retry_after_s)
        reply = Reply(trouble=met, limits=limits, duration_s=duration_s)
        return Attempted(reply)

    story = play(trials=12, workers=workers, service=service)
    begins_s = sorted(at_s for _, _, at_s in story.asked)
    pauses_s = [after - before for before, after in pairwise(begins_s)]

    assert story.status in {RunStatus.COMPLETED, RunStatus.STOPPED}
    assert story.time.most_running <= workers
    assert len(story.of("trial_started")) == len(story.of("trial_finished"))
    assert max(pauses_s, default=0.0) <= 1.1 * RETRY_AFTER_CAP_S + 100 + 61
