"""
What an agent did, step by step: what it said, which tools it called, what came back.

The steps come from a backend's structured events, never from a model's text, and are
kept in the log. A backend that has no such events (one Messages API call, a command)
has no steps beside its answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SUBAGENT_TOOLS = frozenset({"Agent", "Task"})
"""Tools of Claude Code that call a subagent."""


LONG_CHARACTERS = 64 * 1024


class StepKind(StrEnum):
    """
    What happened in a step.
    """

    SAY = "say"
    CALL = "call"  # of a tool
    RETURN = "return"  # of a tool, to the model that called it


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One step of a transcript.

    Args:
        by: Type of the subagent that did it; empty for the main agent.
        text: What was said, or what the tool returned.
        tool: Name of the tool that was called; empty unless `kind` is CALL.
        call_id: Ties a RETURN to its CALL; empty for SAY.
        input: What the tool was called with, as JSON-like data.
        is_error: The tool returned an error, or permissions refused it.
        cut_bytes: How much is missing at the end of `text`; 0 when it is whole.
    """

    kind: StepKind
    by: str = ""
    text: str = ""
    tool: str = ""
    call_id: str = ""
    input: Any = None
    is_error: bool = False
    cut_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """
        Return the step as the log has it: without the fields that say nothing.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        asked = values.pop("input")
        known = {name: value for name, value in values.items() if value}
        return known if asked is None else {**known, "input": asked}


_NAMES = frozenset(field.name for field in fields(Step))


def steps_of(values: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """
    Return the steps that a log has; fields that are not known are passed over.

    Raises:
        LookupError, TypeError, ValueError: when a step has not the form it should.
    """
    return tuple(
        Step(
            **{
                **{name: value[name] for name in _NAMES & value.keys()},
                "kind": StepKind(value["kind"]),
            }
        )
        for value in values
    )


def logged(steps: Sequence[Step]) -> list[dict[str, Any]] | str:
    """
    Return steps as a log has them: a list or, when that is long, its JSON as one text.

    A text that is too long for a line moves to a file beside the log; a list cannot.
    """
    values = [step.as_json() for step in steps]
    text = json.dumps(values)
    return text if len(text) > LONG_CHARACTERS else values


def read_logged(value: Iterable[Mapping[str, Any]] | str) -> tuple[Step, ...]:
    """
    Return the steps that `logged` made a value of.

    Raises:
        LookupError, TypeError, ValueError: when it has not the form it should.
    """
    return steps_of(json.loads(value) if isinstance(value, str) else value)


def tool_calls(steps: Sequence[Step], *, by: str | None = "") -> tuple[Step, ...]:
    """
    Return the calls of tools, in order.

    Args:
        by: Whose: a subagent's type, empty for the main agent's, None for everybody's.
    """
    return tuple(
        step
        for step in steps
        if step.kind is StepKind.CALL and (by is None or step.by == by)
    )
