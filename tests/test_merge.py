"""
Logs of one plan become one: each trial counts once, and nothing is made up.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.continued import cut_log, killed_run, moved, named, resumed
from fakes.runs import ENVIRON, events, outcomes, run_simulated

from reliability.earlier import read_earlier
from reliability.errors import UsageError
from reliability.journal import examine
from reliability.merge import merge
from reliability.model import RunStatus, Verdict
from reliability.results import read_result


def shard(folder: Path, name: str, **given: str) -> Path:
    """
    Return the log of a run in a folder of its own.
    """
    return moved(run_simulated(folder, **given).log, folder / name)


def test_shards_add_up(tmp_path: Path) -> None:
    """
    Planned, measured and loops are those of all; the new log is locked and reported.
    """
    logs = [shard(tmp_path, str(loops), loops=str(loops)) for loops in (2, 3, 4)]
    before = [log.read_bytes() for log in logs]
    out = tmp_path / "merged"

    result = merge(logs, out, environ=ENVIRON)

    assert (9, 9) == (result.tally.planned, result.tally.passed)
    assert list(range(1, 10)) == [trial.loop for trial in result.trials]
    assert list(range(1, 10)) == [trial.number for trial in result.trials]
    assert (RunStatus.COMPLETED, Verdict.PASS) == (result.status, result.verdict)
    assert before == [log.read_bytes() for log in logs]
    assert examine(Path(result.log)).locked
    assert (out / "results.json").exists()
    assert 9 == result.options["loops"]


def test_each_trial_says_where_it_was_measured(tmp_path: Path) -> None:
    """
    By run and number, and the log names all logs that it is made of.
    """
    logs = [shard(tmp_path, str(number), loops="2") for number in (1, 2)]
    runs = [read_result(log).run_id for log in logs]

    result = merge(logs, tmp_path / "merged", environ=ENVIRON)

    assert [(runs[0], 1), (runs[0], 2), (runs[1], 1), (runs[1], 2)] == [
        (event.fields["from_run"], event.fields["from_trial"])
        for event in named(result.log, "trial_reused")
    ]
    assert runs == [one["run_id"] for one in events(result)[0].fields["earlier"]]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_killed_log_and_its_resume_count_each_trial_once(
    order: tuple[int, int], tmp_path: Path
) -> None:
    """
    One plan, whatever the order; the killed run's end is not held against the whole.
    """
    first = killed_run(tmp_path, ended=2, loops="5")
    logs = [first, Path(resumed(first).log)]

    result = merge([logs[at] for at in order], tmp_path / "merged", environ=ENVIRON)

    assert ["pass"] * 5 == outcomes(result)
    assert (5, RunStatus.COMPLETED) == (result.tally.planned, result.status)
    assert [(number, number) for number in range(1, 6)] == [
        (event.fields["trial"], event.fields["loop"])
        for event in named(result.log, "trial_reused")
    ]
    (end,) = named(result.log, "run_finished")
    assert 5 == end.fields["counts"]["passed"]


def test_a_measured_trial_wins_over_its_invalid_forerunner(tmp_path: Path) -> None:
    """
    The resume ran it again; nothing of the plan is missing then.
    """
    profile = "latency=0,pass-rate=1,rate-drop=0.4,seed=3"
    first = run_simulated(tmp_path, loops="6", max_attempts="1", simulator=profile)
    assert first.tally.invalid
    second = resumed(Path(first.log), max_attempts="9")

    result = merge(
        [Path(first.log), Path(second.log)], tmp_path / "merged", environ=ENVIRON
    )

    assert ["pass"] * 6 == outcomes(result)


def test_two_resumes_of_one_log_share_what_they_took_over(tmp_path: Path) -> None:
    """
    What both have counts once; what each has measured itself counts too.
    """
    first = killed_run(tmp_path, ended=2, loops="5")
    logs = [Path(resumed(first).log) for _ in range(2)]

    result = merge(logs, tmp_path / "merged", environ=ENVIRON)

    assert ["pass"] * 8 == outcomes(result)
    assert 8 == result.tally.planned


def test_a_copy_that_was_gone_on_with_beside_the_log_adds_its_own(
    tmp_path: Path,
) -> None:
    """
    A trial of the plan that was measured twice is two measurements.
    """
    first = shard(tmp_path, "first", loops="3")
    copy = tmp_path / "copy" / first.name
    copy.parent.mkdir()
    copy.write_bytes(first.read_bytes())
    second = Path(resumed(cut_log(copy, after="trial_finished", count=2)).log)

    result = merge([first, second], tmp_path / "merged", environ=ENVIRON)

    assert 4 == result.tally.planned == result.tally.passed


def test_what_a_shard_did_not_run_is_missing_from_the_whole(tmp_path: Path) -> None:
    """
    A shard that was killed leaves the verdict open, and its missing trials counted.
    """
    whole = shard(tmp_path, "whole", loops="3")
    killed = killed_run(tmp_path, ended=1, loops="3")

    result = merge([whole, killed], tmp_path / "merged", environ=ENVIRON)

    assert (6, 4, 2) == (
        result.tally.planned,
        result.tally.passed,
        result.tally.not_run,
    )
    assert (RunStatus.STARTED, Verdict.INVALID) == (result.status, result.verdict)
    assert result.log_sha256
    summary = (tmp_path / "merged/summary.md").read_text(encoding="utf-8")
    assert "One of the logs that were merged has no end" in summary


def test_a_merged_log_can_be_resumed_and_merged_again(tmp_path: Path) -> None:
    """
    What is missing in it is run; merged with a part of it, nothing counts twice.
    """
    whole = shard(tmp_path, "whole", loops="3")
    killed = killed_run(tmp_path, ended=1, loops="3")
    merged = Path(merge([whole, killed], tmp_path / "m", environ=ENVIRON).log)

    result = resumed(merged)
    again = merge([whole, Path(result.log)], tmp_path / "again", environ=ENVIRON)

    assert [5, 6] == [one.fields["trial"] for one in named(result.log, "trial_started")]
    assert ["pass"] * 6 == outcomes(result) == outcomes(again)


def test_the_same_log_given_twice_is_one(tmp_path: Path) -> None:
    """
    And two different logs of one run are refused.
    """
    log = shard(tmp_path, "one", loops="2")
    copy = tmp_path / "copy" / log.name
    copy.parent.mkdir()
    copy.write_bytes(log.read_bytes())

    result = merge([log, copy], tmp_path / "merged", environ=ENVIRON)

    assert 2 == result.tally.planned == result.tally.passed
    cut_log(copy, after="trial_finished", count=1)
    with pytest.raises(UsageError, match="two logs of run"):
        merge([log, copy], tmp_path / "merged", environ=ENVIRON)


def test_logs_that_differ_are_refused_or_labelled(tmp_path: Path) -> None:
    """
    Before anything is written, with log and sentence; the first log sets the measure.
    """
    one = shard(tmp_path, "one", loops="2")
    other = shard(tmp_path, "other", loops="2", timeout="9")
    out = tmp_path / "merged"
    said = "timeout: was 9.0, is 300.0."
    with pytest.raises(UsageError, match=f"{other.name} was measured otherwise"):
        merge([one, other], out, environ=ENVIRON)
    assert not out.exists()

    result = merge([one, other], out, allow_changed=True, environ=ENVIRON)

    assert [False, False, True, True] == [trial.changed for trial in result.trials]
    assert (f"{other.name}: {said}",) == result.changed
    again = read_earlier(Path(result.log))
    assert [False, False, True, True] == [one.changed for one in again.trials()]


def test_a_failure_in_any_shard_decides(tmp_path: Path) -> None:
    """
    As it would have in one run.
    """
    good = shard(tmp_path, "good", loops="3")
    bad = shard(tmp_path, "bad", loops="3", simulator="latency=0,pass-rate=0")

    result = merge([good, bad], tmp_path / "m", allow_changed=True, environ=ENVIRON)

    assert (3, 3, Verdict.FAIL) == (
        result.tally.passed,
        result.tally.failed,
        result.verdict,
    )
