"""
Reads the event lines of `claude -p --output-format stream-json --verbose`.

The events are as Claude Code 2.1.330 prints them. With subagents in the background
there are several `init` and several `result` events; the last `result` counts. Lines
that are not JSON objects are counted and otherwise ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from reliability.model import Usage

SUBAGENT_TOOLS = frozenset({"Agent", "Task"})


@dataclass(slots=True)
class Transcript:
    """
    What has been read so far.

    Args:
        result: The last `result` event; None when there was none.
        began: An `init` event came, so the CLI accepted its arguments.
        answered: The model itself said something, API error messages left out.
        api_error_message: The last message was one that the CLI made from an error.
        retry_status: HTTP status of the last retry under way; None when the model spoke
            after it.
    """

    result: dict[str, Any] | None = None
    began: bool = False
    model: str = ""
    version: str = ""
    session_id: str = ""
    agents: tuple[str, ...] = ()
    tools: list[str] = field(default_factory=list)
    subagents: list[str] = field(default_factory=list)
    answered: bool = False
    api_error_message: bool = False
    retrying: bool = False
    retry_status: int | None = None
    retries: int = 0
    odd_lines: int = 0

    def take(self, line: bytes) -> str:
        """
        Read one line and return the type of its event, `system/` and subtype for those.
        """
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            self.odd_lines += bool(line.strip())
            return ""
        if not isinstance(event, dict):
            self.odd_lines += 1
            return ""
        kind = str(event.get("type", ""))
        match kind:
            case "system":
                kind = f"system/{event.get('subtype', '')}"
                self._take_system(event)
            case "assistant":
                self._take_assistant(event)
            case "result":
                self.result = event
        return kind

    def _take_system(self, event: dict[str, Any]) -> None:
        match event.get("subtype"):
            case "init":
                self.began = True
                self.model = self.model or str(event.get("model", ""))
                self.version = str(event.get("claude_code_version", ""))
                self.session_id = str(event.get("session_id", ""))
                self.agents = _names(event.get("agents"))
            case "api_retry":
                self.retries += 1
                self.retrying = True
                status = event.get("error_status")
                self.retry_status = status if isinstance(status, int) else None

    def _take_assistant(self, event: dict[str, Any]) -> None:
        message = event.get("message")
        message = message if isinstance(message, dict) else {}
        self.api_error_message = bool(event.get("is_api_error_message")) or (
            message.get("model") == "<synthetic>"
        )
        if self.api_error_message:
            return
        self.answered = True
        self.retrying = False
        content = message.get("content")
        for block in content if isinstance(content, list) else []:
            if isinstance(block, dict) and block.get("type") == "tool_use":
                self._take_tool(block)

    def _take_tool(self, block: dict[str, Any]) -> None:
        name = str(block.get("name", ""))
        self.tools.append(name)
        asked = block.get("input")
        if name in SUBAGENT_TOOLS and isinstance(asked, dict):
            self.subagents.append(str(asked.get("subagent_type", "")))

    @property
    def usage(self) -> Usage:
        """
        Tokens of the whole attempt as its result states them.
        """
        stated = (self.result or {}).get("usage")
        stated = stated if isinstance(stated, dict) else {}
        return Usage(
            input_tokens=_count(stated.get("input_tokens")),
            output_tokens=_count(stated.get("output_tokens")),
            cache_read_tokens=_count(stated.get("cache_read_input_tokens")),
            cache_write_tokens=_count(stated.get("cache_creation_input_tokens")),
        )

    @property
    def denied_tools(self) -> tuple[str, ...]:
        """
        Names of the tools that permissions refused, in order.
        """
        denials = (self.result or {}).get("permission_denials")
        return tuple(
            str(denial.get("tool_name", ""))
            for denial in (denials if isinstance(denials, list) else [])
            if isinstance(denial, dict)
        )


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(
        str(value.get("name", "")) if isinstance(value, dict) else str(value)
        for value in values
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
