"""
The commits between two of them, in a real repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.repositories import commit, git
from fakes.runs import ENVIRON

from reliability.engine.history import read_history
from reliability.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """
    Three commits, c0 to c2, on the branch main.
    """
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for number in range(3):
        commit(folder, f"c{number}", number=str(number))
    return folder


def test_only_first_parents_are_looked_at(repository: Path) -> None:
    """
    What was merged is one step, whatever happened on its branch.
    """
    git(repository, "checkout", "--quiet", "-b", "side", "c1")
    commit(repository, "s0", side="1")
    git(repository, "checkout", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message", "joined", "side")
    history = read_history(repository, "c1", "main", ENVIRON)

    assert ["step c1", "step c2", "joined"] == [one.subject for one in history.commits]
    with pytest.raises(UsageError, match="not met on the way back"):
        read_history(repository, "s0", "main", ENVIRON)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("c2", "c0", "not met on the way back"),
        ("c1", "c1", "the same commit"),
        ("nothing", "c1", "no commit 'nothing'"),
        ("--all", "c1", "no commit '--all'"),
    ],
)
def test_ends_that_make_no_row_are_refused(
    good: str, bad: str, said: str, repository: Path
) -> None:
    """
    Each with what is wrong with it.
    """
    with pytest.raises(UsageError, match=said):
        read_history(repository, good, bad, ENVIRON)


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    """
    Nothing is looked for above what git looks for.
    """
    with pytest.raises(UsageError, match="Git knows no history"):
        read_history(tmp_path, "a", "b", ENVIRON)
