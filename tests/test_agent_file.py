"""
Agent files: found where Claude Code looks, read as it reads them, hostile ones too.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from reliability.agents.agent_file import (
    MAX_FILE_BYTES,
    AgentFile,
    find_agent_file,
    read_agent_file,
)
from reliability.errors import EXIT_USAGE, UsageError


def write(home: Path, text: str | bytes, *, path: str = "greet.md") -> Path:
    """
    Write an agent file of a home.
    """
    place = home / ".claude" / "agents" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return place


def agent(matter: str = "", *, name: str = "greet", body: str = "You greet.") -> str:
    """
    Return the text of an agent file.
    """
    return f"---\nname: {name}\n{matter}\n---\n{body}\n"


def read(home: Path, text: str | bytes) -> AgentFile:
    """
    Write and read an agent file.
    """
    file = read_agent_file(write(home, text))
    assert file is not None
    return file


def test_a_file_is_its_front_matter_and_body(tmp_path: Path) -> None:
    """
    With the hash of all of it.
    """
    text = agent("description: Greets\ntools: Read, Grep\nmodel: claude-x-1")
    file = read(tmp_path, text)

    assert ("greet", "You greet.") == (file.name, file.body)
    assert hashlib.sha256(text.encode()).hexdigest() == file.sha256
    assert {
        "description": "Greets",
        "prompt": "You greet.",
        "tools": ["Read", "Grep"],
        "model": "claude-x-1",
    } == file.definition()


@pytest.mark.parametrize(
    ("matter", "expected"),
    [
        ("tools: Read", {"tools": ["Read"]}),
        ("tools: Read,Bash , Grep,", {"tools": ["Read", "Bash", "Grep"]}),
        ("tools: [Read, Bash]", {"tools": ["Read", "Bash"]}),
        (
            "tools:\n  - Read\n  - Bash(git log:*)",
            {"tools": ["Read", "Bash(git log:*)"]},
        ),
        ("tools: Agent(a, b), Read", {"tools": ["Agent(a, b)", "Read"]}),
        ("tools: []", {"tools": []}),
        ("tools:", {}),
        ("tools: 7", {}),
        ("disallowedTools: Bash", {"disallowedTools": ["Bash"]}),
        ("model: inherit", {"model": "inherit"}),
        ("model: [x]", {}),
        ("effort: low\nmaxTurns: 3", {"effort": "low", "maxTurns": 3}),
        ("maxTurns: true", {}),
        ("hooks: {SessionStart: []}\nmcpServers: {x: {command: y}}", {}),
        ("permissionMode: bypassPermissions\ncolor: red", {}),
    ],
)
def test_what_limits_an_agent_is_kept_and_what_acts_is_not(
    tmp_path: Path, matter: str, expected: dict[str, object]
) -> None:
    """
    Tools, model and effort; no hooks, servers or permissions of a checkout.
    """
    definition = read(tmp_path, agent(matter)).definition()

    assert {"description": "greet", "prompt": "You greet.", **expected} == definition


@pytest.mark.parametrize(
    "description",
    [
        'Use this when: you greet. <example>user: "hi"</example>',
        "Greets: people # really",
        "@mentions people",
        "`code` first",
        "50% off: never",
        "[a] and b: c",
    ],
)
def test_a_description_that_is_no_yaml_is_text(
    tmp_path: Path, description: str
) -> None:
    """
    Claude Code reads such files, and most descriptions have a colon.
    """
    file = read(tmp_path, agent(f"description: {description}\ntools: Read"))

    assert description == file.definition()["description"]
    assert ["Read"] == file.definition()["tools"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("You greet.\n", "no front matter"),
        ("", "no front matter"),
        ("---\nname: greet\nYou greet.\n", "has no end"),
        ("---\n- a\n---\n", "keys and values"),
        ("---\n---\n", "keys and values"),
        ("---\ndescription: x\n---\n", "no 'name'"),
        ("---\nname: [a]\n---\n", "no 'name'"),
        ("---\nname: greet\n  : : :\n\tx\n---\n", "not YAML"),
        (b"---\nname: \xff\n---\n", "utf-8"),
        (b"---\n" + b"x" * MAX_FILE_BYTES, "larger than"),
    ],
)
def test_a_file_that_is_no_agent_is_told_by_name(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    """
    Exit code 2, with the path and what is wrong.
    """
    place = write(tmp_path, text)

    with pytest.raises(UsageError, match=problem) as caught:
        read_agent_file(place)

    assert str(place) in str(caught.value)
    assert EXIT_USAGE == caught.value.exit_code
    assert read_agent_file(place, strict=False) is None


def test_a_file_that_cannot_be_opened_is_told_by_name(tmp_path: Path) -> None:
    """
    A folder, for instance.
    """
    with pytest.raises(UsageError, match="Is a directory"):
        read_agent_file(tmp_path)


def test_a_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    """
    Editors add them.
    """
    file = read(tmp_path, b"\xef\xbb\xbf---\r\nname: greet\r\n---\r\nYou greet.\r\n")

    assert ("greet", "You greet.") == (file.name, file.body)


def test_nested_references_do_not_explode(tmp_path: Path) -> None:
    """
    Nothing but text is ever turned into text.
    """
    levels = "\n".join(
        f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)
    )
    matter = f"l0: &l0 [x]\n{levels}\ndescription: *l11\ntools: *l11\nmodel: *l11"
    definition = read(tmp_path, agent(matter)).definition()

    assert "greet" == definition["description"]
    assert [] == definition["tools"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_content_is_too_odd_to_refuse(content: bytes) -> None:
    """
    A file is an agent or an error of usage; its definition is JSON.
    """
    with TemporaryDirectory() as folder:
        for text in (content, b"---\nname: n\n" + content + b"\n---\nbody"):
            place = write(Path(folder), text)
            try:
                file = read_agent_file(place)
            except UsageError:
                continue

            assert file is not None
            assert json.dumps(file.definition())


def test_the_workspace_comes_before_the_home(tmp_path: Path) -> None:
    """
    The first home that has the agent wins.
    """
    first, second = tmp_path / "workspace", tmp_path / "home"
    write(second, agent(body="theirs"))

    assert "theirs" == getattr(find_agent_file("greet", [first, second]), "body", "")

    write(first, agent(body="ours"))

    assert "ours" == getattr(find_agent_file("greet", [first, second]), "body", "")


def test_the_name_inside_counts_not_that_of_the_file(tmp_path: Path) -> None:
    """
    In folders below too; other files may be anything.
    """
    write(tmp_path, "no agent", path="README.md")
    write(tmp_path, agent(name="other"), path="greet.md")
    place = write(tmp_path, agent(), path="team/hello.md")
    found = find_agent_file("greet", [tmp_path])

    assert found is not None
    assert place == found.path


def test_the_file_that_is_meant_must_be_an_agent(tmp_path: Path) -> None:
    """
    An error in it is told, not passed over.
    """
    write(tmp_path, "You greet.")

    with pytest.raises(UsageError, match="no front matter"):
        find_agent_file("greet", [tmp_path])


@pytest.mark.parametrize("name", ["nobody", "", "..", "*"])
def test_an_agent_that_is_nowhere_is_none(tmp_path: Path, name: str) -> None:
    """
    Whether there are agents or no folder at all.
    """
    write(tmp_path / "home", agent())

    assert find_agent_file(name, [tmp_path / "empty", tmp_path / "home"]) is None
