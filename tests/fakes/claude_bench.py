"""
A bench for the real Claude Code CLI: a workspace, a simulator, a closed environment.

Nothing of this machine's own environment or home reaches the CLI from here.
"""

from __future__ import annotations

import shlex
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.recording_relay import RecordingRelay

from reliability.journal import examine, read_events
from reliability.run import run
from reliability.settings import Settings
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reliability.engine.cancellation import Cancellation
    from reliability.run_result import RunResult, TrialResult
    from reliability.simulator.script import Step
    from reliability.simulator.tally import Stats

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
MODEL = "claude-simulated-1"
AGENT_FILE = """---
name: greet
description: Greets people
tools: Read, Grep
model: claude-of-the-file-1
---
You are the greeter of this test.
"""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """
    What one run left: its result, its log's events and what the simulator counted.
    """

    result: RunResult
    events: list[dict[str, Any]]
    stats: Stats
    relay: RecordingRelay

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """
        The log's evidence of each attempt, in order.
        """
        return [each for each in self.events if each["event"] == "attempt_finished"]

    @property
    def kinds(self) -> list[str]:
        """
        The kind of trouble of each attempt, in order; empty for none.
        """
        return [attempt["kind"] for attempt in self.attempts]

    @property
    def trial(self) -> TrialResult:
        """
        The only trial.
        """
        (trial,) = self.result.trials
        return trial


@dataclass(slots=True, kw_only=True)
class Bench:
    """
    Where the CLI is run.

    Args:
        cli: The real program.
        environ: What `run` is given; tests change it.
    """

    root: Path
    cli: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.bin, self.workspace, self.home):
            folder.mkdir()
        (self.bin / "claude").symlink_to(self.cli)
        self.environ |= {
            "PATH": f"{self.bin}:{SYSTEM_PATH}",
            "HOME": str(self.home),
            "ANTHROPIC_API_KEY": "sk-ant-of-the-test",
        }

    @property
    def bin(self) -> Path:
        """
        First folder on PATH.
        """
        return self.root / "bin"

    @property
    def workspace(self) -> Path:
        """
        The checkout.
        """
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        """
        The user's home, which the CLI must not touch.
        """
        return self.root / "home"

    def write(self, path: str, text: str) -> Path:
        """
        Write a file of the workspace.
        """
        place = self.workspace / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def add_agent(self, text: str = AGENT_FILE, *, name: str = "greet") -> Path:
        """
        Write an agent file of the workspace.
        """
        return self.write(f".claude/agents/{name}.md", text)

    def wrap_cli(self, script: str) -> None:
        """
        Put a shell script in the CLI's place; `$REAL` is the CLI in it.
        """
        place = self.bin / "claude"
        place.unlink()
        real = shlex.quote(str(self.cli))
        place.write_text(f"#!/bin/bash\nREAL={real}\n{script}\n", encoding="utf-8")
        place.chmod(0o755)

    @contextmanager
    def served(self, profile: Profile) -> Iterator[tuple[Simulator, RecordingRelay]]:
        """
        Serve *profile* behind a relay; ANTHROPIC_BASE_URL points there.
        """
        with (
            Simulator(profile) as simulator,
            RecordingRelay(simulator.base_url) as relay,
        ):
            self.environ["ANTHROPIC_BASE_URL"] = relay.url
            yield simulator, relay

    def run(
        self,
        *steps: Step,
        profile: Profile | None = None,
        cancellation: Cancellation | None = None,
        base_url: str = "",
        **options: str,
    ) -> Outcome:
        """
        Run trials against a simulator; one sequential trial unless *options* differ.

        Args:
            steps: The simulator's script.
            profile: Instead of a script.
            base_url: Instead of the simulator's.
            options: Of the run, as text, with underscores for hyphens.
        """
        served = profile or Profile(latency_s=0, script=steps)
        with self.served(served) as (simulator, relay):
            if base_url:
                self.environ["ANTHROPIC_BASE_URL"] = base_url
            given: Mapping[str, str] = {
                "prompt": "Say hello.",
                "model": MODEL,
                "loops": "1",
                "delay": "0",
                "timeout": "30",
                "output_dir": str(self.root / "results"),
                # What is tested with it is seldom where, and as whom, the CLI works.
                "isolation": "none",
                "run_as": "root",
                **options,
            }
            result = run(
                Settings.from_text(
                    {name.replace("_", "-"): text for name, text in given.items()}
                ),
                environ=self.environ,
                workspace=self.workspace,
                cancellation=cancellation,
            )
        log = Path(result.log)
        examined = examine(log)
        assert (True, True) == (examined.locked, examined.ok)
        return Outcome(
            result=result,
            events=[{"event": each.event, **each.fields} for each in read_events(log)],
            stats=simulator.stats(),
            relay=relay,
        )


def processes_of(run_id: str) -> list[str]:
    """
    Return the command line of each living process that a run's attempt has started.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environ = (place / "environ").read_bytes()
            if f"RELIABILITY_TRIAL_ID={run_id}-".encode() in environ:
                found.append((place / "cmdline").read_bytes().decode(errors="replace"))
    return found


def pids_of(program: Path) -> list[int]:
    """
    Return the processes that were started as *program*.
    """
    started = f"{program}\0".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (place / "cmdline").read_bytes().startswith(started):
                found.append(int(place.name))
    return found
