"""
The action as a step of a workflow, in this process: env files, stdout, exit codes.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from fakes.artifact_faults import twirp
from fakes.artifact_service import ArtifactService
from oracle.runner_parser import commands_in, pairs_in

from reliability.action import main
from reliability.journal import examine
from reliability.options import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = "latency=0,pass-rate=1"
WRONG = "latency=0,pass-rate=0"
BUSY = "latency=0,rate-529=1"
HOSTILE = r"latency=0,pass-rate=1,answer=Hello ::error::x ##[add-mask]a |`<b>"


class Workflow:
    """
    A step's environment, and what it left there.
    """

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.files = {
            name: folder / name.lower()
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")
        }
        for path in self.files.values():
            path.touch()
        self.environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "PATH": os.environ["PATH"],
            **{name: str(path) for name, path in self.files.items()},
        }

    def run(self, **inputs: str) -> int:
        """
        Run the step as the runner does: every declared input, empty when not given.
        """
        given = {"backend": "simulated", "agent": "x", "expect": "Hello"} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        for option in OPTIONS:
            if option.where != "cli":
                value = given.get(option.name, option.default)
                self.environ[f"INPUT_{option.name.upper()}"] = value
        return main(self.environ)

    @property
    def outputs(self) -> dict[str, str]:
        """
        The outputs as later steps see them.
        """
        return dict(pairs_in(self.files["GITHUB_OUTPUT"].read_text()))

    @property
    def summary(self) -> str:
        """
        The step summary.
        """
        return self.files["GITHUB_STEP_SUMMARY"].read_text()


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """
    Give a step in a workspace of its own; the current folder is put back.
    """
    monkeypatch.chdir(tmp_path)
    return Workflow(tmp_path)


def test_green_step_writes_outputs_summary_and_one_annotation(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A passing run exits with 0, and every output can be used by a later step.
    """
    assert workflow.run(simulator=RIGHT, loops="3", parallel="true") == 0
    outputs = workflow.outputs
    log = workflow.workspace / outputs["log"]
    results = json.loads((workflow.workspace / outputs["results"]).read_text())
    printed = capsys.readouterr().out
    shown = [
        c for c in commands_in(printed) if c.name in {"notice", "error", "warning"}
    ]

    assert {
        "verdict": "pass",
        "pass-rate": "1",
        "trials": "3",
        "passed": "3",
        "failed": "0",
        "invalid": "0",
        "cost-usd": "0.000000",
        "artifact-id": "",
    }.items() <= outputs.items()
    assert examine(log).locked
    assert "pass" == results["verdict"]
    assert (workflow.workspace / outputs["report"]).is_file()
    assert "imulated" in workflow.summary
    assert "Hello!" not in workflow.summary
    assert ["Reliability"] == [command.properties["title"] for command in shown]
    assert "No artifact" in printed


@pytest.mark.parametrize(
    ("profile", "code", "verdict"), [(WRONG, 1, "fail"), (BUSY, 3, "invalid")]
)
def test_exit_code_tells_a_failing_agent_from_failing_infrastructure(
    workflow: Workflow, profile: str, code: int, verdict: str
) -> None:
    """
    Wrong answers end with 1, an API that only answers 529 with 3.
    """
    assert code == workflow.run(simulator=profile, loops="2", max_attempts="1")
    assert verdict == workflow.outputs["verdict"]


def test_wrong_inputs_are_named_together_before_anything_runs(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Every wrong input is in one error annotation; the exit code is 2, no log is made.
    """
    code = workflow.run(loops="1O", timeout="-1", parallel="yes")
    (error,) = [c for c in commands_in(capsys.readouterr().out) if c.name == "error"]

    assert 2 == code
    assert all(name in error.data for name in ("loops", "timeout", "parallel"))
    assert "invalid" == workflow.outputs["verdict"]
    assert [] == list(workflow.workspace.iterdir())


@pytest.mark.parametrize("path", ["/elsewhere", "../up", "a/../../b"])
def test_path_outside_the_workspace_is_refused(workflow: Workflow, path: str) -> None:
    """
    Only the workspace is shared with the container, so no other path can be meant.
    """
    assert 2 == workflow.run(simulator=RIGHT, output_dir=path)


def test_hostile_answer_acts_nowhere(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Workflow commands in an answer stay text, on the console and in the summary.
    """
    workflow.run(simulator=HOSTILE, loops="2", expect="equals:nothing of the kind")
    printed = capsys.readouterr().out
    names = {command.name for command in commands_in(printed)}

    assert names <= {"notice", "error"}
    assert "<b>" not in workflow.summary.split("<details>")[0]


def test_secrets_are_masked_and_redacted(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A secret of the environment is masked first, and is in no file that is kept.
    """
    secret = "s3cr3t-value-of-a-token"
    workflow.environ["ANTHROPIC_API_KEY"] = secret
    profile = f"latency=0,pass-rate=1,answer=Hello {secret}"
    workflow.run(simulator=profile, loops="1")
    printed = capsys.readouterr().out

    assert printed.startswith(f"::add-mask::{secret}\n")
    kept = [path for path in workflow.workspace.rglob("*") if path.is_file()]
    leaks = [path for path in kept if secret.encode() in path.read_bytes()]
    assert [] == leaks
    assert secret not in workflow.summary


def test_artifact_holds_all_files_and_its_identity_is_an_output(
    workflow: Workflow,
) -> None:
    """
    What the service stored reads back as log, digest, results and every report.
    """
    with ArtifactService() as service:
        workflow.environ.update(service.environ)
        assert 0 == workflow.run(simulator=RIGHT, loops="2", artifact_name="mine")
        stored = service.stored["mine"].files()
    outputs = workflow.outputs
    log = (workflow.workspace / outputs["log"]).read_bytes()

    assert log == stored[outputs["log"].rsplit("/", 1)[-1]]
    assert {".jsonl", ".sha256", ".log", ".json", ".html", ".md", ".xml"} == {
        name[name.rindex(".") :] for name in stored
    }
    assert outputs["artifact-id"]
    assert outputs["artifact-digest"]
    assert outputs["artifact-url"] in workflow.summary


@pytest.mark.parametrize(("required", "code"), [("false", 0), ("true", 3)])
def test_failed_upload_changes_the_exit_code_only_when_it_is_required(
    workflow: Workflow, required: str, code: int
) -> None:
    """
    A full quota is a warning; `artifact-required` makes it an error.
    """
    with ArtifactService() as service:
        workflow.environ.update(service.environ)
        service.fail("CreateArtifact", twirp(403, "insufficient usage"))

        assert code == workflow.run(
            simulator=RIGHT, loops="1", artifact_required=required
        )
    assert "pass" == workflow.outputs["verdict"]
    assert "" == workflow.outputs["artifact-id"]


def test_agent_that_writes_into_the_runners_files_is_found(workflow: Workflow) -> None:
    """
    What an agent appends to GITHUB_ENV is cut away, and nothing is reported of the run.
    """
    target = workflow.files["GITHUB_ENV"]
    script = workflow.workspace / "agent.sh"
    script.write_text(f"echo EVIL=1 >> {target}\necho Hello\n")
    code = workflow.run(
        backend="command",
        command="sh agent.sh",
        loops="1",
        simulator="",
        run_as="root",
    )

    assert 3 == code
    assert "" == target.read_text()
    assert "invalid" == workflow.outputs["verdict"]
