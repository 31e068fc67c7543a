"""
The check `delegated-to`: the agent called a subagent, and told what it said.

Relay fidelity is the share of the words that the subagent returned which the final
answer has too, each as often as it came: 1 when the answer carries all of it. Words
are runs of letters and digits, compared without regard to case. It is linear in both
texts, and blind to order and to negation: what it finds is a relay that lost content.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from reliability.checks.base import BaseCheck, brief
from reliability.errors import CheckError
from reliability.grades import Grade
from reliability.transcript import SUBAGENT_TOOLS, StepKind, tool_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reliability.grades import Evidence
    from reliability.transcript import Step

_MOST_NAMES = 20
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedTo(BaseCheck):
    """
    The main agent called a subagent, which came to its end.

    Args:
        relay_fidelity: Least share of the subagent's last words that the final answer
            carries, 0 to 1; None does not look.
    """

    KIND: ClassVar[str] = "delegated-to"
    SHORT: ClassVar[str] = "agent"
    agent: str
    relay_fidelity: float | None = None

    def grade(self, evidence: Evidence) -> Grade:
        """
        Find the delegation, and compare texts when asked to.

        Raises:
            CheckError: when what came back is not known whole.
        """
        calls = [
            step for step in tool_calls(evidence.steps) if step.tool in SUBAGENT_TOOLS
        ]
        called = [_subagent(step) for step in calls]
        ids = {
            step.call_id
            for step, name in zip(calls, called, strict=True)
            if name == self.agent
        }
        if not ids:
            others = told_of(called)
            return Grade.of(f"expected a call of the agent {self.agent} ({others})")
        returned = _returns(evidence.steps, ids)
        if not returned:
            return Grade.of(f"the agent {self.agent} was called and returned nothing")
        if self.relay_fidelity is None:
            return Grade.of("")
        if any(step.cut_bytes for step in returned):
            raise CheckError("relay-fidelity cannot decide: the return is not whole")
        return self._relayed(returned[-1].text, evidence.answer)

    def _relayed(self, returned: str, answer: str) -> Grade:
        assert self.relay_fidelity is not None, "the caller has looked"  # noqa: S101
        fidelity = relay_fidelity(returned, answer)
        details = {"relay_fidelity": round(fidelity, 6)}
        if fidelity >= self.relay_fidelity:
            return Grade(passed=True, score=1.0, details=details)
        said = f"{fidelity:.0%} of the words that {self.agent} returned"
        return Grade(
            passed=False,
            score=0.0,
            reason=f"expected an answer with {self.relay_fidelity:.0%}, got {said}",
            details=details,
        )


def relay_fidelity(returned: str, answer: str) -> float:
    """
    Return the share of the words of *returned* that *answer* has; 1 when it has none.
    """
    wanted = Counter(_WORD.findall(returned.casefold()))
    if not wanted:
        return 1.0
    there = Counter(_WORD.findall(answer.casefold()))
    return (wanted & there).total() / wanted.total()


def told_of(called: Sequence[str]) -> str:
    """
    Return which agents were called, as far as they fit into a sentence.
    """
    if not called:
        return "none was called"
    more = len(called) - _MOST_NAMES
    names = ", ".join(map(brief, called[:_MOST_NAMES]))
    return f"called: {names}{f' and {more} more' if more > 0 else ''}"


def _subagent(call: Step) -> str:
    asked = call.input if isinstance(call.input, dict) else {}
    return str(asked.get("subagent_type", ""))


def _returns(steps: Sequence[Step], ids: set[str]) -> list[Step]:
    """
    Return what the calls brought, errors left out.
    """
    return [
        step
        for step in steps
        if step.kind is StepKind.RETURN and step.call_id in ids and not step.is_error
    ]
