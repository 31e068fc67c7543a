"""
What is said of an agent that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.agents.agent_file import explain_missing_agent

if TYPE_CHECKING:
    from pathlib import Path


def write(home: Path, name: str, *, path: str) -> Path:
    """
    Write an agent file of a home.
    """
    place = home / ".claude" / "agents" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"---\nname: {name}\n---\nYou greet.\n", encoding="utf-8")
    return place


def explained(*homes: Path) -> str:
    """
    Return what is said when `greeter` is looked for.
    """
    return " ".join(explain_missing_agent("greeter", homes))


def test_who_is_there_is_listed(tmp_path: Path) -> None:
    """
    By the names that count, of every home; files that are no agents are left out.
    """
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    write(workspace, "reviewer", path="some-file.md")
    write(home, "greet", path="deeper/greet.md")
    write(home, "", path="notes.md")
    text = explained(workspace, home)

    assert text.startswith("There is no agent 'greeter' in ")
    assert str(workspace / ".claude/agents") in text
    assert str(home / ".claude/agents") in text
    assert text.endswith(" These are there: 'greet', 'reviewer'.")


def test_a_file_that_is_called_otherwise_inside_is_pointed_at(tmp_path: Path) -> None:
    """
    The name in its front matter is the one that counts.
    """
    place = write(tmp_path, "greet", path="greeter.md")

    assert f"The agent in {place} is called 'greet'." in explained(tmp_path)


def test_where_there_is_no_agent_the_place_for_one_is_named(tmp_path: Path) -> None:
    """
    What to do is to write it.
    """
    assert f"write {tmp_path}/.claude/agents/greeter.md" in explained(tmp_path)


def test_many_agents_are_not_all_listed(tmp_path: Path) -> None:
    """
    An error is no catalogue.
    """
    for number in range(25):
        write(tmp_path, f"agent-{number:02}", path=f"{number}.md")
    text = explained(tmp_path)

    assert "'agent-19' and 5 more." in text
    assert "agent-20" not in text
