"""
Checks of the tools that an agent called: `tool-used`, `tool-not-used`, `tool-order`.

They read the structured transcript, never what a model says that it did. A call that
permissions refused is a call all the same: the agent tried.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from reliability.checks.base import BaseCheck, brief, label_of, require_pattern
from reliability.clock import SystemClock
from reliability.grades import Grade
from reliability.transcript import tool_calls

if TYPE_CHECKING:
    from reliability.grades import Evidence
    from reliability.transcript import Step

ANYBODY = "*"
"""As `by`: the main agent and every subagent."""

_TIMEOUT_S = 5.0
"""For all calls of a trial together: how many there are is the agent's choice."""

_LEAST_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUsed(BaseCheck):
    """
    The agent called a tool.

    Args:
        min: Fewest calls.
        max: Most calls; None for any number.
        input_matches: Only calls count whose input, as JSON, this pattern matches.
        by: Whose calls count: a subagent's type, `*` for everybody's, empty for the
            main agent's.
    """

    KIND: ClassVar[str] = "tool-used"
    SHORT: ClassVar[str] = "tool"
    tool: str
    min: int = 1
    max: int | None = None
    input_matches: str | None = None
    by: str = ANYBODY

    def __post_init__(self) -> None:
        """
        Refuse what is no regular expression, and bounds that no number meets.

        Raises:
            ValueError: when one of them is so.
        """
        if self.input_matches is not None:
            require_pattern(self.input_matches)
        if self.max is not None and self.max < self.min:
            raise ValueError(f"min is {self.min}, which is more than max, {self.max}")

    def grade(self, evidence: Evidence) -> Grade:
        """
        Count the calls.

        Raises:
            CheckError: when `input_matches` finds no end.
        """
        calls = _calls(evidence, self.by)
        clock = SystemClock()
        end_mono_s = clock.monotonic_s() + _TIMEOUT_S
        count = sum(
            self._counts(step, end_mono_s - clock.monotonic_s()) for step in calls
        )
        if self.min <= count and (self.max is None or count <= self.max):
            return Grade.of("")
        wanted = f"at least {self.min}"
        if self.max is not None:
            wanted = f"{self.min} to {self.max}"
        which = f"calls of {self.tool}"
        if self.input_matches is not None:
            which += f" with {self.input_matches!r}"
        return Grade.of(f"expected {wanted} {which}, got {count} ({_said(calls)})")

    def _counts(self, step: Step, left_s: float) -> bool:
        if step.tool != self.tool:
            return False
        if self.input_matches is None:
            return True
        from reliability.checks.sandbox import search

        text = json.dumps(step.input, ensure_ascii=False)
        return search(self.input_matches, text, timeout_s=max(left_s, _LEAST_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolNotUsed(BaseCheck):
    """
    The agent called none of these tools.

    Args:
        by: As in `tool-used`.
    """

    KIND: ClassVar[str] = "tool-not-used"
    SHORT: ClassVar[str] = "tools"
    tools: tuple[str, ...] | str
    by: str = ANYBODY

    def __post_init__(self) -> None:
        """
        Refuse a list without a tool.

        Raises:
            ValueError: when it is empty.
        """
        _require_tools(self.tools)

    def grade(self, evidence: Evidence) -> Grade:
        """
        Look for a call.
        """
        names = (self.tools,) if isinstance(self.tools, str) else self.tools
        used = Counter(
            step.tool for step in _calls(evidence, self.by) if step.tool in names
        )
        if not used:
            return Grade.of("")
        told = ", ".join(f"{count} of {brief(tool)}" for tool, count in used.items())
        return Grade.of(f"expected no calls of {', '.join(names)}, got {told}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOrder(BaseCheck):
    """
    The agent called these tools in this order; others may stand between.

    Args:
        by: As in `tool-used`.
    """

    KIND: ClassVar[str] = "tool-order"
    SHORT: ClassVar[str] = "tools"
    tools: tuple[str, ...]
    by: str = ""

    def __post_init__(self) -> None:
        """
        Refuse a list without a tool.

        Raises:
            ValueError: when it is empty.
        """
        _require_tools(self.tools)

    @property
    def label(self) -> str:
        """
        The order.
        """
        return label_of(self.KIND, " > ".join(self.tools))

    def grade(self, evidence: Evidence) -> Grade:
        """
        Walk along the calls.
        """
        calls = _calls(evidence, self.by)
        left = list(self.tools)
        for step in calls:
            if left and step.tool == left[0]:
                left.pop(0)
        if not left:
            return Grade.of("")
        order = " > ".join(self.tools)
        met = len(self.tools) - len(left)
        reason = f"expected the tools {order}, got {met} of them in order"
        return Grade.of(f"{reason} ({_said(calls)})")


def _require_tools(tools: tuple[str, ...] | str) -> None:
    if not tools:
        raise ValueError("it names no tool")


def _calls(evidence: Evidence, by: str) -> tuple[Step, ...]:
    return tool_calls(evidence.steps, by=None if by == ANYBODY else by)


def _said(calls: tuple[Step, ...]) -> str:
    """
    Return which tools were called, in order, for an error.
    """
    names = [brief(step.tool) for step in calls]
    shown = ", ".join(names[:20]) or "none"
    more = len(names) - 20
    return f"called: {shown}{f' and {more} more' if more > 0 else ''}"
