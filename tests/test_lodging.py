"""
Trouble with a room costs its evidence, or an attempt that was not made: no reply.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from fakes.folders import rooms
from fakes.runs import ENVIRON, IN_PLACE, events, outcomes, run_command, texts

from reliability.clock import SystemClock
from reliability.engine.attempts import Attempts
from reliability.engine.scene import Scene
from reliability.engine.targets import Targets
from reliability.engine.tools import ToolError
from reliability.errors import JournalError
from reliability.kinds import ErrorKind
from reliability.model import Trial
from reliability.redact import Redactor
from reliability.settings import Settings
from reliability.suites.single import single_case

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.engine.task import Attempted

LIMIT_S = 10.0  # Of waits that end at once unless something is broken.
GONE = 'rm -rf "$(dirname "$HOME")"'
"""Removes the room that it runs in; our own rights are all that it needs."""


def test_an_answer_outlives_its_room(tmp_path: Path) -> None:
    """
    Where the room cannot be opened again, what was paid for is graded even so.
    """
    result = run_command(tmp_path, f"echo Hello; {GONE}", loops="1")

    assert ["pass"] == outcomes(result)
    assert "Hello" == result.trials[0].answer
    assert 1 == result.attempts


def test_an_answer_outlives_a_teardown_that_cannot_be_started(tmp_path: Path) -> None:
    """
    What is missing is told as evidence beside the answer.
    """
    result = run_command(tmp_path, f"echo Hello; {GONE}", loops="1", teardown="true")
    (attempt,) = [one for one in events(result) if one.event == "attempt_finished"]

    assert ["pass"] == outcomes(result)
    assert "No such file" in attempt.fields["evidence"]["teardown"]["end"]


def test_an_attempt_whose_room_is_gone_is_not_made_and_tried_again(
    tmp_path: Path,
) -> None:
    """
    The agent is not started, and the trial is invalid for a reason that says why.
    """
    result = run_command(
        tmp_path,
        "echo Hello | tee asked",
        loops="1",
        max_attempts="2",
        setup=f"sh -c '{GONE}'",
    )
    (trial,) = result.trials

    assert ("invalid", "setup-failed", 2) == (trial.outcome, trial.kind, trial.attempts)
    assert "no room for the attempt" in trial.reason
    assert not (tmp_path / "asked").exists()


def test_agents_end_before_their_rooms_do(tmp_path: Path) -> None:
    """
    Whatever ends the run, such as a log that is full, ends the agents at work first.
    """
    script = "touch started; sleep 60"
    given = {"backend": "command", "command": f"sh -c '{script}'", "simulator": ""}
    settings = Settings.from_text(texts(tmp_path, **IN_PLACE | given))
    suite = single_case(settings)
    scene = Scene(
        environ=ENVIRON,
        workspace=tmp_path,
        redactor=Redactor([]),
        clock=SystemClock(),
    )
    targets = Targets(suite, scene)
    came: list[Attempted] = []

    def ask(attempts: Attempts) -> None:
        """
        Make one attempt, which would take a minute.
        """
        trial = Trial(number=1, case=suite.cases[0].name, loop=1)
        came.append(attempts.ask(trial, 1))

    with (
        suppress(JournalError),
        Attempts(suite, targets, "r1", scene) as attempts,
    ):
        worker = threading.Thread(target=ask, args=(attempts,))
        worker.start()
        limit_s = time.monotonic() + LIMIT_S
        while not (tmp_path / "started").exists() and time.monotonic() < limit_s:
            time.sleep(0.01)
        raise JournalError("The log is full.")
    worker.join(LIMIT_S)
    targets.close()
    (attempted,) = came

    assert attempted.reply.trouble is not None
    assert ErrorKind.CANCELLED is attempted.reply.trouble.kind


def test_there_is_no_room_after_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever comes too late leaves no folder behind.
    """
    (tmp_path / "project").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with rooms(tmp_path / "project") as opened:
        pass
    with pytest.raises(ToolError), opened.open_room():
        pass

    assert [] == list((tmp_path / "temporary").iterdir())
