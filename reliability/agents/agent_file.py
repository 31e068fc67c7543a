"""
Finds and reads the file of a Claude Code agent: front matter and body.

The file is looked for where Claude Code looks: `.claude/agents/NAME.md` of the
workspace, then of the user's home. Names are compared with the front matter's `name`,
since the file may be called otherwise.

What Claude Code reads is read: a value with a colon in it, such as most descriptions
have, is no YAML, and is taken as text.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reliability.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1024 * 1024
_MOST_LISTED = 20
_PAIR = re.compile(r"([A-Za-z_][\w-]*):[ \t]+(\S.*?)\s*")
# A comma inside parentheses belongs to its tool, as in `Agent(worker, researcher)`.
_BETWEEN_TOOLS = re.compile(r",(?![^(]*\))")
# Front matter that says what the agent may do, or how. Hooks and MCP servers are left
# out: they are programs, and the file may come from a checkout that nobody trusts.
_TOOL_LISTS = ("tools", "disallowedTools")
_PLAIN_KEYS = ("model", "effort", "maxTurns")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFile:
    """
    An agent as its file describes it.

    Args:
        sha256: Of the whole file.
    """

    path: Path
    name: str
    matter: Mapping[str, Any]
    body: str
    sha256: str

    def definition(self) -> dict[str, Any]:
        """
        Return it as a value of `--agents`: description, prompt, tools, model, effort.
        """
        description = self.matter.get("description")
        definition: dict[str, Any] = {
            "description": description if isinstance(description, str) else self.name,
            "prompt": self.body,
        }
        for key in _TOOL_LISTS:
            tools = self.matter.get(key)
            if isinstance(tools, str):
                tools = [tool.strip() for tool in _BETWEEN_TOOLS.split(tools)]
            if isinstance(tools, list):
                names = [tool for tool in tools if tool and isinstance(tool, str)]
                definition[key] = names
        for key in _PLAIN_KEYS:
            value = self.matter.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool):
                definition[key] = value
        return definition


def find_agent_file(name: str, homes: Iterable[Path]) -> AgentFile | None:
    """
    Return the first agent file called *name*; None when no home has one.

    Args:
        homes: Folders that hold a `.claude` folder, in the order of their weight.

    Raises:
        UsageError: when the file that is meant cannot be read.
    """
    for home in homes:
        direct = _folder(home) / f"{name}.md"
        others = _agent_paths(home)
        for path in [direct, *(path for path in others if path != direct)]:
            if path.is_file():
                found = read_agent_file(path, strict=path == direct)
                if found is not None and found.name == name:
                    return found
    return None


def explain_missing_agent(name: str, homes: Iterable[Path]) -> list[str]:
    """
    Return sentences: no agent is called *name*, which file may be meant, who is there.

    Args:
        homes: Where it was looked for, as in `find_agent_file`.
    """
    homes = list(homes)
    places = " and ".join(str(_folder(home)) for home in homes)
    sentences = [f"There is no agent {name!r} in {places}."]
    names: set[str] = set()
    for home in homes:
        for path in _agent_paths(home):
            file = read_agent_file(path, strict=False)
            if file is None:
                continue
            names.add(file.name)
            if path.stem == name:
                sentences.append(f"The agent in {path} is called {file.name!r}.")
    listed = ", ".join(map(repr, sorted(names)[:_MOST_LISTED]))
    if len(names) > _MOST_LISTED:
        listed += f" and {len(names) - _MOST_LISTED} more"
    if names:
        return [*sentences, f"These are there: {listed}."]
    return [*sentences, f"There is none at all; write {_folder(homes[0])}/{name}.md."]


def _folder(home: Path) -> Path:
    return home / ".claude" / "agents"


def _agent_paths(home: Path) -> list[Path]:
    """
    Return all files of a home that may be agents, in the order of their names.
    """
    folder = _folder(home)
    return sorted(folder.rglob("*.md")) if folder.is_dir() else []


def read_agent_file(path: Path, *, strict: bool = True) -> AgentFile | None:
    """
    Read one agent file.

    Args:
        strict: Raise on a file that is no agent; otherwise return None.

    Raises:
        UsageError: naming the path and what is wrong in it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        matter, body = _split(content)
        name = matter.get("name")
        if not isinstance(name, str) or not name:
            raise ValueError("its front matter has no 'name'")  # noqa: TRY301 - joins the other problems
    except OSError as error:
        problem = error.strerror or "cannot be read"
    except ValueError as error:
        problem = str(error)
    else:
        return AgentFile(
            path=path,
            name=name,
            matter=matter,
            body=body,
            sha256=hashlib.sha256(content).hexdigest(),
        )
    if strict:
        raise UsageError(f"Agent file {path}: {problem}.")
    return None


def _split(content: bytes) -> tuple[dict[str, Any], str]:
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
    lines = content.decode("utf-8").lstrip("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        raise ValueError("no front matter: its first line must be '---'")
    for number, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            matter = _read_matter(lines[1:number])
            return matter, "".join(lines[number + 1 :]).strip()
    raise ValueError("front matter has no end: a second line '---' is missing")


def _read_matter(lines: list[str]) -> dict[str, Any]:
    import yaml

    try:
        matter = yaml.safe_load("".join(lines))
    except (yaml.YAMLError, ValueError, RecursionError):
        try:
            matter = yaml.safe_load("".join(map(_quote_odd_value, lines)))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ValueError(f"front matter is not YAML: {error}") from None
    if not isinstance(matter, dict):
        raise ValueError("front matter must be keys and values")  # noqa: TRY004 - the file is wrong, not a type
    return matter


def _quote_odd_value(line: str) -> str:
    """
    Return a `key: value` line with the value in quotes, if YAML cannot read it as is.
    """
    import yaml

    pair = _PAIR.fullmatch(line)
    if pair is None:
        return line
    try:
        yaml.safe_load(line)
    except (yaml.YAMLError, ValueError, RecursionError):
        return f"{pair[1]}: {json.dumps(pair[2])}\n"
    return line
