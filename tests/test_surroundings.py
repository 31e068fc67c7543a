"""
What is looked at before the first call: where the agent is to work.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.folders import needs_root
from fakes.runs import texts

from reliability.agents import surroundings
from reliability.agents.surroundings import examine_surroundings
from reliability.errors import AgentSetupError
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


def a_command(folder: Path, **given: str) -> Settings:
    """
    Return settings of a run that needs a folder to work in.
    """
    options = {"backend": "command", "command": "true", "simulator": "", **given}
    return Settings.from_text(texts(folder, **options))


@pytest.mark.parametrize("place", ["root", "home", "temporary"])
def test_a_folder_that_holds_everything_is_not_copied(
    place: str, tmp_path: Path
) -> None:
    """
    Whoever forgot to change to a project hears so before any call, with the way out.
    """
    temporary = Path(tempfile.gettempdir()).resolve()
    places = {"root": Path("/"), "home": tmp_path, "temporary": temporary}
    environ = {"HOME": str(tmp_path)}
    workspace = places[place]

    with pytest.raises(AgentSetupError, match="isolation none"):
        examine_surroundings(a_command(tmp_path), workspace=workspace, environ=environ)
    found = examine_surroundings(
        a_command(tmp_path, isolation="none", **{"run-as": "root"}),
        workspace=tmp_path,
        environ=environ,
    )
    assert found.warnings


@pytest.mark.parametrize(("files", "is_warned"), [(3, False), (5, True)])
def test_a_large_workspace_is_warned_of(
    files: int,
    is_warned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The warning tells how much, and what to write instead.
    """
    monkeypatch.setattr(surroundings, "MANY_FILES", 4)
    (tmp_path / "deep/er").mkdir(parents=True)
    for number in range(files):
        (tmp_path / f"deep/er/{number}").write_text("x")
    found = examine_surroundings(a_command(tmp_path), workspace=tmp_path, environ={})

    assert is_warned is any("worktree" in text for text in found.warnings)


def test_a_large_file_is_warned_of_without_being_read(tmp_path: Path) -> None:
    """
    A sparse file counts as what a copy of it would seem to be.
    """
    with (tmp_path / "large").open("wb") as file:
        file.truncate(surroundings.MANY_BYTES + 1)
    found = examine_surroundings(a_command(tmp_path), workspace=tmp_path, environ={})

    assert any("1024 MiB" in text for text in found.warnings)


@pytest.fixture
def folder() -> Iterator[Path]:
    """
    A folder that every user can enter.
    """
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
@pytest.mark.parametrize(("mode", "is_open"), [(0o644, True), (0o640, False)])
@pytest.mark.parametrize("isolation", ["copy", "none"])
def test_a_token_that_the_agent_can_read_is_warned_of(
    mode: int,
    is_open: bool,
    isolation: str,
    folder: Path,
) -> None:
    """
    A copy lacks the job's token, but the file that it comes from is still there.
    """
    token = folder / "git-credentials-1-2.config"
    token.write_text('[http "u"]\n\textraheader = AUTHORIZATION: basic T\n', "utf-8")
    token.chmod(mode)
    workspace = folder / "project"
    workspace.mkdir(mode=0o755)
    found = examine_surroundings(
        a_command(folder, isolation=isolation),
        workspace=workspace,
        environ={"RUNNER_TEMP": str(folder)},
    )

    told = [text for text in found.warnings if "persist-credentials: false" in text]
    assert is_open == bool(told)
    assert is_open == any(str(token) in text for text in told)


@needs_root
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("GOOGLE_APPLICATION_CREDENTIALS", {"pass-env": "GOOGLE_*"}),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", {"pass-env": "AWS_WEB_IDENTITY_TOKEN_FILE"}),
        ("SSL_CERT_FILE", {}),
    ],
)
def test_a_file_that_a_variable_names_must_be_open_to_the_agent(
    name: str, given: dict[str, str], folder: Path
) -> None:
    """
    Else each trial would fail, and look like the agent's own failure.
    """
    secret = folder / "credentials"
    secret.write_text("{}", encoding="utf-8")
    secret.chmod(0o640)
    environ = {name: str(secret)}

    with pytest.raises(AgentSetupError, match=f"{name} names '{secret}'.*nobody"):
        examine_surroundings(
            a_command(folder, **given), workspace=folder, environ=environ
        )
    as_root = a_command(folder, **given, **{"run-as": "root"})
    assert examine_surroundings(as_root, workspace=folder, environ=environ)
    secret.chmod(0o644)
    assert examine_surroundings(
        a_command(folder, **given), workspace=folder, environ=environ
    )


@needs_root
def test_a_file_that_is_not_passed_on_is_no_matter(tmp_path: Path) -> None:
    """
    Nor one that is not there: the variable may be a leftover.
    """
    secret = tmp_path / "credentials"
    secret.write_text("{}", encoding="utf-8")
    secret.chmod(0o600)
    environ = {
        "GOOGLE_APPLICATION_CREDENTIALS": str(secret),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }
    settings = a_command(tmp_path, **{"pass-env": "AWS_CONFIG_FILE"})

    assert examine_surroundings(settings, workspace=tmp_path, environ=environ)


@needs_root
def test_a_clouds_file_in_a_closed_home_is_warned_of(tmp_path: Path) -> None:
    """
    It is named to the CLI without being asked for, so it is no reason to stop.
    """
    (tmp_path / ".aws").mkdir()
    secret = tmp_path / ".aws" / "credentials"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o600)
    workspace = tmp_path / "project"
    workspace.mkdir()
    found = examine_surroundings(
        a_command(tmp_path, backend="claude-code", command=""),
        workspace=workspace,
        environ={"HOME": str(tmp_path), "CLAUDE_CODE_USE_BEDROCK": "1"},
    )

    assert any(str(secret) in text for text in found.warnings)


@needs_root
@pytest.mark.parametrize("isolation", ["copy", "none"])
def test_whose_rights_an_agent_has_is_compared(isolation: str, folder: Path) -> None:
    """
    What root may do, nobody may not: their trials are not counted together.
    """
    workspace = folder / "project"
    workspace.mkdir(mode=0o755)
    found = [
        examine_surroundings(
            a_command(folder, isolation=isolation, **{"run-as": user}),
            workspace=workspace,
            environ={},
        ).fingerprint["user"]
        for user in ("", "nobody", "root")
    ]

    assert ["nobody", "nobody", "root"] == found
