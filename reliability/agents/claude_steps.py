"""
From the Claude Code CLI's events to the steps of a transcript.

What a subagent returns stands between words that are the CLI's own. Of one that was
waited for, `tool_use_result` has it bare; one in the background returns at once, and
what it said in the end comes in a `task_notification`.

Texts are kept up to a cap each, and all steps up to a cap together; what is beyond is
counted in `cut_bytes` of the last step that was kept, so nobody takes half a
transcript for a whole one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reliability.transcript import SUBAGENT_TOOLS, Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT_CAP_BYTES = 64 * 1024
STEPS_CAP_BYTES = 2 * 1024 * 1024
_STEP_BYTES = 64  # What a step costs besides its texts.


@dataclass(slots=True)
class StepLog:
    """
    The steps so far.
    """

    steps: list[Step] = field(default_factory=list)
    _used_bytes: int = 0
    _agent_of_call: dict[str, str] = field(default_factory=dict)
    _in_background: set[str] = field(default_factory=set)

    def take_message(self, event: Mapping[str, Any]) -> None:
        """
        Read an `assistant` or `user` event.
        """
        message = event.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        by = self._agent_of_call.get(str(event.get("parent_tool_use_id") or ""), "")
        said = _said_by_subagent(event.get("tool_use_result"))
        for block in content if isinstance(content, list) else ():
            if not isinstance(block, dict):
                continue
            if event.get("type") == "assistant":
                self._take_said(block, by)
            elif block.get("type") == "tool_result":
                self._take_return(block, by, said)

    def take_task(self, event: Mapping[str, Any]) -> None:
        """
        Read a `task_started` or `task_notification` event.
        """
        call_id = str(event.get("tool_use_id") or "")
        if event.get("subtype") == "task_started":
            if event.get("is_backgrounded"):
                self._in_background.add(call_id)
        elif call_id in self._in_background:
            self._in_background.discard(call_id)
            self._add(
                StepKind.RETURN,
                text=str(event.get("summary", "")),
                call_id=call_id,
                is_error=event.get("status") != "completed",
            )

    def _take_said(self, block: Mapping[str, Any], by: str) -> None:
        match block.get("type"):
            case "text":
                self._add(StepKind.SAY, by=by, text=str(block.get("text", "")))
            case "tool_use":
                self._take_call(block, by)

    def _take_return(self, block: Mapping[str, Any], by: str, said: str | None) -> None:
        call_id = str(block.get("tool_use_id", ""))
        if call_id in self._in_background:
            return
        self._add(
            StepKind.RETURN,
            by=by,
            text=_text_of(block.get("content")) if said is None else said,
            call_id=call_id,
            is_error=bool(block.get("is_error")),
        )

    def _take_call(self, block: Mapping[str, Any], by: str) -> None:
        call_id, tool = str(block.get("id", "")), str(block.get("name", ""))
        asked = block.get("input")
        if tool in SUBAGENT_TOOLS and isinstance(asked, dict):
            self._agent_of_call[call_id] = str(asked.get("subagent_type", ""))
        size_bytes = len(json.dumps(asked))
        if size_bytes > TEXT_CAP_BYTES:
            asked = {"left_out_bytes": size_bytes}
            size_bytes = 0
        self._add(
            StepKind.CALL,
            by=by,
            tool=tool,
            call_id=call_id,
            input=asked,
            size_bytes=size_bytes,
        )

    def _add(
        self, kind: StepKind, *, text: str = "", size_bytes: int = 0, **given: Any
    ) -> None:
        """
        Keep a step, or as much of it as there is room for.
        """
        raw = text.encode("utf-8", "surrogatepass")
        room_bytes = STEPS_CAP_BYTES - self._used_bytes - size_bytes - _STEP_BYTES
        if room_bytes < 0:
            self._cut(len(raw) + size_bytes)
            return
        cap_bytes = min(TEXT_CAP_BYTES, room_bytes)
        cut_bytes = max(0, len(raw) - cap_bytes)
        if cut_bytes:
            text = raw[:cap_bytes].decode("utf-8", "ignore")
        self._used_bytes += min(len(raw), cap_bytes) + size_bytes + _STEP_BYTES
        self.steps.append(Step(kind=kind, text=text, cut_bytes=cut_bytes, **given))

    def _cut(self, size_bytes: int) -> None:
        last = self.steps[-1]
        self.steps[-1] = replace(last, cut_bytes=last.cut_bytes + size_bytes)


def _said_by_subagent(result: object) -> str | None:
    """
    Return what a subagent that was waited for said; None when it is no such result.
    """
    match result:
        case {"agentId": str(), "content": list(content)}:
            return _text_of(content)
    return None


def _text_of(content: object) -> str:
    """
    Return the text of a tool's result, which is a text or a list of blocks.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(
        str(block.get("text", f"[{block.get('type', 'block')}]"))
        for block in content
        if isinstance(block, dict)
    )
