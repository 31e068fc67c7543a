"""
From the CLI's events to steps, as Claude Code 2.1.330 prints them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import new_journal
from hypothesis import given, strategies as st

from reliability.agents.claude_events import Transcript
from reliability.agents.claude_steps import STEPS_CAP_BYTES, TEXT_CAP_BYTES, StepLog
from reliability.engine.events import reply_fields
from reliability.journal import read_whole_events
from reliability.model import Reply
from reliability.transcript import Step, StepKind, read_logged, steps_of

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def assistant(*blocks: dict[str, Any], parent: str | None = None) -> dict[str, Any]:
    """
    Return the event of a model's message.
    """
    message = {"role": "assistant", "content": list(blocks)}
    return {"type": "assistant", "message": message, "parent_tool_use_id": parent}


def user(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """
    Return the event of what a model is told.
    """
    return {
        "type": "user",
        "message": {"role": "user", "content": list(blocks)},
        **more,
    }


def call(call_id: str, tool: str, **asked: Any) -> dict[str, Any]:
    """
    Return the block of a tool's call.
    """
    return {"type": "tool_use", "id": call_id, "name": tool, "input": asked}


def result(call_id: str, content: Any, **more: Any) -> dict[str, Any]:
    """
    Return the block of a tool's return.
    """
    return {
        "type": "tool_result",
        "tool_use_id": call_id,
        "content": content,
        **more,
    }


def text(said: str) -> dict[str, Any]:
    """
    Return a block of text.
    """
    return {"type": "text", "text": said}


def read(*events: dict[str, Any]) -> list[Step]:
    """
    Read events as lines of the CLI.
    """
    transcript = Transcript()
    for event in events:
        transcript.take(json.dumps(event).encode())
    return transcript.log.steps


def test_tools_are_called_and_return() -> None:
    """
    In order, with input, text and error; what permissions refuse is a call too.
    """
    steps = read(
        assistant(text("I look."), call("1", "Bash", command="ls")),
        user(result("1", "Exit code 2", is_error=True)),
    )

    assert [
        Step(kind=StepKind.SAY, text="I look."),
        Step(kind=StepKind.CALL, tool="Bash", call_id="1", input={"command": "ls"}),
        Step(kind=StepKind.RETURN, text="Exit code 2", call_id="1", is_error=True),
    ] == steps


def test_a_subagent_that_is_waited_for_returns_its_own_words() -> None:
    """
    Without those of the CLI around them; its steps bear its name, its prompt is none.
    """
    steps = read(
        assistant(call("1", "Agent", subagent_type="helper", prompt="Count.")),
        user(text("Count."), parent_tool_use_id="1"),
        assistant(text("Seven."), parent="1"),
        user(
            result("1", [text("[Subagent hand-back] ...\n  Seven.\nagentId: a")]),
            tool_use_result={"agentId": "a", "content": [text("Seven.")]},
        ),
    )

    assert [("call", ""), ("say", "helper"), ("return", "")] == [
        (step.kind, step.by) for step in steps
    ]
    assert "Seven." == steps[-1].text


def test_a_subagent_in_the_background_returns_when_it_is_done() -> None:
    """
    That it was started is no return, and one that died is an error.
    """
    task = {"type": "system", "task_id": "t", "tool_use_id": "1"}
    started = {**task, "subtype": "task_started", "is_backgrounded": True}
    ended = {**task, "subtype": "task_notification", "summary": "Seven."}
    calling = assistant(call("1", "Agent", subagent_type="helper"))
    launched = user(result("1", "Async agent launched successfully."))
    done = read(calling, started, launched, {**ended, "status": "completed"})
    died = read(calling, started, launched, {**ended, "status": "failed"})

    assert ["Seven."] == [one.text for one in done if one.kind is StepKind.RETURN]
    assert [False, True] == [done[-1].is_error, died[-1].is_error]


def test_a_flood_is_cut_and_counted() -> None:
    """
    Each text and all of them have a cap; what is missing is said.
    """
    long = read(assistant(text("x" * (TEXT_CAP_BYTES + 7))))
    many = read(*[assistant(text("y" * TEXT_CAP_BYTES)) for _ in range(60)])
    kept_bytes = sum(len(step.text) for step in many)

    assert 7 == long[0].cut_bytes
    assert kept_bytes <= STEPS_CAP_BYTES
    assert 60 * TEXT_CAP_BYTES == kept_bytes + sum(step.cut_bytes for step in many)


@given(st.lists(JSON, max_size=6))
def test_no_form_of_an_event_breaks_the_reader(contents: list[Any]) -> None:
    """
    What is no message is passed over.
    """
    log = StepLog()
    for content in contents:
        for kind in ("assistant", "user"):
            log.take_message({"type": kind, "message": {"content": content}})
            log.take_message({"type": kind, "message": content})
        log.take_task({"subtype": "task_notification", "summary": content})

    assert all(isinstance(step, Step) for step in log.steps)


@pytest.mark.parametrize("size", [10, 1_900_000])
def test_a_long_transcript_is_in_the_log_whole(size: int, tmp_path: Path) -> None:
    """
    What is too long for a line lies beside the log, and comes back as it was.
    """
    steps = tuple(
        Step(kind=StepKind.RETURN, call_id=str(n), text="\x01é" * (size // 40))
        for n in range(20)
    )
    with new_journal(tmp_path) as journal:
        journal.append("attempt_finished", reply_fields(Reply(steps=steps)))
    (event,) = read_whole_events(journal.path)

    assert steps == read_logged(event.fields["transcript"])


@given(
    st.lists(
        st.builds(
            Step,
            kind=st.sampled_from(StepKind),
            by=st.text(),
            text=st.text(),
            tool=st.text(),
            call_id=st.text(),
            input=JSON,
            is_error=st.booleans(),
            cut_bytes=st.integers(0, 9),
        )
    )
)
def test_steps_come_back_from_a_log_as_they_were(steps: list[Step]) -> None:
    """
    Fields that say nothing are left out and understood.
    """
    logged = json.loads(json.dumps([step.as_json() for step in steps]))

    assert tuple(steps) == steps_of(logged)
