"""
A step of a workflow as GitHub's runner starts it: mounts, variables, files for outputs.

Read in actions/runner, ContainerActionHandler.cs. The parts that a test asks for are
here; there is no server behind it, so nothing is uploaded.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import containers

from reliability.journal import Examination, examine
from reliability.results import read_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reliability.run_result import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    A running step and the places where it leaves things.
    """

    container: containers.Container
    workspace: Path
    commands: Path

    @property
    def log(self) -> Path:
        """
        The one log of the step, on the host.
        """
        (log,) = self.workspace.glob("reliability-results/*.jsonl")
        return log

    @property
    def summary(self) -> str:
        """
        The step summary, as Markdown.
        """
        return (self.commands / "summary").read_text()

    def outputs(self) -> dict[str, str]:
        """
        Read the file of outputs by the runner's two forms of an entry.
        """
        lines = iter((self.commands / "output").read_text().splitlines())
        outputs: dict[str, str] = {}
        for line in lines:
            name, between, rest = _cut(line)
            if between == "=":
                outputs[name] = rest
            else:
                outputs[name] = "\n".join(iter(lines.__next__, rest))
        return outputs

    def examination(self) -> Examination:
        """
        What `reliability verify` says of the log.
        """
        return examine(self.log)

    def result(self) -> RunResult:
        """
        What the log says.
        """
        return read_result(self.log)

    def wait_for_trials(self, count: int) -> None:
        """
        Return when *count* trials have ended.
        """
        self.container.wait_until(
            lambda: self._ended_trials() >= count, what=f"{count} trials have ended"
        )

    def _ended_trials(self) -> int:
        logs = self.workspace.glob("reliability-results/*.jsonl")
        return sum(log.read_text().count('"trial_finished"') for log in logs)


def _cut(line: str) -> tuple[str, str, str]:
    """
    Split at `=` or `<<`, whichever comes first.
    """
    places = {line.find(mark): mark for mark in ("=", "<<") if mark in line}
    mark = places[min(places)]
    name, _, rest = line.partition(mark)
    return name, mark, rest


@contextmanager
def step(workspace: Path, **inputs: str) -> Iterator[Step]:
    """
    Start the action in a container as a step with these inputs.

    Args:
        workspace: The checkout, on the host.
        inputs: By field name: `max_workers` becomes `INPUT_MAX-WORKERS`.
    """
    commands, home = workspace.parent / "file_commands", workspace.parent / "home"
    for folder in (commands, home):
        folder.mkdir()
    for name in ("output", "summary"):
        (commands / name).touch()
    environ = {
        "CI": "true",
        "GITHUB_ACTION": "__self",
        "GITHUB_ACTIONS": "true",
        "GITHUB_JOB": "job",
        "GITHUB_OUTPUT": "/github/file_commands/output",
        "GITHUB_REPOSITORY": "owner/repository",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "1",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_STEP_SUMMARY": "/github/file_commands/summary",
        "GITHUB_WORKSPACE": "/github/workspace",
        "HOME": "/github/home",
    }
    environ |= {
        f"INPUT_{name.upper().replace('_', '-')}": text for name, text in inputs.items()
    }
    flags = [
        "--workdir=/github/workspace",
        f"--volume={workspace}:/github/workspace",
        f"--volume={commands}:/github/file_commands",
        f"--volume={home}:/github/home",
    ]
    with containers.started(flags=flags, environ=environ) as container:
        yield Step(container=container, workspace=workspace, commands=commands)
