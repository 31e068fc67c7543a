"""
docs/errors.md says what the code does, and every kind of trouble can be brought about.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from fakes.claude_ends import judged
from fakes.runs import (
    ENVIRON,
    ROOT,
    outcomes,
    run_command,
    run_simulated,
    scripted,
    texts,
)
from fakes.troubles import ENDS, SCRIPTS, SERVED

from reliability.checks.text import Contains, Regex
from reliability.engine.cancellation import Cancellation
from reliability.engine.grading import outcome_of
from reliability.engine.task import Attempted
from reliability.kinds import KIND_RULES, ErrorKind, KindRule
from reliability.model import Reply, RunStatus
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

DOC = ROOT / "docs" / "errors.md"
COLUMNS = 8
# Each has a test of its own below.
OTHERS = {
    ErrorKind.MISSING_PROGRAM,
    ErrorKind.CHECK_ERROR,
    ErrorKind.INTERNAL,
    ErrorKind.CANCELLED,
    ErrorKind.DEADLINE,
}


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Make every wait between attempts that the service did not ask for nothing.
    """
    for name in ("_after_other_trouble", "_after_rate_limit"):
        monkeypatch.setattr(f"reliability.engine.retry.{name}", lambda _state: 0.0)


def rows() -> list[list[str]]:
    """
    Return the cells of each row of the table.
    """
    lines = DOC.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def row_of(kind: ErrorKind, rule: KindRule) -> list[str]:
    """
    Return what the table has to say of a kind: its name and what follows.
    """
    outcome = "invalid" if rule.infrastructure else "fail"
    return [kind, outcome, *("yes" if it else "no" for it in (rule.retry, rule.fatal))]


def test_the_table_says_what_the_code_does() -> None:
    """
    No kind is missing, none is extra, and each row tells its rule; in one order.
    """
    head, *found = rows()

    assert ["kind", "outcome if it stays", "another attempt", "stops the run"] == [
        head[0],
        *head[-3:],
    ]
    assert [row_of(kind, KIND_RULES[kind]) for kind in ErrorKind] == [
        [row[0], *row[-3:]] for row in found
    ]


def test_every_row_says_how_its_kind_is_recognised() -> None:
    """
    By at least one backend, and with a meaning; a dash is for the others.
    """
    for row in rows():
        assert COLUMNS == len(row)
        assert all(row)
        assert any(cell != "-" for cell in row[2:5])


def test_a_rule_does_not_contradict_itself() -> None:
    """
    The agent's own doing is never tried again, and what stops the run is not either.
    """
    for rule in KIND_RULES.values():
        assert rule.infrastructure or not (rule.retry or rule.fatal)
        assert not (rule.retry and rule.fatal)


def test_every_kind_is_brought_about_here() -> None:
    """
    A new kind needs a way to provoke it.
    """
    provoked = {each[0] for each in (*SERVED, *SCRIPTS, *ENDS)} | OTHERS

    assert set(ErrorKind) == provoked


def assert_ended(ended: RunResult, kind: ErrorKind) -> None:
    """
    Check that trials of at most two attempts ended as the kind's rule says.
    """
    rule = KIND_RULES[kind]
    first = ended.trials[0]
    outcome = "invalid" if rule.infrastructure else "fail"

    assert kind == first.kind, first.reason
    assert [outcome] * (1 if rule.fatal else ended.tally.planned) == outcomes(ended)
    assert (2 if rule.retry else 1) == first.attempts
    assert (RunStatus.STOPPED if rule.fatal else RunStatus.COMPLETED) is ended.status


@pytest.mark.parametrize(("kind", "step", "given"), SERVED)
def test_what_a_service_does_has_its_kind(
    kind: ErrorKind, step: dict[str, Any], given: dict[str, str], tmp_path: Path
) -> None:
    """
    Outcome, attempts and the run's end follow from what the service did.
    """
    served = scripted(tmp_path, step)
    options = {"loops": "2", "max_attempts": "2"} | given

    assert_ended(run_simulated(tmp_path, simulator=served, **options), kind)


@pytest.mark.parametrize(("kind", "script", "given"), SCRIPTS)
def test_what_a_program_does_has_its_kind(
    kind: ErrorKind, script: str, given: dict[str, str], tmp_path: Path
) -> None:
    """
    Outcome, attempts and the run's end follow from how the program ended.
    """
    options = {"loops": "2", "max_attempts": "2"} | given

    assert_ended(run_command(tmp_path, script, **options), kind)


@pytest.mark.parametrize(("kind", "events", "end"), ENDS)
def test_what_the_cli_prints_has_its_kind(
    kind: ErrorKind, events: list[dict[str, Any]], end: dict[str, Any]
) -> None:
    """
    The outcome follows from its events and from how it ended.
    """
    trouble = judged(*events, **end)

    assert trouble is not None
    assert kind is trouble.kind
    outcome, reason = outcome_of(Attempted(Reply(trouble=trouble)))
    assert ("invalid" if KIND_RULES[kind].infrastructure else "fail") == outcome
    assert trouble.text == reason


def test_a_program_that_removes_itself_stops_the_run(tmp_path: Path) -> None:
    """
    The first trial has its answer; the second finds nothing, and there is no third.
    """
    program = tmp_path / "agent"
    program.write_text('#!/bin/sh\nrm "$0"\necho Hello\n', encoding="utf-8")
    program.chmod(0o755)
    ended = run_command(tmp_path, "", command="./agent")

    assert ["pass", "invalid"] == outcomes(ended)
    assert ErrorKind.MISSING_PROGRAM == ended.trials[1].kind
    assert RunStatus.STOPPED is ended.status


def test_a_check_without_end_is_a_check_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The answer came, so asking again would not help.
    """
    monkeypatch.setattr("reliability.suites.single.Regex", partial(Regex, timeout=0.1))
    served = scripted(tmp_path, {"text": "a" * 5000 + "!"})
    ended = run_simulated(
        tmp_path,
        simulator=served,
        expect="matches:(a+)+$",
        loops="2",
        max_attempts="2",
    )

    assert_ended(ended, ErrorKind.CHECK_ERROR)


def test_an_error_of_our_own_is_internal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is named for what it is, and no trial is blamed.
    """

    def fail(*_: object) -> None:
        """
        Fail as nothing of ours should.
        """
        raise RuntimeError("ours")

    monkeypatch.setattr("reliability.engine.attempts.grade_reply", fail)
    ended = run_simulated(tmp_path, loops="2", max_attempts="2")

    assert_ended(ended, ErrorKind.INTERNAL)
    assert "RuntimeError: ours" == ended.trials[0].reason


def test_a_check_that_breaks_is_a_check_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The trial is invalid, the reason names the check, and the run goes on.
    """

    def fail(*_: object) -> None:
        """
        Fail as no check should.
        """
        raise RuntimeError("a bug")

    monkeypatch.setattr(Contains, "grade", fail)
    ended = run_simulated(tmp_path, loops="2", max_attempts="2")

    assert_ended(ended, ErrorKind.CHECK_ERROR)
    assert (
        "the check contains:Hello broke: RuntimeError: a bug" == ended.trials[0].reason
    )


def test_a_cancel_is_nobodys_failure(tmp_path: Path) -> None:
    """
    What was under way is invalid, and the run says that it was cancelled.
    """
    cancellation = Cancellation()

    class CancelAtOnce:
        """
        A display that cancels as soon as there is anything to show.
        """

        def begin(self, **_: object) -> None:
            """
            Do nothing.
            """

        def show(self, *_: object, **__: object) -> None:
            """
            Cancel.
            """
            cancellation.request(15)

        close = begin

    ended = run(
        Settings.from_text(texts(tmp_path, simulator="latency=3600")),
        environ=ENVIRON,
        workspace=tmp_path,
        display=CancelAtOnce(),
        cancellation=cancellation,
    )

    assert RunStatus.CANCELLED is ended.status
    assert {"invalid"} == set(outcomes(ended))
    assert {ErrorKind.CANCELLED} == {trial.kind for trial in ended.trials}


def test_the_end_of_the_time_is_nobodys_failure(tmp_path: Path) -> None:
    """
    What is under way at `max-minutes` is invalid and not tried again.
    """
    ended = run_command(tmp_path, "sleep 60", max_minutes="0.005", loops="2")

    assert (["invalid"], 1) == (outcomes(ended), ended.attempts)
    assert ErrorKind.DEADLINE == ended.trials[0].kind
    assert RunStatus.STOPPED is ended.status
