"""
What is looked at before the first call: where the agent is to work.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fakes.runs import texts

from reliability.agents import surroundings
from reliability.agents.surroundings import examine_surroundings
from reliability.errors import AgentSetupError
from reliability.settings import Settings


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
