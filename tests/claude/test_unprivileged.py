"""
The real CLI as agents run by default: in a copy, and as a user without rights.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from fakes.claude_bench import MODEL, Bench
from fakes.folders import needs_root, open_folder, picture

from reliability.errors import AgentSetupError
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.claude, needs_root]

ISOLATED = {"isolation": "copy", "run_as": ""}


@pytest.fixture
def open_bench(claude_cli: Path) -> Iterator[Bench]:
    """
    A bench whose CLI other users can run, with a closed workspace and home.
    """
    with open_folder() as folder:
        bench = Bench(root=folder, cli=claude_cli)
        bench.workspace.chmod(0o700)
        bench.home.chmod(0o700)
        yield bench


def tool(command: str) -> Step:
    """
    Let the model call Bash.
    """
    return Step(tool="Bash", input={"command": command})


@pytest.mark.parametrize("context", ["project", "agent"])
def test_the_cli_works_as_a_user_without_rights(
    context: str, open_bench: Bench
) -> None:
    """
    It finds agent and CLAUDE.md in its copy, writes there, and the copy is gone.
    """
    open_bench.add_agent()
    open_bench.write("CLAUDE.md", "Mind the gap.")
    before = picture(open_bench.workspace)
    outcome = open_bench.run(
        Step(tool="Read", input={"file_path": "CLAUDE.md"}),
        Step(text="hello"),
        agent="greet",
        context=context,
        **ISOLATED,
    )
    system = json.dumps(outcome.relay.requests[0].body["system"])

    assert "pass" == outcome.trial.outcome, outcome.attempts
    assert "You are the greeter of this test." in system
    assert ["Read"] == outcome.attempts[0]["tool_calls"]
    assert before == picture(open_bench.workspace)
    assert [] == list(open_bench.home.iterdir())


def test_bypassed_permissions_are_refused_to_root_alone(open_bench: Bench) -> None:
    """
    Without IS_SANDBOX the CLI takes no such order from root; an agent is not root.
    """
    act = tool("id -un; pwd; echo edited > made; rm -f kept")
    open_bench.write("kept", "kept")
    options = {"permission_mode": "bypassPermissions", "isolation": "copy"}
    refused = open_bench.run(act, Step(text="hello"), **options, run_as="root")
    outcome = open_bench.run(act, Step(text="hello"), **options, run_as="")
    told = json.dumps(outcome.relay.requests[-1].body["messages"])

    assert "pass" != refused.trial.outcome
    assert "pass" == outcome.trial.outcome, outcome.attempts
    assert "nobody" in told
    assert "/1/work/workspace" in told
    assert ["made"] == outcome.attempts[0]["evidence"]["workspace"]["added"]
    assert ["kept"] == outcome.attempts[0]["evidence"]["workspace"]["removed"]
    assert (open_bench.workspace / "kept").exists()


def test_a_tool_of_the_cli_cannot_read_the_job(open_bench: Bench) -> None:
    """
    Neither our environment nor a file of root's.
    """
    spy = tool(f"cat /proc/{os.getpid()}/environ | wc -c; head -c 9 /etc/shadow")
    outcome = open_bench.run(
        spy, Step(text="hello"), permission_mode="bypassPermissions", **ISOLATED
    )
    told = json.dumps(outcome.relay.requests[-1].body["messages"])

    assert "pass" == outcome.trial.outcome, outcome.attempts
    assert 2 == told.count("Permission denied")


def test_a_lent_login_is_the_users_to_read(open_bench: Bench) -> None:
    """
    From a home that is closed to that user.
    """
    del open_bench.environ["ANTHROPIC_API_KEY"]
    login = {
        "claudeAiOauth": {
            "accessToken": "access-of-the-test",
            "refreshToken": "refresh-of-the-test",
            "expiresAt": 4102444800000,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": "max",
        }
    }
    place = open_bench.home / ".claude" / ".credentials.json"
    place.parent.mkdir(mode=0o700)
    place.write_text(json.dumps(login), encoding="utf-8")
    place.chmod(0o600)
    outcome = open_bench.run(Step(text="hello"), **ISOLATED)

    assert "pass" == outcome.trial.outcome, outcome.attempts
    assert (
        "Bearer access-of-the-test"
        == outcome.relay.requests[0].headers["authorization"]
    )


def test_trials_one_after_the_other_send_the_same_prompt(open_bench: Bench) -> None:
    """
    The folder is in it: with another path each, none would find it in a cache.
    """
    outcome = open_bench.run(
        Step(text="hello"), Step(text="hello"), loops="2", **ISOLATED
    )
    prompts = {
        json.dumps([asked.body["system"], asked.body["messages"]])
        for asked in outcome.relay.requests
    }

    assert ["pass", "pass"] == [trial.outcome for trial in outcome.result.trials]
    assert {MODEL} == {asked.body["model"] for asked in outcome.relay.requests}
    assert 1 == len(prompts)


def test_a_cli_that_is_closed_to_the_user_is_found_first(bench: Bench) -> None:
    """
    As with one below the home of root; the remedy is named.
    """
    with pytest.raises(AgentSetupError, match="run-as: root"):
        bench.run(Step(text="hello"), **ISOLATED)
