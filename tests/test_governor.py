"""
What the governor promises: alone, and in whole runs in virtual time.
"""

from __future__ import annotations

import pytest
from fakes.limited_service import LimitedService
from fakes.virtual_time import Story, play, right, trouble
from hypothesis import given, strategies as st

from reliability.engine.governor import Change, Governor
from reliability.engine.retry import RETRY_AFTER_CAP_S
from reliability.kinds import ErrorKind
from reliability.limits import Allowance, Limits
from reliability.model import Reply, RunStatus, Trouble

OVERLOADED = ErrorKind.OVERLOADED


def met(kind: ErrorKind, retry_after_s: float | None = None) -> Reply:
    """
    Return a reply of an attempt that met trouble.
    """
    return Reply(trouble=Trouble(kind=kind, text="", retry_after_s=retry_after_s))


def ended_at_s(story: Story) -> float:
    """
    Return when the last trial had ended.
    """
    return max(one.at_s for one in story.of("trial_finished"))


def outcomes_are_answers(story: Story) -> bool:
    """
    Tell whether every trial has ended with an answer.
    """
    return all(
        one.attempted.reply.trouble is None for one in story.of("trial_finished")
    )


def of_reason(story: Story, reason: str) -> list[Change]:
    """
    Return the changes of one reason.
    """
    return [change for change in story.changes if change.reason == reason]


def test_the_gate_is_shut_while_every_slot_is_taken() -> None:
    """
    None says that only an end can open it.
    """
    governor = Governor(ceiling=1, gap_s=0)
    ticket = governor.started(0)

    assert governor.wait_s(0, first_attempt=True) is None
    governor.ended(ticket, Reply(), 1)
    assert 0 == governor.wait_s(1, first_attempt=True)


def test_the_gap_is_for_first_attempts_alone() -> None:
    """
    A new trial waits for the gap since the last end; a repeated attempt does not.
    """
    governor = Governor(ceiling=1, gap_s=4)
    governor.ended(governor.started(0), Reply(), 10)

    assert 3 == governor.wait_s(11, first_attempt=True)
    assert 0 == governor.wait_s(11, first_attempt=False)


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.floats(0.001, 2000)), min_size=1, max_size=9
    )
)
def test_a_pause_never_gets_shorter(ends: list[tuple[float, float]]) -> None:
    """
    Nobody starts before the latest time that any reply named, each at most the cap.
    """
    governor = Governor(ceiling=99, gap_s=0)
    until_s = 0.0
    for now_s, asked_s in sorted(ends):
        ticket = governor.started(now_s)
        governor.ended(ticket, met(ErrorKind.OVERLOADED, asked_s), now_s)
        until_s = max(until_s, now_s + min(asked_s, RETRY_AFTER_CAP_S))
        wait_s = governor.wait_s(now_s, first_attempt=False)

        assert wait_s is not None
        assert wait_s >= until_s - now_s - 1e-6


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.parametrize("refusal_s", [0.001, 0.05])
def test_a_stated_limit_is_met_almost_exactly(
    refusal_s: float,
    retry_after: bool,
) -> None:
    """
    300 requests under 600 a minute: few are refused, none is lost, little time too.
    """
    service = LimitedService(
        per_minute=600, burst=10, refusal_s=refusal_s, retry_after=retry_after
    )
    story = play(trials=300, workers=50, service=service)
    ideal_s = (300 - 10) / 10 + 0.3

    assert outcomes_are_answers(story)
    assert service.refused <= (9 if refusal_s < 0.01 else 45)
    assert ended_at_s(story) <= 1.03 * ideal_s
    assert of_reason(story, "rate-known")


def test_a_token_limit_is_met_like_a_request_limit() -> None:
    """
    What an attempt takes is learnt from the first answers.
    """
    service = LimitedService(per_minute=60_000, burst=1000, tokens=100)
    story = play(trials=300, workers=50, service=service)
    ideal_s = (300 - 10) / 10 + 0.3

    assert outcomes_are_answers(story)
    assert service.refused <= 9
    assert ended_at_s(story) <= 1.06 * ideal_s


def test_one_pause_for_all_and_no_herd_after_it() -> None:
    """
    A service that is away for 20 s is asked by few, and then paced again.
    """
    service = LimitedService(per_minute=600, burst=10, away=(10.0, 30.0))
    story = play(trials=300, workers=50, service=service)
    ideal_s = (300 - 10 - 20 * 10 + 10 * 20) / 10 + 0.3 + 20 - 1

    assert outcomes_are_answers(story)
    assert service.refused <= 9
    assert ended_at_s(story) <= 1.06 * ideal_s
    assert not [at_s for _, _, at_s in story.asked if 11 < at_s < 30]


def test_a_rate_is_learnt_from_refusals_alone() -> None:
    """
    40 children at 8 under 60 a minute with nothing stated: at most 4 are refused.
    """
    service = LimitedService(per_minute=60, burst=5, latency_s=3.0, states=False)
    story = play(trials=40, workers=8, service=service)
    ideal_s = (40 - 5) / 1 + 3.0

    assert outcomes_are_answers(story)
    assert service.refused <= 4
    assert ended_at_s(story) <= 1.1 * ideal_s
    assert of_reason(story, "refused")


def test_a_rate_is_learnt_even_when_no_wait_is_named() -> None:
    """
    Nothing stated and no retry-after: pauses grow, the rate is found, none is lost.
    """
    service = LimitedService(
        per_minute=60, burst=5, latency_s=3.0, states=False, retry_after=False
    )
    story = play(trials=60, workers=8, service=service)

    assert outcomes_are_answers(story)
    assert service.refused <= 12


def test_a_learnt_rate_grows_back_when_the_limit_is_gone() -> None:
    """
    What was refused at first does not slow the run down for ever.
    """
    service = LimitedService(
        per_minute=60_000, burst=1000, states=False, away=(0.0, 2.0)
    )
    story = play(trials=400, workers=20, service=service)
    starts_s = [at_s for _, _, at_s in story.asked]
    last, first = starts_s[-101:], starts_s[20:121]

    assert outcomes_are_answers(story)
    assert (last[-1] - last[0]) < (first[-1] - first[0]) / 4


def test_the_users_own_bound_spaces_every_start() -> None:
    """
    Requests a minute holds for first attempts and repeated ones alike.
    """
    script = {2: [trouble(ErrorKind.NETWORK), right()]}
    story = play(script, trials=6, workers=6, per_minute=60)
    starts_s = [at_s for _, _, at_s in story.asked]

    assert [pytest.approx(float(n), abs=0.01) for n in range(7)] == starts_s


def test_scattered_overload_does_not_narrow_the_window() -> None:
    """
    One 529 in ten is chance: everybody goes on, only those trials are repeated.
    """
    script = {n: [trouble(OVERLOADED), right()] for n in range(1, 301, 10)}
    story = play(script, trials=300, workers=50)

    assert outcomes_are_answers(story)
    assert [] == of_reason(story, "overloaded")
    assert 50 == story.time.most_running


def test_lasting_overload_narrows_the_window_once_for_each_burst() -> None:
    """
    Fewer knock while the service is overloaded, and all again some time after.
    """

    def service(trial: object, attempt: int, now_s: float) -> object:
        """
        Be overloaded for five seconds.
        """
        _ = trial, attempt
        return trouble(OVERLOADED) if now_s < 5 else right()

    story = play(trials=400, workers=20, service=service, retry=Patient())  # type: ignore[arg-type]
    limits = [change.in_flight_limit for change in story.changes]

    assert outcomes_are_answers(story)
    assert of_reason(story, "overloaded")
    assert min(limits) < 20
    assert 20 == limits[-1]


class Patient:
    """
    A retry policy that tries again after a second, for ever.
    """

    def begin(self) -> object:
        """
        Return the memory of one trial.
        """
        return lambda reply: 1.0 if reply.trouble is not None else None


def test_a_run_whose_infrastructure_is_gone_ends_soon() -> None:
    """
    50 trials, all 503: far fewer attempts than they might have, and probes in between.
    """
    script = {n: [trouble(ErrorKind.SERVER_ERROR)] for n in range(1, 51)}
    story = play(script, trials=50, workers=5, retry=Patient())

    assert RunStatus.STOPPED is story.status
    assert "outage" == story.stopped_by
    assert len(story.asked) <= 40
    assert [1.0, 2.0, 4.0, 8.0, 16.0] == [
        pytest.approx(change.paused_s) for change in of_reason(story, "outage")
    ][:5]
    assert 50 > len(story.of("trial_started"))
    assert len(story.of("trial_started")) == len(story.of("trial_finished"))


def test_a_probe_that_is_answered_closes_the_circuit() -> None:
    """
    A hiccup of ten seconds, in which everybody fails at once, costs no trial.
    """

    def service(trial: object, attempt: int, now_s: float) -> object:
        """
        Refuse every connection for ten seconds.
        """
        _ = trial, attempt
        return trouble(ErrorKind.NETWORK, duration_s=0.01) if now_s < 10 else right()

    story = play(trials=100, workers=10, service=service, retry=Patient())  # type: ignore[arg-type]

    assert RunStatus.COMPLETED is story.status
    assert outcomes_are_answers(story)
    assert of_reason(story, "outage-over")
    assert 10 == story.time.most_running


def test_a_wrong_answer_never_counts_as_an_outage() -> None:
    """
    An agent that only fails is measured to the end.
    """
    script = {n: [trouble(ErrorKind.TIMEOUT)] for n in range(1, 101)}
    story = play(script, trials=100, workers=2)

    assert RunStatus.COMPLETED is story.status
    assert [] == story.changes


def test_a_child_that_was_refused_on_its_way_slows_the_starts() -> None:
    """
    It went on by itself and answered; those after it start at a learnt rate.
    """
    governor = Governor(ceiling=20, gap_s=0)
    tickets = [governor.started(0.0) for _ in range(8)]
    for ticket in tickets[:6]:
        governor.ended(ticket, Reply(), 4.0)
    governor.ended(tickets[6], Reply(refusals=1), 4.0)
    governor.started(4.0)

    assert ["refused"] == [change.reason for change in governor.take_changes()]
    assert governor.wait_s(4.0, first_attempt=True)


def test_old_news_does_not_undo_newer() -> None:
    """
    A slow answer to an early attempt says less than a quick one to a later.
    """
    governor = Governor(ceiling=9, gap_s=0)
    early, late = governor.started(0), governor.started(10)
    nothing = Limits(requests=Allowance(per_minute=60, remaining=0))
    plenty = Limits(requests=Allowance(per_minute=60, remaining=50))
    governor.ended(late, Reply(limits=nothing), 11)
    governor.ended(early, Reply(limits=plenty), 11)

    assert 0 == governor.wait_s(11, first_attempt=False)
    governor.started(11)
    assert pytest.approx(1.0) == governor.wait_s(11, first_attempt=False)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 5),
            st.sampled_from([None, *ErrorKind]),
            st.none() | st.floats(0, 1e10),
            st.none()
            | st.builds(
                Allowance,
                per_minute=st.none() | st.integers(1, 10**9),
                remaining=st.integers(0, 10**9),
                full_in_s=st.none() | st.floats(0, 1e9),
            ),
        ),
        max_size=40,
    )
)
def test_whatever_a_service_says_the_gate_opens_again(
    said: list[tuple[float, ErrorKind | None, float | None, Allowance | None]],
) -> None:
    """
    Waits are numbers, never negative, and never beyond what a run could wait.
    """
    governor = Governor(ceiling=3, gap_s=0)
    now_s = 0.0
    for gap_s, kind, retry_after_s, allowance in said:
        now_s += gap_s
        ticket = governor.started(now_s)
        trouble_met = None if kind is None else met(kind, retry_after_s).trouble
        limits = Limits(requests=allowance, tokens=allowance)
        governor.ended(ticket, Reply(trouble=trouble_met, limits=limits), now_s)
        wait_s = governor.wait_s(now_s, first_attempt=True)

        assert wait_s is not None
        assert 0 <= wait_s <= RETRY_AFTER_CAP_S
        hold = governor.hold(now_s)
        assert (hold is None) == (wait_s == 0 and governor.in_flight_limit == 3)
