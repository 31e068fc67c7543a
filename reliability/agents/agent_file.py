"""
Finds and reads the file of a Claude Code agent: front matter and body.

The file is looked for where Claude Code looks: `.claude/agents/NAME.md` of the
workspace, then of the user's home. Names are compared with the front matter's `name`,
since the file may be called otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reliability.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1024 * 1024


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
        Return it as a value of `--agents`: description, prompt, tools and model.
        """
        definition: dict[str, Any] = {
            "description": str(self.matter.get("description", self.name)),
            "prompt": self.body,
        }
        tools = self.matter.get("tools")
        if isinstance(tools, str):
            tools = [tool.strip() for tool in tools.split(",") if tool.strip()]
        if isinstance(tools, list):
            definition["tools"] = [str(tool) for tool in tools]
        if isinstance(self.matter.get("model"), str):
            definition["model"] = self.matter["model"]
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
        folder = home / ".claude" / "agents"
        direct = folder / f"{name}.md"
        others = sorted(folder.rglob("*.md")) if folder.is_dir() else []
        for path in [direct, *(path for path in others if path != direct)]:
            if path.is_file():
                found = read_agent_file(path, strict=path == direct)
                if found is not None and found.name == name:
                    return found
    return None


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
    except OSError as error:
        problem = error.strerror or "cannot be read"
    except ValueError as error:
        problem = str(error)
    else:
        return AgentFile(
            path=path,
            name=str(matter.get("name", path.stem)),
            matter=matter,
            body=body,
            sha256=hashlib.sha256(content).hexdigest(),
        )
    if strict:
        raise UsageError(f"Agent file {path}: {problem}.")
    return None


def _split(content: bytes) -> tuple[dict[str, Any], str]:
    import yaml

    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
    lines = content.decode("utf-8").lstrip("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        raise ValueError("no front matter: its first line must be '---'")
    for number, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            try:
                matter = yaml.safe_load("".join(lines[1:number]))
            except (yaml.YAMLError, RecursionError) as error:
                raise ValueError(f"front matter is not YAML: {error}") from None
            if not isinstance(matter, dict):
                raise ValueError("front matter must be keys and values")
            return matter, "".join(lines[number + 1 :]).strip()
    raise ValueError("front matter has no end: a second line '---' is missing")
