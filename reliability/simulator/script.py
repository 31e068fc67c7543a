"""
A scripted step: exactly what the server does with one model request.

A script is a tuple of steps; `planner` says which request meets which step. A script
file is a JSON list of objects whose keys are the fields of `Step`:

    [{"status": 429, "retry_after_s": 2}, {"tool": "Bash", "input": {"command": "ls"}},
     {"text": "Done."}]

Keys are strict and every problem of a file is named at once: a misspelt key that is
ignored would test something else than its author believes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

from reliability.errors import UsageError
from reliability.simulator.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STOP_REASONS = (
    "end_turn",
    "refusal",
    "max_tokens",
    "tool_use",
    "model_context_window_exceeded",
)
DROPS = ("before", "middle")
MAX_WAIT_S = 1_000_000  # Eleven days: whoever means more has mistaken the unit.


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    What the server does with one model request.

    Args:
        status: 200 for an answer, or 400 to 599 for an error.
        retry_after_s: The `retry-after` header of an error; None: no header.
        text: The answer; None: the profile's (right or wrong), or no text beside a
            tool. An empty string is an answer without any content.
        tool: Name of a tool that the answer calls, after its text.
        input: The tool's input.
        stop_reason: One of `STOP_REASONS`; None: `tool_use` with a tool, else
            `end_turn`.
        delay_s: Seconds before the answer; None: the profile's latency for an
            answer, and none for an error.
        drop: Reset the connection before the answer, or in the middle of it.
        hang: Never answer; the connection stays open.
        error_type: The error's `type`; None: the one that belongs to the status, or
            `overloaded_error` in a stream.
        error_message: The error's `message`; None: a usual one for the type.
        sse_error: Begin to stream with status 200, then send an `error` event. A
            request that does not stream gets that error as a status.

    Raises:
        UsageError: when the fields contradict each other; names every problem.
    """

    status: int = 200
    retry_after_s: float | None = None
    text: str | None = None
    tool: str | None = None
    input: Mapping[str, object] = field(default_factory=dict, hash=False)
    stop_reason: str | None = None
    delay_s: float | None = None
    drop: Literal["before", "middle"] | None = None
    hang: bool = False
    error_type: str | None = None
    error_message: str | None = None
    sse_error: bool = False

    def __post_init__(self) -> None:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        problems = _wrong_values(values) or _contradictions(self)
        if problems:
            raise UsageError(problems)

    @property
    def fails(self) -> bool:
        """
        True if the client gets no answer from this step and so has to ask again.
        """
        return self.status != 200 or bool(self.drop) or self.hang or self.sse_error

    @classmethod
    def from_json(cls, value: object, *, where: str = "step") -> Step:
        """
        Make a step from a decoded JSON object.

        Args:
            value: Anything; only an object with known keys is accepted.
            where: Named at the start of each problem, such as `script.json: step 2`.

        Raises:
            UsageError: names every unknown key and every wrong value.
        """
        if not isinstance(value, dict):
            raise UsageError(f"{where}: is {value!r}, not an object.")
        valid = [f.name for f in fields(cls)]
        problems = [
            f"{where}: there is no key {key!r}. {did_you_mean(str(key), valid)}"
            for key in value
            if key not in valid
        ]
        known = {key: item for key, item in value.items() if key in valid}
        try:
            step = cls(**known)
        except UsageError as error:
            problems.extend(f"{where}: {problem}" for problem in error.problems)
        if problems:
            raise UsageError(problems)
        return step


def load_script(path: Path) -> tuple[Step, ...]:
    """
    Read a script file: a JSON list with at least one step.

    Raises:
        UsageError: when it cannot be read or any step is wrong; names every problem.
    """
    try:
        decoded = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The script {path} cannot be read: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The script {path} is not JSON: {error}.") from error
    if not isinstance(decoded, list) or not decoded:
        raise UsageError(f"The script {path} is not a JSON list of at least one step.")
    steps: list[Step] = []
    problems: list[str] = []
    for number, item in enumerate(decoded, start=1):
        try:
            steps.append(Step.from_json(item, where=f"{path}: step {number}"))
        except UsageError as error:
            problems.extend(error.problems)
    if problems:
        raise UsageError(problems)
    return tuple(steps)


def is_wait_s(value: object) -> bool:
    """
    Return whether *value* is a number of seconds from 0 to `MAX_WAIT_S`.
    """
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= MAX_WAIT_S
    )


def _wrong_values(values: Mapping[str, object]) -> list[str]:
    """
    Return a sentence for each field whose value is not of its kind.
    """
    problems: list[str] = []

    def expect(name: str, what: str, *, holds: bool) -> None:
        if not holds:
            problems.append(f"{name!r} is {values[name]!r}, not {what}.")

    status = values["status"]
    expect("status", "200 or a number from 400 to 599", holds=_is_status(status))
    for name in ("retry_after_s", "delay_s"):
        holds = values[name] is None or is_wait_s(values[name])
        expect(name, f"a number of seconds from 0 to {MAX_WAIT_S}", holds=holds)
    for name in ("text", "error_type", "error_message"):
        holds = values[name] is None or isinstance(values[name], str)
        expect(name, "a text", holds=holds)
    tool = values["tool"]
    holds = tool is None or (isinstance(tool, str) and bool(tool))
    expect("tool", "the name of a tool", holds=holds)
    expect("input", "an object", holds=isinstance(values["input"], dict))
    for name in ("hang", "sse_error"):
        expect(name, "true or false", holds=isinstance(values[name], bool))
    for name, valid in (("stop_reason", STOP_REASONS), ("drop", DROPS)):
        holds = values[name] is None or values[name] in valid
        expect(name, f"one of {', '.join(valid)}", holds=holds)
    return problems


def _is_status(value: object) -> bool:
    """
    Return whether *value* is a status that a model request can get.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return value == 200 or 400 <= value <= 599


def _contradictions(step: Step) -> list[str]:
    """
    Return a sentence for each pair of good fields that exclude each other.
    """
    problems: list[str] = []
    answers = [
        name
        for name in ("text", "tool", "stop_reason", "drop", "sse_error")
        if getattr(step, name)
    ]
    if step.status != 200 and answers:
        problems.append(
            f"'status' {step.status!r} is an error, which excludes "
            f"{', '.join(map(repr, answers))}."
        )
    if step.status == 200 and step.retry_after_s is not None:
        problems.append("'retry_after_s' needs an error 'status', such as 429.")
    for name in ("error_type", "error_message"):
        is_given = getattr(step, name) is not None
        if is_given and step.status == 200 and not step.sse_error:
            problems.append(f"{name!r} needs an error 'status' or 'sse_error'.")
    if step.input and not step.tool:
        problems.append("'input' needs a 'tool'.")
    if sum((bool(step.drop), step.hang, step.sse_error)) > 1:
        problems.append("'drop', 'hang' and 'sse_error' exclude each other.")
    return problems
