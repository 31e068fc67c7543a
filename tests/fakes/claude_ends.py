"""
Ends of the Claude Code CLI for tests that start none.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.agents.claude_events import Transcript
from reliability.agents.claude_judgement import judge
from reliability.process import Capture, ChildReport

if TYPE_CHECKING:
    from reliability.kinds import ErrorKind
    from reliability.model import Trouble

_NOTHING = Capture(head=b"", tail=b"", total_bytes=0)
_GOOD = ChildReport(
    pid=1,
    exit_code=0,
    stdout=_NOTHING,
    stderr=_NOTHING,
    duration_s=1.5,
    timed_out=False,
    cancelled=False,
    swept=0,
)


def report(**changes: Any) -> ChildReport:
    """
    Return the report of a child that ended well, but for *changes*.
    """
    return replace(_GOOD, **changes)


def transcript(*events: dict[str, Any]) -> Transcript:
    """
    Return what is known after these events.
    """
    read = Transcript()
    for event in events:
        read.take(json.dumps(event).encode())
    return read


def init(**fields: Any) -> dict[str, Any]:
    """
    Return an `init` event.
    """
    return {"type": "system", "subtype": "init", "model": "m", **fields}


def said(*content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """
    Return a message of the model.
    """
    message = {"model": "m", "content": list(content)}
    return {"type": "assistant", "message": message, **fields}


def result(**fields: Any) -> dict[str, Any]:
    """
    Return the `result` event of an answer, but for *fields*.
    """
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "api_error_status": None,
        "terminal_reason": "completed",
        "stop_reason": "end_turn",
        "num_turns": 1,
        "result": "hello",
        "total_cost_usd": 0.25,
        "usage": {"input_tokens": 5, "output_tokens": 2},
        "permission_denials": [],
        **fields,
    }


def judged(
    *events: dict[str, Any],
    errors: str = "",
    schema_given: bool = False,
    delegate_to: str = "",
    **changes: Any,
) -> Trouble | None:
    """
    Judge these events and this end of the child.
    """
    return judge(
        transcript(*events),
        report(**changes),
        errors=errors,
        timeout_s=30,
        schema_given=schema_given,
        delegate_to=delegate_to,
    )


def kind_of(trouble: Trouble | None) -> ErrorKind | None:
    """
    Return its kind; None for an answer.
    """
    return None if trouble is None else trouble.kind
