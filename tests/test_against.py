"""
The working tree against a commit: two arms in one run, one log, one verdict.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import jsonschema
import pytest
from fakes.runs import ROOT, events, texts

from reliability.against import opened_suite
from reliability.errors import AgentSetupError, UsageError
from reliability.gate import Gate
from reliability.model import Verdict
from reliability.report.document import json_pieces
from reliability.results import read_result
from reliability.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

SCHEMA = json.loads((ROOT / "schema" / "results.schema.json").read_bytes())
ENVIRON = {"PATH": os.environ["PATH"]}
# Passes as often as a file of the repository says, by the number in its own name.
AGENT = """
from pathlib import Path
import random
rate = float(Path("rate.txt").read_text())
print("Hello" if random.random() < rate else "Goodbye")
"""


def git(folder: Path, *words: str) -> None:
    """
    Run git in the repository.
    """
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    argv = ["git", *who, "-C", str(folder), *words]
    subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """
    Make a repository whose only commit has an agent that always passes.
    """
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "agent.py").write_text(AGENT, encoding="utf-8")
    (folder / "rate.txt").write_text("1", encoding="utf-8")
    (folder / "ask.txt").write_text("Say hello.", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def compared(folder: Path, **given: str) -> RunResult:
    """
    Run the command agent of the repository against its commit.
    """
    usual = {
        "against": "HEAD",
        "backend": "command",
        "command": "python3 agent.py",
        "simulator": "",
        "run_as": "root",
        "parallel": "true",
        "max-workers": "8",
        "loops": "8",
    }
    options = texts(folder, **(usual | given))
    options["output-dir"] = str(folder.parent / "out")
    with opened_suite(options, environ=ENVIRON, workspace=folder) as suite:
        return run(suite.settings, suite=suite, environ=ENVIRON, workspace=folder)


def test_an_agent_made_worse_in_the_working_tree_fails(repository: Path) -> None:
    """
    Each arm runs the files of its own state, and the newer one is found worse.
    """
    (repository / "rate.txt").write_text("0", encoding="utf-8")
    result = compared(repository)
    by_arm = {case.plan.arm: case.tally for case in result.cases}

    assert (8, 0) == (by_arm["base"].passed, by_arm["base"].failed)
    assert (0, 8) == (by_arm["head"].passed, by_arm["head"].failed)
    assert Verdict.FAIL is result.verdict
    assert "Worse than the base: head passed 0 of 8, base 8 of 8" in result.reason
    assert result.comparison is not None
    assert "regressed" == result.comparison["finding"]


def test_the_log_alone_gives_the_same_comparison(repository: Path) -> None:
    """
    Verdict and numbers are read back, and the arms were run in turn.
    """
    result = compared(repository, loops="30", margin="0.3")
    again = read_result(repository / result.log)
    started = [
        one.fields["case"] for one in events(result) if one.event == "trial_started"
    ]

    assert Verdict.PASS is result.verdict
    assert "Not worse than the base" in result.reason
    assert (result.reason, result.comparison) == (again.reason, again.comparison)
    assert all(
        {"prompt [base]", "prompt [head]"} == set(started[at : at + 2])
        for at in range(0, 60, 2)
    )
    assert started[::2].count("prompt [base]") not in {0, 30}


def test_the_schema_describes_the_comparison(repository: Path) -> None:
    """
    Each of its fields, and nothing more.
    """
    result = compared(repository, loops="2")
    described = SCHEMA["properties"]["comparison"]
    document = json.loads("".join(json_pieces(result)))

    jsonschema.validate(document, SCHEMA)
    assert set(described["properties"]) == set(document["comparison"])
    assert set(described["required"]) == set(document["comparison"])


def test_the_users_repository_is_as_it_was(repository: Path) -> None:
    """
    No work tree is registered, nothing is staged, no file is touched.
    """
    compared(repository, loops="2")
    shown = subprocess.run(
        ["git", "-C", str(repository), "worktree", "list"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    status = subprocess.run(
        ["git", "-C", str(repository), "status", "--porcelain"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert 1 == len(shown.splitlines())
    assert "" == status


def test_each_arm_has_the_prompt_of_its_state(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A prompt file that was changed is asked of head alone.
    """
    monkeypatch.chdir(repository)
    (repository / "ask.txt").write_text("Say goodbye.", encoding="utf-8")
    options = texts(repository, **{"against": "HEAD", "prompt-file": "ask.txt"})
    with opened_suite(options, environ=ENVIRON, workspace=repository) as suite:
        prompts = {case.arm: case.settings.prompt for case in suite.cases}

    assert {"base": "Say hello.", "head": "Say goodbye."} == prompts


def test_cases_of_one_state_alone_are_named_and_not_run(repository: Path) -> None:
    """
    What is new or gone cannot be compared.
    """
    suite_file = repository / "reliability.yml"
    text = (
        "version: 1\ndefaults: {backend: simulated}\ncases:\n"
        "  - {name: kept, prompt: Hi, checks: [{contains: a}]}\n"
        "  - {name: %s, prompt: x}\n"
    )
    suite_file.write_text(text % "old", encoding="utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "suite")
    changed = (text % "new").replace("contains: a", "contains: b")
    suite_file.write_text(changed, encoding="utf-8")
    given = {"against": "HEAD", "suite": str(suite_file)}
    with opened_suite(given, environ=ENVIRON, workspace=repository) as suite:
        names = [case.name for case in suite.cases]
        checks = {str(case.checks) for case in suite.cases}

        assert ["kept [base]", "kept [head]"] == names
        assert 1 == len(checks)
        assert "Case new is not in HEAD" in suite.warnings[0]
        assert "Case old is only in HEAD" in suite.warnings[1]
        assert Gate.of(suite).compares


def test_a_commit_that_is_not_there_is_a_set_up_error(repository: Path) -> None:
    """
    With the remedy for a workflow's shallow checkout.
    """
    with pytest.raises(AgentSetupError, match="fetch-depth: 0"):
        compared(repository, against="no-such-branch")


def test_isolation_none_is_refused(repository: Path) -> None:
    """
    There is only one workspace, and it cannot be both states.
    """
    with pytest.raises(UsageError, match="needs a folder for each arm"):
        compared(repository, isolation="none")
