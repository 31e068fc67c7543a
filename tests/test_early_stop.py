"""
A run stops when its verdict is certain, and not before, whatever order trials end in.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from fakes.continued import resumed
from fakes.runs import events, run_simulated
from fakes.virtual_time import Story, VirtualTime, play, right, trouble, wrong

from reliability.errors import UsageError
from reliability.gate import EARLY_STOP, Gate
from reliability.kinds import ErrorKind
from reliability.merge import merge
from reliability.model import Outcome, RunStatus, Verdict
from reliability.report.junit import junit
from reliability.run_result import CasePlan, Tally
from reliability.stats import Referee

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.engine.task import Attempted
    from reliability.model import Trial


def a_referee(trials: int = 100, rate: float = 0.8, **gate: Any) -> Referee:
    """
    Return the judge of a run of one case.
    """
    plan = CasePlan(name="prompt", planned=trials, min_pass_rate=rate)
    asked = Gate(**{"min_pass_rate": rate, "early_stop": True, **gate})
    return Referee(asked, [plan])


def played(
    script: dict[int, list[Attempted]] | None = None, **options: Any
) -> tuple[Story, Referee]:
    """
    Run a hundred trials with a referee in virtual time.
    """
    referee = options.pop("referee", None) or a_referee()
    story = play(script, trials=100, referee=referee, **options)
    return story, referee


@pytest.mark.parametrize("workers", [1, 8, 32])
def test_a_good_agent_is_asked_just_as_often_as_a_pass_takes(workers: int) -> None:
    """
    21 of 21 pass at 0.8; no other trial is begun, however many could be.
    """
    story, referee = played(workers=workers)

    assert 21 == len(story.asked)
    assert referee.is_certain
    assert (RunStatus.STOPPED, EARLY_STOP) == (story.status, story.stopped_by)


def test_a_slow_trial_is_not_waited_for_when_it_cannot_change_the_verdict() -> None:
    """
    An agent that fails all others fails, whatever the first one brings.
    """
    script = {number: [wrong()] for number in range(2, 101)}
    story, _ = played({1: [right(10_000)], **script}, workers=8)

    assert len(story.asked) < 20
    (cut,) = (one for one in story.of("trial_finished") if one.trial == 1)
    assert cut.attempted.reply.trouble is not None
    assert "the verdict was certain" in cut.attempted.reply.trouble.text
    assert story.time.now_s < 1100


def test_drain_lets_what_is_under_way_end() -> None:
    """
    The trial that no verdict needs is measured all the same.
    """
    script = {number: [wrong()] for number in range(2, 101)}
    story, _ = played({1: [right(50)], **script}, workers=8, drains=True)
    (ended,) = (one for one in story.of("trial_finished") if one.trial == 1)

    assert ended.attempted.reply.trouble is None
    assert 50 == ended.at_s
    assert not story.stops


def test_lost_trials_never_hold_a_run_up() -> None:
    """
    Trouble that costs a trial leaves it unknown, and the run goes on to a verdict.
    """
    lost = {number: [trouble(ErrorKind.BAD_REQUEST)] for number in (2, 5, 9)}
    story, referee = played(lost, workers=4)

    assert referee.is_certain
    assert 30 < len(story.asked) < 60


def test_another_attempt_keeps_the_trials_place() -> None:
    """
    A trial that was refused first is still the one with its number.
    """
    script = {1: [trouble(ErrorKind.OVERLOADED), right()]}
    story, _ = played(script, workers=4)

    assert 2 == story.attempts()[1]
    assert 21 == len(story.attempts())


def test_without_a_referee_all_trials_are_run() -> None:
    """
    The certainty of a verdict is no reason to stop where nobody asked for it.
    """
    assert 40 == len(play(trials=40, workers=8).asked)


@pytest.mark.parametrize("workers", [1, 8, 32])
@pytest.mark.parametrize("slower", [0.2, 10])
def test_the_verdict_does_not_depend_on_workers_or_latency(
    workers: int, slower: float
) -> None:
    """
    The same outcomes by number bring the same verdict in every order of ending.
    """
    for seed in range(12):
        chance = random.Random(seed)
        passed = [chance.random() < 0.8 for _ in range(100)]

        def service(
            trial: Trial, _attempt: int, _at_s: float, passed: list[bool] = passed
        ) -> Attempted:
            """
            Answer as planned; failures take another time than successes.
            """
            is_right = passed[trial.number - 1]
            return right(1.0) if is_right else wrong(slower)

        _, referee = played(service=service, workers=workers)
        alone = a_referee()
        for number, is_right in enumerate(passed, 1):
            outcome = Outcome.PASS if is_right else Outcome.FAIL
            alone.settle(number, "prompt", number, outcome)
        tallies = [Tally(planned=100, passed=50, failed=50)]
        now, expected = (
            one.judge(tallies, RunStatus.COMPLETED)[0].verdict
            for one in (referee, alone)
        )

        assert expected is now


def test_the_log_of_a_stopped_run_says_what_its_screen_said(tmp_path: Path) -> None:
    """
    Verdict, reason, bounds and what was left out are read back from the log.
    """
    result = run_simulated(tmp_path, loops="100", **{"min-pass-rate": "0.8"})
    (end,) = (one for one in events(result) if one.event == "run_finished")

    assert Verdict.PASS is result.verdict
    assert "21 of 21 measured trials passed: 95% sure" in result.reason
    assert result.reason == end.fields["reason"]
    assert 79 == result.tally.not_run
    assert pytest.approx(0.867, abs=1e-3) == result.lower
    assert 1.0 == result.upper


def test_a_stopped_run_has_nothing_left_to_resume(tmp_path: Path) -> None:
    """
    Its verdict lacks nothing, so no trial is run and no log is made.
    """
    result = run_simulated(tmp_path, loops="100", **{"min-pass-rate": "0.8"})
    again = resumed(tmp_path / result.log)

    assert result.log == again.log


def test_logs_of_stopped_runs_are_not_merged(tmp_path: Path) -> None:
    """
    What they left out depends on what came, so they are no sample of a fixed size.
    """
    result = run_simulated(tmp_path, loops="100", **{"min-pass-rate": "0.8"})

    with pytest.raises(UsageError, match="Stopped early"):
        merge([tmp_path / result.log], tmp_path)


def test_the_plain_rule_stops_at_the_first_failure_when_asked_to(
    tmp_path: Path,
) -> None:
    """
    With a rate of 1 that is an option, and the failure is the reason.
    """
    given = {"simulator": "latency=0,pass-rate=0.5,seed=2", "loops": "50"}
    result = run_simulated(tmp_path, **given, **{"early-stop": "true"})

    assert Verdict.FAIL is result.verdict
    assert 1 == result.tally.failed
    assert result.tally.measured < 50
    assert EARLY_STOP == result.stopped_by
    assert "every trial must pass" in result.reason


def test_a_run_that_needed_all_its_trials_was_not_stopped(tmp_path: Path) -> None:
    """
    A verdict that is certain with the last trial ends nothing early.
    """
    result = run_simulated(tmp_path, **{"early-stop": "true"})

    assert (RunStatus.COMPLETED, "") == (result.status, result.stopped_by)


def test_a_run_that_can_never_pass_is_refused_before_any_call(tmp_path: Path) -> None:
    """
    The message has the number of loops that could, and what it would bring.
    """
    with pytest.raises(UsageError) as caught:
        run_simulated(tmp_path, loops="10", **{"min-pass-rate": "0.8"})

    assert "even if all pass, 74.1% is what they show" in str(caught.value)
    assert "From 14 loops on" in str(caught.value)
    assert "an agent of 99% is passed by 87% of the runs" in str(caught.value)
    assert not list(tmp_path.rglob("*.jsonl"))


def test_who_allows_it_is_warned_instead(tmp_path: Path) -> None:
    """
    The run goes on, and its reports have the sentence.
    """
    given = {"min-pass-rate": "0.8", "allow-unreachable": "true"}
    result = run_simulated(tmp_path, loops="10", **given)

    assert Verdict.INCONCLUSIVE is result.verdict
    assert "can never show" in result.warnings[0]


def test_confidence_moves_verdict_and_bounds_together(tmp_path: Path) -> None:
    """
    What is enough for 80 % is not for 99 %.
    """
    given = {"loops": "20", "min-pass-rate": "0.8", "early-stop": "false"}
    loose = run_simulated(tmp_path, **given, confidence="0.8")
    given["allow-unreachable"] = "true"
    strict = run_simulated(tmp_path, **given, confidence="0.999")

    assert (Verdict.PASS, Verdict.INCONCLUSIVE) == (loose.verdict, strict.verdict)
    assert "80% sure" in loose.reason
    assert loose.lower > strict.lower
    assert 0.999 == strict.confidence


def test_more_than_max_invalid_makes_a_verdict_invalid() -> None:
    """
    Whatever the rest shows.
    """
    tally = Tally(planned=100, passed=70, invalid=30)
    for share, expected in ((0.2, Verdict.INVALID), (0.3, Verdict.INCONCLUSIVE)):
        referee = a_referee(early_stop=False, max_invalid=share)
        judged, _ = referee.judge([tally], RunStatus.COMPLETED)

        assert expected is judged.verdict


def test_a_bare_clock_is_enough() -> None:
    """
    A time with children that are slow to begin changes nothing in what is asked.
    """
    time = VirtualTime(lambda: 3.0)
    story, _ = played(time=time, workers=8)

    assert 21 == len(story.asked)


def test_what_the_stop_cut_off_is_skipped_and_no_error_in_junit(
    tmp_path: Path,
) -> None:
    """
    A viewer of test results shows nothing red for it.
    """
    given = {"loops": "100", "min-pass-rate": "0.8", "parallel": "true"}
    profile = "latency=0.05,seed=3,pass-rate=0.5"
    result = run_simulated(tmp_path, simulator=profile, **given)
    suite = ET.fromstring("".join(junit(result)))

    assert Verdict.FAIL is result.verdict
    assert str(result.tally.cut) == suite.get("skipped")
    assert result.tally.cut == len(suite.findall("testcase/skipped"))
    assert "0" == suite.get("errors")
    assert not suite.findall("testcase/error")
