"""
A workflow run by act, and what it reports of each job.

act copies the checkout into a container of the job, builds our image, runs it and plays
GitHub's part: inputs, files for outputs and the summary, and the artifact service. Only
what is committed is copied faithfully, so the tree is committed in a scratch clone.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import containers

if TYPE_CHECKING:
    from collections.abc import Mapping

ACT = Path(sys.executable).with_name("act")
ACT_TIMEOUT_S = 600
MEASURED, AFTER = "measured", "after"

_EXIT_CODE = re.compile(r"exit with `FAILURE`: (\d+)")


@dataclass(slots=True)
class Job:
    """
    What act reports of a job with a step `measured`, the action, and one `after` it.
    """

    succeeded: bool = False
    exit_code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    printed: str = ""
    said: dict[str, Any] = field(default_factory=dict)

    def take(self, event: Mapping[str, Any]) -> None:
        """
        Read one of act's lines.
        """
        if "jobResult" in event:
            self.succeeded = event["jobResult"] == "success"
        if event.get("stepID") == [MEASURED]:
            self._take_measured(event)
        elif event.get("stepID") == [AFTER] and event["msg"].startswith("SAID "):
            self.said = json.loads(event["msg"].removeprefix("SAID "))

    def _take_measured(self, event: Mapping[str, Any]) -> None:
        if event.get("raw_output"):
            self.printed += event["msg"]
        elif found := _EXIT_CODE.search(event["msg"]):
            self.exit_code = int(found[1])
        elif event.get("command") == "summary":
            self.summary = event["content"]
        elif event.get("command") == "set-output":
            self.outputs[event["name"]] = event["arg"]


def commit(clone: Path) -> None:
    """
    Make a repository of a folder, with all its files in one commit.
    """
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=test"],
    ):
        subprocess.run(["git", *identity, *arguments], cwd=clone, check=True)


def run_workflow(
    clone: Path,
    workflow: str,
    *,
    artifacts: Path,
    variables: Mapping[str, str],
    secrets: Mapping[str, str],
) -> dict[str, Job]:
    """
    Run all jobs of a workflow, one after another, and return them by id.

    Args:
        artifacts: Where act's artifact service keeps what it gets.
    """
    home = artifacts.parent / "home"
    home.mkdir()
    done = subprocess.run(
        [
            *(str(ACT), "push", "--workflows", workflow, "--json", "--rm"),
            *("--platform", f"ubuntu-latest={containers.BASE_IMAGE}"),
            *("--network", "host", "--pull=false", "--concurrent-jobs", "1"),
            *("--artifact-server-path", str(artifacts)),
            *("--artifact-server-addr", "127.0.0.1", "--no-cache-server"),
            *("--artifact-server-port", str(_free_port())),
            *(f"--var={name}={value}" for name, value in variables.items()),
            *(f"--secret={name}={value}" for name, value in secrets.items()),
        ],
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ACT_TIMEOUT_S,
        check=False,
    )
    jobs: dict[str, Job] = {}
    for line in done.stdout.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if "jobID" in event:
            jobs.setdefault(event["jobID"], Job()).take(event)
    assert jobs, f"act ran no job:\n{done.stdout}\n{done.stderr}"
    return jobs


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
