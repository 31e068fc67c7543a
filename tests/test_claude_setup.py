"""
What is found out about the Claude Code CLI before the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reliability.agents.agent_file import AgentFile
from reliability.agents.claude_setup import cli_warnings, find_cli
from reliability.errors import EXIT_NOT_MEASURED, AgentSetupError
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"ANTHROPIC_API_KEY": "k"}
SYSTEM_PATH = "/usr/bin:/bin"


def put_cli(folder: Path, script: str, *, mode: int = 0o755) -> str:
    """
    Put a program named claude into *folder*; return a PATH that begins there.
    """
    program = folder / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(mode)
    return f"{folder}:{SYSTEM_PATH}"


def warnings(
    environ: dict[str, str], file: AgentFile | None = None, **options: str
) -> str:
    """
    Return all warnings for these options.
    """
    given = {"agent": "greet", "model": "claude-opus-5-5", **options}
    settings = Settings.from_text(
        {name.replace("_", "-"): text for name, text in given.items()}
    )
    return "\n".join(cli_warnings(settings, environ, file=file))


def test_the_first_cli_on_path_tells_its_version(tmp_path: Path) -> None:
    """
    Its path and the first word that it prints.
    """
    path = put_cli(tmp_path, 'echo "2.1.330 (Claude Code)"')

    assert (str(tmp_path / "claude"), "2.1.330") == find_cli(path)


def test_a_cli_that_prints_no_version_has_an_unknown_one(tmp_path: Path) -> None:
    """
    That is no reason to refuse it.
    """
    assert "unknown" == find_cli(put_cli(tmp_path, "true"))[1]


def test_the_version_is_asked_for_in_a_closed_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    No secret of ours reaches a program that we only look at.
    """
    monkeypatch.setenv("SECRET_OF_OURS", "1")
    path = put_cli(tmp_path, 'echo "${SECRET_OF_OURS:-clean}"')

    assert "clean" == find_cli(path)[1]


@pytest.mark.parametrize(
    ("script", "mode", "told"),
    [
        ("exit 1", 0o755, "--version does not run"),
        ("echo 1", 0o644, "is not on PATH"),
    ],
)
def test_a_cli_that_does_not_run_is_an_error_of_the_setup(
    tmp_path: Path, script: str, mode: int, told: str
) -> None:
    """
    Exit code 3, before any call.
    """
    path = put_cli(tmp_path, script, mode=mode)

    with pytest.raises(AgentSetupError, match=told) as caught:
        find_cli(path)

    assert EXIT_NOT_MEASURED == caught.value.exit_code


def test_a_cli_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """
    A cancel in the meantime would have to wait too.
    """
    path = put_cli(tmp_path, "exec sleep 60")

    with pytest.raises(AgentSetupError, match=r"timed out after 0\.1 s"):
        find_cli(path, timeout_s=0.1)


def test_a_missing_cli_is_told_with_the_path(tmp_path: Path) -> None:
    """
    Where it was looked for, and what to do.
    """
    with pytest.raises(AgentSetupError, match=str(tmp_path)) as caught:
        find_cli(str(tmp_path))

    assert "Install it" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("", "No model is named"),
        ("opus", "'opus' is an alias"),
        ("sonnet", "'sonnet' is an alias"),
        ("claude-opus-5-5", ""),
    ],
)
def test_a_model_that_moves_is_warned_of(model: str, told: str) -> None:
    """
    Only a full name keeps two runs comparable.
    """
    text = warnings(KEY, model=model)

    assert told in text
    assert bool(told) == bool(text)


@pytest.mark.parametrize(
    ("option", "of_file", "told"),
    [
        ("", "claude-opus-5-5", ""),
        ("", "opus", "'opus' is an alias"),
        ("", "inherit", "No model is named"),
        ("", None, "No model is named"),
        ("", 7, "No model is named"),
        ("sonnet", "claude-opus-5-5", "'sonnet' is an alias"),
        ("claude-opus-5-5", "opus", ""),
    ],
)
def test_the_model_of_the_agents_file_counts(
    tmp_path: Path, option: str, of_file: object, told: str
) -> None:
    """
    It is pinned there as well as anywhere; the option goes before it.
    """
    file = AgentFile(
        path=tmp_path, name="greet", matter={"model": of_file}, body="", sha256=""
    )
    text = warnings(KEY, file, model=option)

    assert told in text
    assert bool(told) == bool(text)


@pytest.mark.parametrize(
    ("environ", "warned"),
    [
        ({}, True),
        ({"HOME": "/no/such/home"}, True),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, False),
        ({"CLAUDE_CODE_USE_VERTEX": "1"}, False),
        (KEY, False),
    ],
)
def test_missing_credentials_are_warned_of(
    environ: dict[str, str], *, warned: bool
) -> None:
    """
    By the names of the variables that a job can set.
    """
    text = warnings(environ)

    assert warned == ("No credentials for Claude Code were found" in text)
    assert warned == ("ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN" in text)


def test_a_persons_login_is_credentials(tmp_path: Path) -> None:
    """
    Whoever is logged in needs no variable.
    """
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / ".credentials.json").write_text("{}", encoding="utf-8")

    assert "" == warnings({"HOME": str(tmp_path)})


def test_bypassed_permissions_are_warned_of() -> None:
    """
    The agent may then do anything.
    """
    assert "bypassed" in warnings(KEY, permission_mode="bypassPermissions")


@pytest.mark.parametrize(
    ("environ", "warned"),
    [
        ({}, True),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t"}, True),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t", **KEY}, False),
        (KEY, False),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, False),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, False),
        ({"CLAUDE_CODE_USE_VERTEX": "0"}, True),
    ],
)
def test_credentials_that_bare_does_not_read_are_warned_of(
    environ: dict[str, str], *, warned: bool
) -> None:
    """
    The login of a person is not read with context=agent; with project it is.
    """
    assert warned == ("--bare" in warnings(environ, context="agent"))
    assert "--bare" not in warnings(environ)
