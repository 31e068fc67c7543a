"""
Reads the event lines of `claude -p --output-format stream-json --verbose`.

The events are as Claude Code 2.1.330 prints them. With subagents in the background
there are several `init` and several `result` events: the last `result` has the answer
and the totals of cost and models, while turns and denials are told once, in the result
that they belong to, and so are added up. Lines that are not JSON objects are counted
and otherwise ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reliability.agents.claude_steps import StepLog
from reliability.agents.json_object import read_object
from reliability.model import Usage
from reliability.transcript import SUBAGENT_TOOLS

_MOST = 10**15
_TOO_MANY = 429
_TASK_DIED_OF_API = "Agent terminated early due to an API error"


@dataclass(slots=True)
class Transcript:
    """
    What has been read so far.

    Args:
        result: The last `result` event; None when there was none.
        turns: Model turns of all results, subagents left out; None before a result.
        began: An `init` event came, so the CLI accepted its arguments.
        model: Of the main agent.
        agents: Names of all agents that the CLI knows.
        subagents: Types of the subagents called, in order.
        dead_subagents: By type: why a subagent was ended by an API error, unless one
            of the same type came to its end later. The CLI tells it to the model and
            goes on.
        denials: Names of the denied tools by the id of their call, in order.
        answered: A model said something, API error messages left out.
        api_error_message: The main agent's last message was one that the CLI made from
            an error.
        window_full: That error was that an answer came to the end of the model's
            context window.
        retrying: The CLI is about to repeat a request.
        retry_status: HTTP status of the last retry; None when there was no reply.
        refusals: Retries that were for a rate limit.
        retry_delay_s: How long the CLI is going to wait before it.
        log: What the agent and its subagents did, step by step.
    """

    result: dict[str, Any] | None = None
    turns: int | None = None
    began: bool = False
    model: str = ""
    version: str = ""
    session_id: str = ""
    agents: tuple[str, ...] = ()
    tools: list[str] = field(default_factory=list)
    subagents: list[str] = field(default_factory=list)
    dead_subagents: dict[str, str] = field(default_factory=dict)
    denials: dict[str, str] = field(default_factory=dict)
    answered: bool = False
    api_error_message: bool = False
    window_full: bool = False
    retrying: bool = False
    retry_status: int | None = None
    retry_delay_s: float = 0.0
    retries: int = 0
    refusals: int = 0
    odd_lines: int = 0
    log: StepLog = field(default_factory=StepLog)
    _type_of_task: dict[str, str] = field(default_factory=dict)
    _open_tasks: set[str] = field(default_factory=set)
    _is_at_work: bool = False
    _stated_usage: Usage = field(default_factory=Usage)

    def take(self, line: bytes) -> str:
        """
        Read one line and return the type of its event, `system/` and subtype for those.
        """
        event = read_object(line)
        if event is None:
            self.odd_lines += bool(line.strip())
            return ""
        kind = str(event.get("type", ""))
        match kind:
            case "system":
                kind = f"system/{event.get('subtype', '')}"
                self._take_system(event)
            case "assistant":
                self._take_assistant(event)
            case "user":
                self.log.take_message(event)
            case "result":
                self._take_result(event)
        return kind

    def _take_system(self, event: dict[str, Any]) -> None:
        match event.get("subtype"):
            case "init":
                self.began = self._is_at_work = True
                self.model = self.model or str(event.get("model", ""))
                self.version = str(event.get("claude_code_version", ""))
                self.session_id = str(event.get("session_id", ""))
                self.agents = _names(event.get("agents"))
            case "api_retry":
                self.retries += 1
                self.retrying = self._is_at_work = True
                self.retry_status = _count(event.get("error_status")) or None
                self.refusals += self.retry_status == _TOO_MANY
                self.retry_delay_s = _count(event.get("retry_delay_ms")) / 1000
            case "permission_denied":
                self._take_denial(event)
            case "task_started":
                self._take_start_of_task(event)
            case "task_notification":
                self._take_end_of_task(event)

    def _take_start_of_task(self, event: dict[str, Any]) -> None:
        self.log.take_task(event)
        task_id, kind = str(event.get("task_id", "")), event.get("subagent_type")
        self._type_of_task[task_id] = str(kind or "")
        if kind:
            self._open_tasks.add(task_id)

    def _take_end_of_task(self, event: dict[str, Any]) -> None:
        self.log.take_task(event)
        task_id = str(event.get("task_id", ""))
        self._open_tasks.discard(task_id)
        kind = self._type_of_task.get(task_id, "")
        summary = str(event.get("summary", ""))
        if event.get("status") == "completed":
            self.dead_subagents.pop(kind, None)
        elif summary.startswith(_TASK_DIED_OF_API):
            self.dead_subagents[kind] = summary

    def _take_denial(self, event: dict[str, Any]) -> None:
        call_id = str(event.get("tool_use_id", f"call {len(self.denials)}"))
        self.denials[call_id] = str(event.get("tool_name", ""))

    def _take_assistant(self, event: dict[str, Any]) -> None:
        message = event.get("message")
        message = message if isinstance(message, dict) else {}
        is_error = bool(event.get("is_api_error_message")) or (
            message.get("model") == "<synthetic>"
        )
        if not event.get("parent_tool_use_id"):
            self.api_error_message = is_error
            match event.get("api_error_params"):
                case {"cut": cut}:
                    self.window_full = is_error and cut == "context_window"
                case _:
                    self.window_full = False
        if is_error:
            return
        self.answered = self._is_at_work = True
        self.retrying = False
        self.log.take_message(event)
        for block in _objects(message.get("content")):
            if block.get("type") == "tool_use":
                self._take_tool(block)

    def _take_tool(self, block: dict[str, Any]) -> None:
        name = str(block.get("name", ""))
        self.tools.append(name)
        asked = block.get("input")
        if name in SUBAGENT_TOOLS and isinstance(asked, dict):
            self.subagents.append(str(asked.get("subagent_type", "")))

    def _take_result(self, event: dict[str, Any]) -> None:
        self.result = event
        self.retrying = self._is_at_work = False
        self.turns = (self.turns or 0) + _count(event.get("num_turns"))
        for denial in _objects(event.get("permission_denials")):
            self._take_denial(denial)
        stated = event.get("usage")
        if isinstance(stated, dict):
            self._stated_usage = _sum(self._stated_usage, _usage(stated, _API_NAMES))

    @property
    def is_over(self) -> bool:
        """
        Tell whether the last result is the final one, as far as anything says.

        It is not while a subagent works in the background, nor once the main agent has
        begun to work on what a subagent reported.
        """
        return self.result is not None and not (self._is_at_work or self._open_tasks)

    @property
    def usage(self) -> Usage:
        """
        Tokens of the whole attempt, subagents included.

        `modelUsage` is the running total of all models. `usage` is one result's share
        without the subagents, and zero when a budget ended it, so it only stands in
        for a total that is missing.
        """
        models = (self.result or {}).get("modelUsage")
        total = Usage()
        for stated in models.values() if isinstance(models, dict) else ():
            if isinstance(stated, dict):
                total = _sum(total, _usage(stated, _TOTAL_NAMES))
        return total if total != Usage() else self._stated_usage

    @property
    def denied_tools(self) -> tuple[str, ...]:
        """
        Names of the tools that permissions refused, in order.
        """
        return tuple(self.denials.values())


# Input, output, read from the cache, written to it: as `usage` and `modelUsage` say.
_API_NAMES = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_TOTAL_NAMES = (
    "inputTokens",
    "outputTokens",
    "cacheReadInputTokens",
    "cacheCreationInputTokens",
)


def _usage(stated: dict[str, Any], names: tuple[str, str, str, str]) -> Usage:
    counts = [_count(stated.get(name)) for name in names]
    return Usage(
        input_tokens=counts[0],
        output_tokens=counts[1],
        cache_read_tokens=counts[2],
        cache_write_tokens=counts[3],
    )


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cache_read_tokens=one.cache_read_tokens + other.cache_read_tokens,
        cache_write_tokens=one.cache_write_tokens + other.cache_write_tokens,
    )


def _objects(values: object) -> list[dict[str, Any]]:
    if not isinstance(values, list):
        return []
    return [value for value in values if isinstance(value, dict)]


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(
        str(value.get("name", "")) if isinstance(value, dict) else str(value)
        for value in values
    )


def _count(value: object) -> int:
    """
    Return a count as stated; 0 for what is none, such as a number beyond all sense.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    return 0
