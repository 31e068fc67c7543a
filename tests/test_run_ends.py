"""
How whole runs end: verdicts, exit codes, cancels and what cannot start.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from fakes.runs import (
    ENVIRON,
    events,
    outcomes,
    run_command,
    run_simulated,
    scripted,
    texts,
)

from reliability.checks.text import Regex
from reliability.choices import OnInconclusive
from reliability.engine.cancellation import Cancellation
from reliability.errors import AgentSetupError, JournalError, UsageError
from reliability.model import (
    RunStatus,
    Verdict,
)
from reliability.run import exit_code, run
from reliability.settings import Settings
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import Tally


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


@pytest.mark.usefixtures("without_waits")
def test_a_service_that_is_always_busy_is_invalid_and_exit_3(tmp_path: Path) -> None:
    """
    Trouble of the infrastructure is neither pass nor fail.
    """
    result = run_simulated(
        tmp_path, max_attempts="2", simulator=scripted(tmp_path, {"status": 529})
    )

    assert ["invalid"] * 3 == outcomes(result)
    assert Verdict.INVALID is result.verdict
    assert 3 == exit_code(result, OnInconclusive.FAIL)
    assert 6 == result.attempts
    assert "overloaded" == result.trials[0].kind


def test_a_wrong_key_stops_the_run_after_one_call(tmp_path: Path) -> None:
    """
    What no later trial can escape is asked for once.
    """
    result = run_simulated(
        tmp_path, loops="50", simulator=scripted(tmp_path, {"status": 401})
    )

    assert RunStatus.STOPPED is result.status
    assert 1 == result.attempts
    assert ["invalid"] == outcomes(result)
    assert 3 == exit_code(result, OnInconclusive.WARN)


def test_a_wrong_answer_fails_the_run_with_exit_1(tmp_path: Path) -> None:
    """
    The agent's own failure, asked once.
    """
    result = run_simulated(tmp_path, simulator="latency=0,pass-rate=0")

    assert ["fail"] * 3 == outcomes(result)
    assert 3 == result.attempts
    assert 1 == exit_code(result, OnInconclusive.WARN)


@pytest.mark.parametrize(("choice", "expected"), [("fail", 4), ("warn", 0)])
def test_a_few_missing_trials_are_inconclusive(
    choice: str, expected: int, tmp_path: Path
) -> None:
    """
    One of five cannot be measured, the rest pass; the user says if that fails.
    """
    steps: list[dict[str, Any]] = [{"status": 400}, *[{"text": "Hello"}] * 4]
    server = Profile(latency_s=0, script=tuple(Step(**step) for step in steps))
    with Simulator(server) as simulator:
        # Asked without the headers of a trial, as by the real API's clients.
        environ = {**ENVIRON, "ANTHROPIC_BASE_URL": simulator.base_url}
        settings = Settings.from_text(
            texts(tmp_path, backend="messages", model="m", loops="5", simulator="")
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("reliability.agents.messages.is_simulator", lambda _: False)
            result = run(
                settings,
                environ={**environ, "ANTHROPIC_API_KEY": "a-key-of-nobody"},
                workspace=tmp_path,
            )

    assert ["invalid", "pass", "pass", "pass", "pass"] == outcomes(result)
    assert Verdict.INCONCLUSIVE is result.verdict
    assert expected == exit_code(result, OnInconclusive(choice))


def test_a_run_that_its_deadline_cuts_off_is_inconclusive(tmp_path: Path) -> None:
    """
    However many trials it cut off; log and result say so in the same words.
    """
    script = "mkdir first && exec echo Hello; exec sleep 60"
    caps = {"max_minutes": "0.012", "max_workers": "5"}

    result = run_command(tmp_path, script, loops="5", parallel="true", **caps)
    last = events(result)[-1].fields

    assert (RunStatus.STOPPED, "max-minutes") == (result.status, result.stopped_by)
    assert result.tally.invalid == result.tally.cut > 0
    assert Verdict.INCONCLUSIVE is result.verdict
    assert (result.verdict, result.reason) == (last["verdict"], last["reason"])


def test_a_check_that_cannot_decide_makes_its_trial_invalid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A regular expression without end says nothing about the agent.
    """
    monkeypatch.setattr("reliability.suites.single.Regex", partial(Regex, timeout=0.2))
    step = {"text": "a" * 5000 + "!"}
    result = run_simulated(
        tmp_path,
        loops="1",
        expect="matches:(a+)+$",
        simulator=scripted(tmp_path, step),
    )

    assert ["invalid"] == outcomes(result)
    assert "check-error" == result.trials[0].kind
    assert step["text"][:2000] == result.trials[0].answer


def test_a_cancelled_run_leaves_everything_and_exits_as_signalled(
    tmp_path: Path,
) -> None:
    """
    The log is locked, reports are written, nothing is claimed.
    """
    cancellation = Cancellation()

    class CancelAfterTwo:
        """
        A display that cancels when two trials have ended.
        """

        def begin(self, *, simulated: bool) -> None:
            assert simulated

        def show(self, tally: Tally, **_: object) -> None:
            if tally.measured >= 2:
                cancellation.request(15)

        def close(self) -> None:
            """
            Do nothing.
            """

    result = run(
        Settings.from_text(
            texts(tmp_path, loops="1000", simulator="latency=0.06,pass-rate=1")
        ),
        environ=ENVIRON,
        workspace=tmp_path,
        display=CancelAfterTwo(),
        cancellation=cancellation,
    )

    assert RunStatus.CANCELLED is result.status
    assert Verdict.INVALID is result.verdict
    assert 143 == exit_code(result, OnInconclusive.WARN)
    assert result.log_sha256
    assert len(result.trials) < 10
    assert (tmp_path / "out/summary.md").is_file()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"backend": "command", "command": "no-such-program"}, AgentSetupError),
        ({"backend": "messages", "model": "m"}, AgentSetupError),
        ({"simulator": "sed=1"}, UsageError),
        ({"prices": "/nowhere.json"}, UsageError),
        ({"output-dir": "/dev/null/out"}, JournalError),
    ],
)
def test_what_cannot_start_leaves_no_log(
    given: dict[str, str], error: type[Exception], tmp_path: Path
) -> None:
    """
    An error before the first call is raised, and no thread or file is left.
    """
    options = texts(tmp_path, simulator="") | given
    before = threading.active_count()

    with pytest.raises(error):
        run(Settings.from_text(options), environ=ENVIRON, workspace=tmp_path)
    assert not (tmp_path / "out").exists()
    assert before == threading.active_count()
