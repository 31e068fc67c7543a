"""
The action in a workflow, from inputs to the artifact, run by act.

One run of `workflow.yml` serves all tests: each reads its part of the report. What act
cannot play (a name that is taken, a quota, a broken service) is in the tests of the
artifact client, against a service of our own.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import containers
import pytest
import workflows

from reliability.journal import examine
from reliability.model import (
    Verdict,
)
from reliability.results import read_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reliability.run_result import RunResult

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(containers.BUILD_TIMEOUT_S + workflows.ACT_TIMEOUT_S),
]

KEY = "sk-ant-api03-" + "k" * 40
GREETER = """---
name: greeter
description: Says hello
tools: Read
---
You say hello.
"""
# The classic prompt asks Claude Code to call the agent, which then answers.
DELEGATION = [
    {
        "tool": "Agent",
        "input": {
            "description": "greeting",
            "prompt": "say hello",
            "subagent_type": "greeter",
        },
    },
    {"text": "Hello from the greeter."},
]
OUTPUTS = {
    *("verdict", "pass-rate", "trials", "passed", "failed", "invalid", "cost-usd"),
    *("log", "results", "report", "artifact-id", "artifact-url", "artifact-digest"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """
    A workflow that has run: its jobs by id, and what the artifact service holds.
    """

    jobs: dict[str, workflows.Job]
    artifacts: Path

    def zip_of(self, job: str) -> Path:
        """
        The artifact that a job's `artifact-digest` names.
        """
        digest = self.jobs[job].outputs["artifact-digest"]
        (found,) = (
            path
            for path in self.artifacts.rglob("*.zip")
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest
        )
        return found


@contextmanager
def simulator(profile: str) -> Iterator[str]:
    """
    Serve a simulated Messages API on loopback and yield its base URL.
    """
    command = [sys.executable, "-m", "reliability", "simulate", profile, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield next(
                word
                for word in server.stdout.readline().split()
                if word.startswith("http")
            )
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def workflow(
    image: str, tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Workflow:
    """
    All jobs of `workflow.yml`, run once; the image's layers are built already.
    """
    assert image
    if not workflows.ACT.exists():
        pytest.skip("act is not installed: requirements/e2e.lock has it")
    place = tmp_path_factory.mktemp("act")
    clone, artifacts = place / "clone", place / "artifacts"
    shutil.copytree(tree, clone)
    agents = clone / ".claude/agents"
    agents.mkdir(parents=True)
    (agents / "greeter.md").write_text(GREETER)
    workflows.commit(clone)
    script = place / "script.json"
    script.write_text(json.dumps(DELEGATION))
    with simulator(f"latency=0.05,seed=7,script={script}") as url:
        jobs = workflows.run_workflow(
            clone,
            "tests/docker/workflow.yml",
            artifacts=artifacts,
            variables={"SIMULATOR_URL": url},
            secrets={"ANTHROPIC_API_KEY": KEY},
        )
    return Workflow(jobs=jobs, artifacts=artifacts)


def unpacked(archive: Path, into: Path) -> Path:
    """
    Unpack an artifact and return the one log in it.
    """
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(into)
    (log,) = into.rglob("*.jsonl")
    return log


def result_of(workflow: Workflow, job: str, into: Path) -> RunResult:
    """
    Return what the log in a job's artifact says, once it is found to be whole.
    """
    log = unpacked(workflow.zip_of(job), into)
    examination = examine(log)
    assert examination.ok
    assert examination.locked
    return read_result(log)


def test_green_job_leaves_a_whole_log_in_the_artifact(
    workflow: Workflow, tmp_path: Path
) -> None:
    """
    All trials pass in parallel through rate limits, and the artifact proves it.
    """
    job = workflow.jobs["green"]

    assert job.succeeded, job.printed
    assert "green evidence" == workflow.zip_of("green").parent.name
    assert 20 == result_of(workflow, "green", tmp_path).tally.passed


def test_suite_job_passes_case_by_case(workflow: Workflow, tmp_path: Path) -> None:
    """
    The suite of an input: its cases, agents and checks are at home in the container.
    """
    job = workflow.jobs["suite"]
    result = result_of(workflow, "suite", tmp_path)

    assert job.succeeded, job.printed
    assert [("counts", Verdict.PASS), ("greets", Verdict.PASS)] == [
        (case.plan.name, case.verdict) for case in result.cases
    ]


def test_checks_job_fails_by_the_check_that_does_not_hold(
    workflow: Workflow, tmp_path: Path
) -> None:
    """
    Checks in YAML for one prompt: a greeting is no JSON.
    """
    job = workflow.jobs["checks"]
    result = result_of(workflow, "checks", tmp_path)

    assert not job.succeeded
    assert Verdict.FAIL is result.verdict, job.printed
    assert [True, False] == [check.passed for check in result.trials[0].checks]


def test_artifact_holds_log_results_and_every_report(
    workflow: Workflow,
) -> None:
    """
    Who downloads the artifact needs nothing else.
    """
    with zipfile.ZipFile(workflow.zip_of("green")) as archive:
        endings = {
            name.rsplit("/", 1)[-1].split(".", 1)[-1] for name in archive.namelist()
        }
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}

    assert {"results.json", "report.html", "summary.md", "junit.xml"} <= names
    assert {"jsonl", "jsonl.sha256", "log"} <= endings


@pytest.mark.parametrize(
    "name", ["green", "red", "overloaded", "claude", "suite", "checks"]
)
def test_later_step_reads_every_output_and_the_log(
    workflow: Workflow, name: str
) -> None:
    """
    A step after the action sees its outputs, also when it failed, and finds the log.
    """
    job = workflow.jobs[name]
    said = job.said

    assert job.outputs == said["outputs"]
    assert OUTPUTS == set(said["outputs"])
    with zipfile.ZipFile(workflow.zip_of(name)) as archive:
        (log,) = (entry for entry in archive.namelist() if entry.endswith(".jsonl"))
        digest = hashlib.sha256(archive.read(log)).hexdigest()

    assert digest == said["log_sha256"]


def test_green_outputs_say_what_was_measured(workflow: Workflow) -> None:
    """
    The numbers that a workflow gates on are those of the run.
    """
    outputs = workflow.jobs["green"].outputs
    numbers = [outputs[name] for name in ("trials", "passed", "failed", "invalid")]

    assert "pass" == outputs["verdict"]
    assert ["20", "20", "0", "0"] == numbers
    assert float(outputs["pass-rate"]) == pytest.approx(1)
    assert outputs["artifact-url"].endswith(f"/artifacts/{outputs['artifact-id']}")


def test_summary_names_agent_verdict_and_simulation(workflow: Workflow) -> None:
    """
    The step summary says what was tested, how it ended, and that no model was asked.
    """
    summary = workflow.jobs["green"].summary

    assert "green" in summary
    assert "pass" in summary.lower()
    assert "simulated" in summary.lower()


def test_failing_check_makes_the_step_red_with_1(
    workflow: Workflow, tmp_path: Path
) -> None:
    """
    An agent that never passes: exit code 1, verdict fail, evidence kept all the same.
    """
    job = workflow.jobs["red"]

    assert not job.succeeded
    assert 1 == job.exit_code, job.printed
    assert "fail" == job.outputs["verdict"]
    assert Verdict.FAIL is result_of(workflow, "red", tmp_path).verdict


def test_endless_overload_is_not_the_agents_failure(
    workflow: Workflow, tmp_path: Path
) -> None:
    """
    When the API only answers 529, nothing is claimed: exit code 3, all trials invalid.
    """
    job = workflow.jobs["overloaded"]

    assert 3 == job.exit_code, job.printed
    assert ["invalid", "0", "2"] == [
        job.outputs[name] for name in ("verdict", "failed", "invalid")
    ]
    assert 4 == result_of(workflow, "overloaded", tmp_path).attempts


def test_real_claude_code_runs_in_the_container(
    workflow: Workflow, tmp_path: Path
) -> None:
    """
    The Claude Code CLI of the image calls the checkout's agent, and that is measured.
    """
    job = workflow.jobs["claude"]
    result = result_of(workflow, "claude", tmp_path)

    assert job.succeeded, job.printed
    assert ("claude-code", 4) == (result.backend, result.tally.passed)
    assert {"Hello from the greeter."} == {trial.answer for trial in result.trials}


def test_key_is_in_no_artifact_and_no_summary(
    workflow: Workflow, tmp_path: Path
) -> None:
    """
    What the artifact holds can be read by many; the key is not among it.
    """
    log = unpacked(workflow.zip_of("claude"), tmp_path)
    leaks = [
        path
        for path in log.parent.rglob("*")
        if path.is_file() and KEY.encode() in path.read_bytes()
    ]

    assert [] == leaks
    assert KEY not in workflow.jobs["claude"].summary
