"""
Whole runs for tests: the simulator without latency, a folder of the test's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reliability
from reliability.agents.base import Call, Room
from reliability.journal import read_events
from reliability.model import Trial
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.journal import Event
    from reliability.run_result import RunResult

ROOT = Path(reliability.__file__).parents[1]
PATH = "/usr/local/bin:/usr/bin:/bin"
ENVIRON = {"PATH": PATH}
IN_PLACE = {"backend": "command", "run-as": "root", "isolation": "none"}
"""A program in the folder at hand, with all the rights that we have."""


def texts(folder: Path, **given: str) -> dict[str, str]:
    """
    Return options as a surface gives them; *given* replace or add to the usual ones.
    """
    usual = {
        "agent": "greeter",
        "backend": "simulated",
        "loops": "3",
        "delay": "0",
        "expect": "Hello",
        "output-dir": str(folder / "out"),
        "simulator": "latency=0,pass-rate=1",
    }
    return usual | {name.replace("_", "-"): text for name, text in given.items()}


def run_simulated(folder: Path, **given: str) -> RunResult:
    """
    Run on the simulator and return the result.
    """
    settings = Settings.from_text(texts(folder, **given))
    return run(settings, environ=ENVIRON, workspace=folder)


def run_command(folder: Path, script: str, **given: str) -> RunResult:
    """
    Run a shell script as the agent and return the result.

    It works in *folder* itself and as we do, unless *given* says otherwise: what is
    tested with it is seldom where it works.
    """
    options = {**IN_PLACE, "command": "sh agent.sh", "simulator": ""} | given
    (folder / "agent.sh").write_text(script, encoding="utf-8", errors="surrogateescape")
    return run_simulated(folder, **options)


def scripted(folder: Path, *steps: dict[str, Any]) -> str:
    """
    Return a simulator profile that plays *steps*.
    """
    path = folder / "script.json"
    path.write_text(json.dumps(steps), encoding="utf-8")
    return f"latency=0,script={path}"


def events(result: RunResult) -> list[Event]:
    """
    Return the events of a run's log.
    """
    return list(read_events(Path(result.log)))


def outcomes(result: RunResult) -> list[str]:
    """
    Return the outcome of each trial, in order.
    """
    return [str(trial.outcome) for trial in result.trials]


def a_room(home: Path, workspace: Path | None = None) -> Room:
    """
    Return a room for processes that run as we do; they work in it, or elsewhere.
    """
    home.mkdir(exist_ok=True)
    return Room(home=home, workspace=workspace or home)


def a_call(
    number: int = 1, *, attempt: int = 1, room: Room | None = None, **changes: Any
) -> Call:
    """
    Return one attempt to make.
    """
    usual: dict[str, Any] = {
        "trial": Trial(number=number, case="prompt", loop=number),
        "attempt": attempt,
        "prompt": "Say hello.",
        "timeout_s": 20.0,
        "cookie": f"test-{number}-{attempt}",
        "room": room,
    }
    return Call(**usual | changes)


def command_line(
    *words: object,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    stdout: int | None = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """
    Run the command `reliability` in a process of its own.
    """
    return subprocess.run(
        python("-m", "reliability", *words),
        env={**own_environ(), **(environ or {})},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )


def python(*words: object) -> Sequence[str]:
    """
    Return how to start this Python.
    """
    return [sys.executable, *map(str, words)]


def own_environ() -> dict[str, str]:
    """
    Return an environment that has the package and no option of ours.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RELIABILITY_", "ANTHROPIC_", "GITHUB_", "INPUT_"))
        and name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    }
    return kept | {"PYTHONPATH": str(ROOT)}
