"""
Who asks, and what the server does about it.

A client names itself with the headers `x-reliability-trial` and
`x-reliability-attempt`. Then everything is counted per trial: the n-th request of a
trial meets the n-th step of the script, over all its attempts, and the last step
repeats; without a script, faults are drawn by trial, attempt and request.

A request without these headers is a trial of its own, numbered by arrival (so a client
that asks one after the other sees the same outcomes as trials 1, 2, 3, ...). A script
has to recognise it by what it brings, as many clients may send the same prompt:

- a step that fails (an error status, a drop, a hang, an error in the stream) happens
  once per server, so "429, then an answer" is 429 once for a client that simply
  repeats its request, and answers from then on;
- a step that answers is chosen by the number of assistant turns in the request, so
  each new conversation begins anew with the first answer;
- a tool that the request does not offer is passed over, and so is a delegation for a
  subagent (which shares its parent's script): it gets the step after it;
- the last step repeats, whatever it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.simulator.chance import (
    Identity,
    answer_of,
    fault_of,
    is_right,
    latency_s_of,
)
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.simulator.profile import Profile

TRIAL_HEADER = "x-reliability-trial"
ATTEMPT_HEADER = "x-reliability-attempt"
# Claude Code sends it with a subagent's requests only (observed with 2.1.330).
SUBAGENT_HEADER = "x-claude-code-agent-id"
DELEGATION_TOOLS = {"Agent", "Task"}  # Task is the older name of the same tool.
_PLAIN = Step()  # A step costs microseconds to check: once is enough.


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What the server does with one request.

    Args:
        step: The step, scripted or drawn.
        text: The answer's text; None: no text.
        delay_s: Seconds before the answer is complete, or before the error.
        is_wrong: True if *text* is one of the profile's wrong answers.
    """

    step: Step
    text: str | None
    delay_s: float
    is_wrong: bool


class Planner:
    """
    Decides by identity; the only state is how often each one has asked.

    Not thread-safe: used by the server's loop alone.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._of_trial: Counter[str] = Counter()
        self._of_attempt: Counter[tuple[str, str]] = Counter()
        self._nameless_count = 0
        self._spent_steps: set[int] = set()

    def plan(self, headers: Mapping[str, str], body: Mapping[str, object]) -> Plan:
        """
        Return what to do with the next request of whoever sent *headers*.
        """
        plan, settle = self.preview(headers, body)
        settle()
        return plan

    def preview(
        self, headers: Mapping[str, str], body: Mapping[str, object]
    ) -> tuple[Plan, Callable[[], None]]:
        """
        Return what `plan` would, and a function that counts the request.

        A request that is refused for another reason is not counted, so the next one
        meets the same. Nothing else may be planned between the two.
        """
        trial = headers.get(TRIAL_HEADER)
        if trial is None:
            return self._preview_nameless(headers, body)
        script = self._profile.script
        attempt = headers.get(ATTEMPT_HEADER, "1")
        number = self._of_attempt[trial, attempt] + 1
        identity = Identity(trial=trial, attempt=attempt, request_number=number)
        step = script[min(self._of_trial[trial], len(script) - 1)] if script else None

        def settle() -> None:
            self._of_attempt[trial, attempt] += 1
            self._of_trial[trial] += 1

        return self._plan_for(identity, step), settle

    def _preview_nameless(
        self, headers: Mapping[str, str], body: Mapping[str, object]
    ) -> tuple[Plan, Callable[[], None]]:
        """
        Do the same for a client that does not say who it is.
        """
        identity = Identity(trial=str(self._nameless_count + 1))
        script = self._profile.script
        index = self._nameless_step(headers, body) if script else None
        step = None if index is None else script[index]

        def settle() -> None:
            self._nameless_count += 1
            if index is not None and script[index].fails:
                self._spent_steps.add(index)

        return self._plan_for(identity, step), settle

    def _plan_for(self, identity: Identity, step: Step | None) -> Plan:
        """
        Fill in what *step* leaves to the profile; None: a drawn fault, or none.
        """
        profile = self._profile
        step = step or fault_of(profile, identity) or _PLAIN
        delay_s = step.delay_s
        if delay_s is None:
            delay_s = 0.0 if step.status != 200 else latency_s_of(profile, identity)
        if step.text is not None or step.tool:
            return Plan(step=step, text=step.text, delay_s=delay_s, is_wrong=False)
        return Plan(
            step=step,
            text=answer_of(profile, identity.trial),
            delay_s=delay_s,
            is_wrong=not is_right(profile, identity.trial),
        )

    def _nameless_step(
        self, headers: Mapping[str, str], body: Mapping[str, object]
    ) -> int:
        """
        Return which step is for a request that only its own content identifies.
        """
        steps = self._profile.script[:-1]
        turns_left = _assistant_turns(body)
        offered = _offered_tools(body)
        if SUBAGENT_HEADER in headers:
            offered -= DELEGATION_TOOLS
        for index, step in enumerate(steps):
            if step.fails:
                if index not in self._spent_steps:
                    return index
            elif step.tool and step.tool not in offered:
                continue
            elif turns_left == 0:
                return index
            else:
                turns_left -= 1
        return len(steps)


def _items(body: Mapping[str, object], key: str) -> list[dict[str, object]]:
    """
    Return the objects of the list at *key*; nothing if there is no such list.
    """
    value = body.get(key)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def _assistant_turns(body: Mapping[str, object]) -> int:
    """
    Count the messages that the model is said to have sent already.
    """
    return sum(m.get("role") == "assistant" for m in _items(body, "messages"))


def _offered_tools(body: Mapping[str, object]) -> set[str]:
    """
    Return the names of the request's tools.
    """
    names = (tool.get("name") for tool in _items(body, "tools"))
    return {name for name in names if isinstance(name, str)}
