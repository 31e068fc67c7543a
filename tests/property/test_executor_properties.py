"""
What holds for every run of the scheduler, whatever the attempts bring.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from fakes.virtual_time import FixedWaits, Story, play, right, trouble, wrong
from hypothesis import assume, given, settings

from reliability.engine.grading import outcome_of
from reliability.kinds import KIND_RULES, ErrorKind
from reliability.model import RunStatus

if TYPE_CHECKING:
    from reliability.engine.task import Attempted

FEW = settings(max_examples=50)  # Each is a whole run.
DURATIONS_S = st.floats(0, 30)
PASSING_TROUBLE = [kind for kind, rule in KIND_RULES.items() if not rule.fatal]


@st.composite
def brought(draw: st.DrawFn, kinds: list[ErrorKind]) -> Attempted:
    """
    Draw what one attempt brings.
    """
    duration_s = draw(DURATIONS_S)
    if draw(st.booleans()):
        return draw(st.sampled_from([right, wrong]))(duration_s)
    after_s = draw(st.none() | st.floats(0, 2000))
    kind = draw(st.sampled_from(kinds))
    return trouble(kind, retry_after_s=after_s, duration_s=duration_s)


def scripts(kinds: list[ErrorKind]) -> st.SearchStrategy[dict[int, list[Attempted]]]:
    """
    Draw what the first trials bring.
    """
    steps = st.lists(brought(kinds), min_size=1, max_size=4)
    return st.dictionaries(st.integers(1, 8), steps, max_size=8)


def outcomes(story: Story) -> dict[int, tuple[str, str]]:
    """
    Return the outcome of each trial and why.
    """
    return {one.trial: outcome_of(one.attempted) for one in story.of("trial_finished")}


@FEW
@given(
    script=scripts(list(ErrorKind)),
    workers=st.integers(1, 5),
    gap_s=st.sampled_from([0.0, 3.0]),
    cancel_at_s=st.none() | st.floats(0, 100),
)
def test_what_is_told_is_always_in_order_and_whole(
    script: dict[int, list[Attempted]],
    workers: int,
    gap_s: float,
    cancel_at_s: float | None,
) -> None:
    """
    Each trial that starts ends once, after its attempts 1, 2, 3; nothing comes later.
    """
    story = play(
        script, trials=8, workers=workers, gap_s=gap_s, cancel_at_s=cancel_at_s
    )
    by_trial: dict[int, list[tuple[str, int]]] = {}
    for one in story.happenings:
        by_trial.setdefault(one.trial, []).append((one.what, one.attempt))

    assert list(range(1, len(by_trial) + 1)) == list(by_trial)
    for told in by_trial.values():
        count = told[-1][1]
        whole = [("attempt_finished", number + 1) for number in range(count)]
        cut = whole[:-1]  # The last attempt, or the wait before it, was cut short.
        allowed = [
            [("trial_started", 1), *attempts, ("trial_finished", count)]
            for attempts in ((whole,) if cancel_at_s is None else (whole, cut))
        ]
        stopped = story.status is RunStatus.STOPPED
        allowed += [[("trial_started", 1), *cut, ("trial_finished", count)]] * stopped
        assert told in allowed
    assert story.time.most_running <= workers


@FEW
@given(script=scripts(PASSING_TROUBLE), gap_s=st.sampled_from([0.0, 3.0]))
def test_sequential_and_parallel_runs_have_the_same_outcomes(
    script: dict[int, list[Attempted]], gap_s: float
) -> None:
    """
    The number of workers changes when things happen, never what comes of them.
    """
    one = play(script, trials=8, workers=1, gap_s=gap_s)
    many = play(script, trials=8, workers=5)
    # A run in which nearly everything fails may end as an outage, at another point.
    assume("outage" not in {one.stopped_by, many.stopped_by})

    assert RunStatus.COMPLETED is one.status is many.status
    assert outcomes(one) == outcomes(many)
    assert one.attempts() == many.attempts()


@FEW
@given(script=scripts(list(ErrorKind)), workers=st.integers(1, 5))
def test_nothing_is_asked_again_after_an_end(
    script: dict[int, list[Attempted]], workers: int
) -> None:
    """
    No attempt follows one that cannot be tried again, and none a fatal one.
    """
    story = play(script, trials=8, workers=workers)
    asked = Counter((number, attempt) for number, attempt, _ in story.asked)
    fatal_s = [
        one.at_s
        for one in story.of("attempt_finished")
        if (found := one.attempted.reply.trouble) is not None and found.rule.fatal
    ]

    assert {1} >= set(asked.values())
    assert all(at_s <= min(fatal_s) for _, _, at_s in story.asked if fatal_s)
    for one in story.of("attempt_finished"):
        found = one.attempted.reply.trouble
        if found is None or not found.rule.retry:
            assert one.retry_in_s is None
            assert not asked[one.trial, one.attempt + 1]


@FEW
@given(script=scripts(PASSING_TROUBLE), workers=st.integers(1, 5))
def test_no_attempt_starts_inside_a_pause(
    script: dict[int, list[Attempted]], workers: int
) -> None:
    """
    After a retry-after of n seconds, up to the cap, nobody asks for n seconds.
    """
    story = play(script, trials=8, workers=workers)

    for one in story.of("attempt_finished"):
        found = one.attempted.reply.trouble
        if found is not None and found.retry_after_s is not None:
            over_s = one.at_s + min(found.retry_after_s, 600)
            inside = [t for _, _, t in story.asked if one.at_s < t < over_s - 1e-6]
            assert [] == inside


@FEW
@given(script=scripts(list(ErrorKind)), cancel_at_s=st.floats(0, 100))
def test_after_a_cancel_no_attempt_starts(
    script: dict[int, list[Attempted]], cancel_at_s: float
) -> None:
    """
    The last attempt is asked before the cancel, and the run ends within the drain.
    """
    story = play(
        script,
        trials=8,
        workers=3,
        retry=FixedWaits(50),
        cancel_at_s=cancel_at_s,
    )

    assert all(at_s <= cancel_at_s + 1e-9 for _, _, at_s in story.asked)
    if story.status is RunStatus.CANCELLED:
        assert story.time.now_s - 1000 <= cancel_at_s + 3.3
