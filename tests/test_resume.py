"""
A run goes on where an earlier one ended: nothing is lost, nothing is done twice.
"""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

from fakes.continued import cut_log, killed_run, named, resumed
from fakes.runs import (
    ENVIRON,
    events,
    outcomes,
    run_command,
    run_simulated,
    scripted,
    texts,
)

from reliability.earlier import read_earlier
from reliability.kept import KEPT_FIELDS
from reliability.model import Outcome, RunStatus, Verdict
from reliability.results import read_result
from reliability.run import run
from reliability.settings import Settings


def test_only_what_is_missing_is_run(tmp_path: Path) -> None:
    """
    Kept trials become `trial_reused`; the others keep their place in the plan.
    """
    log = killed_run(tmp_path, ended=2, loops="5")

    result = resumed(log)

    assert [1, 2] == [one.fields["trial"] for one in named(result.log, "trial_reused")]
    assert [3, 4, 5] == [
        one.fields["trial"] for one in named(result.log, "trial_started")
    ]
    assert [1, 2, 3, 4, 5] == [trial.number for trial in result.trials]
    assert ["pass"] * 5 == outcomes(result)
    assert (RunStatus.COMPLETED, Verdict.PASS) == (result.status, result.verdict)


def test_the_old_log_is_left_byte_for_byte(tmp_path: Path) -> None:
    """
    Not even a torn tail is cut; the new log names the old one by run, name and hash.
    """
    log = killed_run(tmp_path, ended=2, torn_bytes=20, loops="3")
    before, names = log.read_bytes(), set(log.parent.iterdir())

    result = resumed(log)

    assert before == log.read_bytes()
    assert not [name for name in names if not name.exists()]
    assert not list(log.parent.glob("*.broken"))
    assert [
        {
            "run_id": read_result(log).run_id,
            "log": log.name,
            "sha256": read_earlier(log).sha256,
        }
    ] == events(result)[0].fields["earlier"]


def test_a_trial_that_never_ended_is_run_again(tmp_path: Path) -> None:
    """
    Killed between its end and the line that tells it: unknown, and counted once.
    """
    settings = Settings.from_text(texts(tmp_path, loops="2"))
    log = cut_log(
        Path(run(settings, environ=ENVIRON).log), after="attempt_finished", count=2
    )
    assert ["pass", "unknown"] == outcomes(read_result(log))

    result = resumed(log)

    assert ["pass", "pass"] == outcomes(result)
    assert 2 == result.tally.planned


def test_invalid_trials_are_run_again_and_failed_ones_are_kept(tmp_path: Path) -> None:
    """
    What says something about the agent stays, whatever it says.
    """
    profile = "latency=0,pass-rate=0.7,rate-drop=0.3,seed=5"
    first = run_simulated(tmp_path, loops="12", max_attempts="1", simulator=profile)
    of = {str(trial.outcome): trial.number for trial in first.trials}
    assert {"pass", "fail", "invalid"} == set(of)

    result = resumed(Path(first.log), max_attempts="1")

    again = [one.fields["trial"] for one in named(result.log, "trial_started")]
    assert again == [one.number for one in first.trials if one.outcome == "invalid"]
    assert "fail" == outcomes(result)[of["fail"] - 1]
    assert 12 == len(result.trials) == result.tally.planned


def test_the_new_log_alone_tells_what_the_old_one_told(tmp_path: Path) -> None:
    """
    Answer, checks, attempts, cost, tokens and troubles of a kept trial are in it.
    """
    steps = scripted(tmp_path, {"status": 529, "retry_after_s": 0}, {"text": "Hello!"})
    log = killed_run(tmp_path, ended=1, loops="2", simulator=steps)
    old = read_result(log)

    result = resumed(log)
    log.unlink()

    (event,) = named(result.log, "trial_reused")
    assert KEPT_FIELDS == tuple(event.fields)
    was, trial = old.trials[0], result.trials[0]
    assert replace(was, reused_from=old.run_id) == trial
    assert (2, old.priced) == (event.fields["attempts"], event.fields["priced"])
    assert old.priced < old.attempts
    assert ["overloaded"] == event.fields["troubles"]
    assert "Hello!" == event.fields["answer"]
    assert old.usage.output_tokens == event.fields["usage"]["output_tokens"]


def test_an_answer_beside_the_log_comes_along(tmp_path: Path) -> None:
    """
    A text too long for a line is whole in the new log, without the old one's files.
    """
    long = "Hello " * 60_000
    steps = scripted(tmp_path, {"text": long})
    log = killed_run(tmp_path, ended=1, loops="2", simulator=steps)

    result = resumed(log)

    (trial,) = [one for one in read_earlier(Path(result.log)).trials() if one.trial < 2]
    assert long == trial.answer


def test_a_log_that_was_resumed_can_be_resumed(tmp_path: Path) -> None:
    """
    Who measured a trial stays known, and so do all logs before.
    """
    first = killed_run(tmp_path, ended=1, loops="4")
    second = Path(resumed(first).log)
    cut_log(second, after="trial_finished", count=1)
    origin = [read_result(log).run_id for log in (first, second)]

    result = resumed(second)

    reused = named(result.log, "trial_reused")
    assert [(origin[0], 1), (origin[1], 2)] == [
        (one.fields["from_run"], one.fields["from_trial"]) for one in reused
    ]
    earlier = events(result)[0].fields["earlier"]
    assert origin == [one["run_id"] for one in earlier]
    assert ["pass"] * 4 == outcomes(result)


def test_a_finished_log_resumes_to_nothing(tmp_path: Path) -> None:
    """
    No new log, the same verdict; not even the agent is looked for.
    """
    done = run_command(tmp_path, "echo Hello", loops="2")
    earlier = read_earlier(Path(done.log))
    settings = Settings.from_text(earlier.texts() | {"command": "no-such-program"})

    result = run(settings, environ={}, workspace=tmp_path, earlier=earlier)

    assert done == replace(result, trials=done.trials)
    assert list(done.trials) == list(result.trials)
    assert [Path(done.log)] == list(Path(done.log).parent.glob("*.jsonl"))


def test_a_killed_log_without_a_missing_trial_is_only_finished(tmp_path: Path) -> None:
    """
    It gets its verdict in a new log; no trial is started.
    """
    result = resumed(killed_run(tmp_path, ended=2, loops="2"))

    assert [] == named(result.log, "trial_started")
    assert (RunStatus.COMPLETED, Verdict.PASS) == (result.status, result.verdict)


def test_a_log_before_its_first_trial_is_begun_anew(tmp_path: Path) -> None:
    """
    Nothing is kept, everything is run.
    """
    result = resumed(killed_run(tmp_path, ended=0, loops="2"))

    assert 0 == result.reused
    assert ["pass", "pass"] == outcomes(result)


def test_how_a_run_goes_may_change(tmp_path: Path) -> None:
    """
    Speed, caps and place are no differences.
    """
    log = killed_run(tmp_path, ended=1)
    folder = tmp_path / "elsewhere"

    result = resumed(
        log,
        parallel="true",
        max_workers="2",
        max_attempts="2",
        max_minutes="5",
        output_dir=str(folder),
    )

    assert folder == Path(result.log).parent
    assert (folder / "results.json").exists()
    assert 0 == result.reused_changed


def test_a_cancelled_run_goes_on(tmp_path: Path) -> None:
    """
    What the cancel left behind is run.
    """
    script = "test -e go && echo Hello || { kill -INT $PPID; sleep 60; }"
    first = run_command(tmp_path, script, loops="3")
    assert RunStatus.CANCELLED is first.status
    assert signal.SIGINT == first.signal_number
    (tmp_path / "go").touch()

    result = resumed(Path(first.log), max_attempts="1")

    assert {Outcome.PASS} == {trial.outcome for trial in result.trials}
    assert RunStatus.COMPLETED is result.status
