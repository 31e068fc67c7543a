"""
What changed is told by paths in the agent's folder, also where that is no whole tree.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes.runs import ENVIRON, IN_PLACE, outcomes, texts

from reliability.checks.files import Files, changed_paths
from reliability.run import run
from reliability.settings import Settings
from reliability.suite import Case, Suite, Weighed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """
    Return a repository with a folder in it in which agents work.
    """
    top = tmp_path / "top"
    for name in ("inner/a.py", "inner/gone/b.py", "c.py"):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one\n", encoding="utf-8")
    script = "echo >> a.py; rm -r gone; echo >> ../c.py; echo Hello\n"
    (top / "inner" / "agent.sh").write_text(script, encoding="utf-8")
    own = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (["init", "-q"], ["add", "."], [*own, "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=top, env=ENVIRON, check=True)
    return top


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (Files(changed=("a.py", "gone/*.py")), "pass"),
        (Files(unchanged=("c.py", "inner/*")), "pass"),
        (Files(unchanged=("a.py",)), "fail"),
        (Files(unchanged=("gone/b.py",)), "fail"),
        (Files(unchanged=("**",)), "fail"),
    ],
)
def test_patterns_begin_where_the_agent_worked(
    check: Files, outcome: str, repository: Path
) -> None:
    """
    As the paths of files that should exist do.
    """
    given = IN_PLACE | {
        "command": "sh agent.sh",
        "simulator": "",
        "isolation": "worktree",
        "loops": "1",
        "expect": "",
    }
    settings = Settings.from_text(texts(repository.parent, **given))
    case = Case(name="one", settings=settings, checks=(Weighed(check=check),))
    ended = run(
        settings,
        suite=Suite(cases=(case,)),
        environ=ENVIRON,
        workspace=repository / "inner",
    )

    assert [outcome] == outcomes(ended), ended.trials[0].reason


def test_what_lies_outside_is_named_so() -> None:
    """
    It is no path in the agent's folder, and not lost either.
    """
    known = {"folder": "inner", "changed": ["inner/a", "c"], "removed": ["inner/d/"]}

    assert ["../c", "a", "d/"] == changed_paths(known)
