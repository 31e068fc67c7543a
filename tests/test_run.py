"""
Whole runs, from settings to files, on the simulator.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.runs import (
    ENVIRON,
    events,
    outcomes,
    run_command,
    run_simulated,
    texts,
)

from reliability.journal import examine
from reliability.kinds import ErrorKind
from reliability.model import RunStatus, Verdict
from reliability.report import REPORT_NAMES, report_paths
from reliability.results import read_result
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.run_result import RunResult

FLAKY = "latency=0,pass-rate=0.8,rate-529=0.05,rate-500=0.05,rate-drop=0.05,seed=5"


def by_trial(result: RunResult) -> dict[int, tuple[str, str, str]]:
    """
    Return what became of each trial.
    """
    return {
        trial.number: (str(trial.outcome), trial.kind, trial.answer)
        for trial in result.trials
    }


@pytest.fixture
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Make every wait between attempts that the service did not ask for nothing.
    """
    monkeypatch.setattr(
        "reliability.engine.retry._after_other_trouble", lambda _state: 0.0
    )
    monkeypatch.setattr(
        "reliability.engine.retry._after_rate_limit", lambda _state: 0.0
    )


def test_a_run_leaves_a_locked_log_and_every_report(tmp_path: Path) -> None:
    """
    The log is whole, its SHA-256 is the one that is named, and every file is there.
    """
    result = run_simulated(tmp_path)
    log = Path(result.log)
    examination = examine(log)
    paths = report_paths(result, tmp_path / "out")

    assert examination.ok
    assert examination.locked
    assert hashlib.sha256(log.read_bytes()).hexdigest() == result.log_sha256
    assert {"log", "digest", "readable", *REPORT_NAMES} == set(paths)
    assert sorted(paths.values()) == sorted((tmp_path / "out").iterdir())
    assert Verdict.PASS is result.verdict
    assert RunStatus.COMPLETED is result.status


def test_the_log_tells_the_run_in_order(tmp_path: Path) -> None:
    """
    Start, then each trial's start, attempts and end, then the end with its verdict.
    """
    first, *middle, last = events(run_simulated(tmp_path, loops="2"))

    assert "run_started" == first.event
    assert ["trial_started", "attempt_finished", "trial_finished"] * 2 == [
        one.event for one in middle
    ]
    assert [1, 1, 1, 2, 2, 2] == [one.fields["trial"] for one in middle]
    assert ("run_finished", "pass", "completed") == (
        last.event,
        last.fields["verdict"],
        last.fields["status"],
    )
    assert list(range(1, 9)) == [one.seq for one in [first, *middle, last]]


def test_every_part_of_the_output_says_simulated(tmp_path: Path) -> None:
    """
    No file of a simulated run can be taken for one of a real agent.
    """
    result = run_simulated(tmp_path)

    for path in report_paths(result, tmp_path / "out").values():
        if path.suffix != ".sha256":
            assert "simulated" in path.read_text(encoding="utf-8").lower(), path.name


def test_two_runs_in_one_folder_have_two_logs(tmp_path: Path) -> None:
    """
    No log is ever written over.
    """
    first, second = run_simulated(tmp_path), run_simulated(tmp_path)

    assert first.log != second.log
    assert examine(Path(first.log)).ok
    assert first.run_id != second.run_id


@pytest.mark.usefixtures("without_waits")
def test_sequential_and_parallel_runs_have_the_same_outcomes(tmp_path: Path) -> None:
    """
    With one seed, 200 trials end alike, trial by trial, with one worker and with 50.
    """
    options = {"loops": "200", "simulator": FLAKY, "max_attempts": "20"}
    one = run_simulated(tmp_path / "one", **options)
    many = run_simulated(
        tmp_path / "many", parallel="true", max_workers="50", **options
    )

    assert by_trial(one) == by_trial(many)
    assert {"pass", "fail"} <= set(outcomes(one))
    assert one.tally == many.tally
    # Not the troubles: a drop on a connection that was used before is asked again by
    # the HTTP client itself, and which connection that is, is chance.
    assert {"network", "overloaded", "server-error"} == set(one.troubles)
    assert examine(Path(many.log)).ok


@pytest.mark.parametrize(
    "word", ["simulated", "completed", "trial_started", "greeter!"]
)
def test_a_key_that_is_a_word_of_ours_does_not_break_the_log(
    word: str, tmp_path: Path
) -> None:
    """
    Secrets are taken out of what is said, not out of the names of fields.
    """
    settings = Settings.from_text(texts(tmp_path, agent="greeter!"))
    environ = {**ENVIRON, "ANTHROPIC_API_KEY": word}

    result = run(settings, environ=environ, workspace=tmp_path)

    assert ["pass"] * 3 == outcomes(result)
    assert ("[redacted]" if word == "greeter!" else "greeter!") == result.agent


def test_no_secret_reaches_any_file(tmp_path: Path) -> None:
    """
    Neither in an answer, nor in a prompt, nor in an error.
    """
    secret = "hush-hush-hush-hush"
    (tmp_path / "agent.sh").write_text(
        f"cat; echo Hello {secret}; echo {secret} >&2; exit 1", encoding="utf-8"
    )
    options = texts(tmp_path, backend="command", command="sh agent.sh", simulator="")
    settings = Settings.from_text(options | {"prompt": f"Use {secret}."})

    run(settings, environ={**ENVIRON, "MY_TOKEN": secret}, workspace=tmp_path)

    for path in (tmp_path / "out").iterdir():
        assert secret not in path.read_text(encoding="utf-8"), path.name


def test_outcomes_come_from_the_log_alone(tmp_path: Path) -> None:
    """
    The verdict that ends the log is the one that is computed from it.
    """
    (tmp_path / "x").mkdir()
    failing = run_command(tmp_path / "x", "echo No")
    for result in (run_simulated(tmp_path), failing):
        last = events(result)[-1].fields

        assert (result.verdict, result.reason) == (last["verdict"], last["reason"])
        assert result == read_result(Path(result.log))
        assert last["counts"]["passed"] == result.tally.passed


def test_every_kind_of_trouble_is_in_the_published_schema() -> None:
    """
    A kind that the code knows and the schema does not would make results invalid.
    """
    kinds = {"", *ErrorKind}
    schema = json.loads(
        (Path(__file__).parent.parent / "schema" / "results.schema.json").read_text()
    )
    found = [set(values) for values in _enums(schema) if "rate-limit" in values]

    assert found
    assert all(values - {""} == kinds - {""} for values in found)


def _enums(node: object) -> Iterator[list[str]]:
    """
    Yield every `enum` below *node*.
    """
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield node["enum"]
        for value in node.values():
            yield from _enums(value)
    elif isinstance(node, list):
        for value in node:
            yield from _enums(value)
