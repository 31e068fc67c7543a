"""
`resume` and `merge` as processes of their own: output, exit codes, refusals.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.continued import cut_log, killed_run, moved, named
from fakes.runs import command_line, run_simulated

from reliability.cli.again import resume
from reliability.clock import SystemClock
from reliability.journal import Journal
from reliability.options import OPTIONS
from reliability.options.shape import RUN_SHAPE

if TYPE_CHECKING:
    from subprocess import CompletedProcess


def logs_in(folder: Path) -> set[Path]:
    """
    Return the logs of a test's runs.
    """
    return set((folder / "out").glob("*.jsonl"))


def resume_line(log: Path, *words: object, **more: str) -> CompletedProcess[str]:
    """
    Run `reliability resume` beside the log's folder.
    """
    return command_line("resume", log, *words, folder=log.parents[1], environ=more)


def test_a_killed_run_is_finished(tmp_path: Path) -> None:
    """
    Verdict, files and exit code are as of a run; a new log says what it took over.
    """
    log = killed_run(tmp_path, ended=2, loops="4", torn_bytes=9)

    done = resume_line(log)

    assert 0 == done.returncode, done.stderr
    assert "All 4 trials passed" in done.stdout
    assert "2 of the trials" in done.stdout
    (new,) = logs_in(tmp_path) - {log}
    assert new.name in done.stdout
    assert 2 == len(named(new, "trial_reused"))


def test_a_failed_trial_of_the_old_log_fails_the_new_run(tmp_path: Path) -> None:
    """
    Exit code 1, though nothing failed now.
    """
    log = killed_run(tmp_path, ended=1, simulator="latency=0,pass-rate=0")

    assert 1 == resume_line(log, "--quiet").returncode


@pytest.mark.parametrize(("rate", "code"), [("1", 0), ("0", 1)])
def test_a_finished_run_has_its_verdict_shown_again(
    rate: str, code: int, tmp_path: Path
) -> None:
    """
    The same exit code, no new log, and a word that nothing was run.
    """
    log = Path(run_simulated(tmp_path, simulator=f"latency=0,pass-rate={rate}").log)

    done = resume_line(log)

    assert code == done.returncode
    assert "of 3 measured" in done.stdout
    assert f"Nothing is missing in {log}" in done.stderr
    assert {log} == logs_in(tmp_path)


def test_flags_and_variables_of_the_runs_shape_replace_the_logs(tmp_path: Path) -> None:
    """
    The flag before the variable, the variable before the log.
    """
    log = killed_run(tmp_path, ended=1, parallel="true")

    done = resume_line(
        log,
        *("--no-parallel", "--json", "--delay", "0.001"),
        RELIABILITY_DELAY="9",
        RELIABILITY_MAX_ATTEMPTS="2",
        RELIABILITY_LOOPS="77",
    )

    options = json.loads(done.stdout)["options"]
    assert (False, 0.001, 2, 3) == tuple(
        options[name] for name in ("parallel", "delay", "max_attempts", "loops")
    )


def test_a_cap_can_be_taken_away(tmp_path: Path) -> None:
    """
    An empty value is the option's default.
    """
    log = killed_run(tmp_path, ended=1, max_minutes="5")

    done = resume_line(log, "--max-minutes", "", "--json")

    assert json.loads(done.stdout)["options"]["max_minutes"] is None


def test_wrong_flags_are_named_before_any_call(tmp_path: Path) -> None:
    """
    Exit code 2, no new log.
    """
    log = killed_run(tmp_path, ended=1)

    done = resume_line(log, "--max-attempts", "0")

    assert 2 == done.returncode
    assert "--max-attempts is '0'" in done.stderr
    assert {log} == logs_in(tmp_path)


def test_there_is_no_flag_for_what_is_measured() -> None:
    """
    Those options come from the log.
    """
    fields = {option.field for option in OPTIONS if option.name in RUN_SHAPE}

    assert fields | {"log", "allow_changed"} == {one.name for one in resume.params}


def test_a_changed_prompt_file_is_refused_until_that_is_allowed(tmp_path: Path) -> None:
    """
    Exit code 2 with the difference; then every report says what was taken over.
    """
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Say hello.", encoding="utf-8")
    log = killed_run(tmp_path, ended=2, prompt_file=str(prompt))
    prompt.write_text("Say hallo.", encoding="utf-8")
    said = "prompt: was 'Say hello.', is 'Say hallo.'."

    refused = resume_line(log)
    allowed = resume_line(log, "--allow-changed")

    assert (2, "") == (refused.returncode, refused.stdout)
    assert said in refused.stderr
    assert 0 == allowed.returncode, allowed.stderr
    (new,) = logs_in(tmp_path) - {log}
    out = tmp_path / "out"
    readable = new.with_suffix(".log").read_text(encoding="utf-8")
    assert 2 == readable.count("measured under other conditions")
    for name in ("results.json", "summary.md", "report.html"):
        text = (out / name).read_text(encoding="utf-8")
        assert "Say hallo." in text, name
    assert "2 of them under other conditions" in allowed.stdout


def test_a_log_in_use_is_refused_with_its_writer(tmp_path: Path) -> None:
    """
    Exit code 3, by pid.
    """
    log = killed_run(tmp_path, ended=1)
    with Journal.reopen(log, clock=SystemClock(), redact=lambda value: value):
        done = resume_line(log)

    assert 3 == done.returncode
    assert "is in use by pid" in done.stderr


def test_shards_are_merged_in_a_new_log(tmp_path: Path) -> None:
    """
    Verdict and files of all; the logs that it is made of are left alone.
    """
    logs = [
        moved(run_simulated(tmp_path, loops="2").log, tmp_path / name)
        for name in ("one", "two")
    ]

    done = command_line("merge", *logs, "--output-dir", "all", folder=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert "All 4 trials passed" in done.stdout
    assert 1 == len(list((tmp_path / "all").glob("*.jsonl")))
    quiet = command_line("merge", *logs, "--quiet", folder=tmp_path)
    assert 1 == len(quiet.stdout.splitlines())
    assert (tmp_path / "reliability-results/results.json").exists()


def test_merging_tells_what_a_run_would(tmp_path: Path) -> None:
    """
    1 when a trial failed, 2 when logs differ or none is given, 3 when one is no log.
    """
    good = run_simulated(tmp_path / "good").log
    bad = run_simulated(tmp_path / "bad", simulator="latency=0,pass-rate=0").log
    part = cut_log(Path(run_simulated(tmp_path / "part").log), after="run_started")
    (tmp_path / "none.jsonl").write_text("no log\n", encoding="utf-8")
    for words, code in (
        ([bad, "--json"], 1),
        ([good, bad], 2),
        ([good, bad, "--allow-changed", "--quiet"], 1),
        ([], 2),
        ([good, part], 3),
        (["none.jsonl"], 3),
    ):
        done = command_line("merge", *words, folder=tmp_path)

        assert code == done.returncode, (words, done.stderr)
