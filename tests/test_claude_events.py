"""
The reader of the Claude Code CLI's events, with lines as version 2.1.330 prints them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from reliability.agents.claude_events import Transcript
from reliability.model import Usage


def read(*events: dict[str, Any]) -> Transcript:
    """
    Return what a transcript holds after these events.
    """
    transcript = Transcript()
    for event in events:
        transcript.take(json.dumps(event).encode())
    return transcript


def init(**fields: Any) -> dict[str, Any]:
    """
    Return an `init` event.
    """
    return {"type": "system", "subtype": "init", **fields}


def said(
    *content: dict[str, Any], model: str = "m", parent: str | None = None, **fields: Any
) -> dict[str, Any]:
    """
    Return an `assistant` event.
    """
    message = {"model": model, "content": list(content)}
    return {
        "type": "assistant",
        "message": message,
        "parent_tool_use_id": parent,
        **fields,
    }


def called(name: str, **asked: Any) -> dict[str, Any]:
    """
    Return a content block that calls a tool.
    """
    return {"type": "tool_use", "id": "t1", "name": name, "input": asked}


def ended(**fields: Any) -> dict[str, Any]:
    """
    Return a `result` event.
    """
    return {"type": "result", "subtype": "success", **fields}


def task(subtype: str, task_id: str, **fields: Any) -> dict[str, Any]:
    """
    Return an event about a subagent's task.
    """
    return {"type": "system", "subtype": subtype, "task_id": task_id, **fields}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (init(), "system/init"),
        ({"type": "system", "subtype": "api_retry"}, "system/api_retry"),
        ({"type": "system"}, "system/"),
        (said(), "assistant"),
        (ended(), "result"),
        ({"type": "stream_event"}, "stream_event"),
        ({"type": "rate_limit_event", "rate_limit_info": {}}, "rate_limit_event"),
    ],
)
def test_each_line_tells_its_type(event: dict[str, Any], kind: str) -> None:
    """
    Callers open the start gate and notice retries by it.
    """
    assert kind == Transcript().take(json.dumps(event).encode())


def test_the_first_event_tells_who_runs() -> None:
    """
    Model, version, session and agents; the model stays that of the main agent.
    """
    fields = {"claude_code_version": "2.1.330", "session_id": "s"}
    transcript = read(
        init(model="main", agents=["Explore", {"name": "greet"}], **fields),
        init(model="other", agents=["Explore", {"name": "greet"}], **fields),
    )

    assert ("main", "2.1.330", "s") == (
        transcript.model,
        transcript.version,
        transcript.session_id,
    )
    assert ("Explore", "greet") == transcript.agents
    assert transcript.began


def test_tools_and_subagents_are_listed_in_order() -> None:
    """
    Those of subagents too; `Task` is the older name of `Agent`.
    """
    transcript = read(
        said(called("Read"), {"type": "text", "text": "x"}),
        said(called("Agent", subagent_type="greet")),
        said(called("Bash"), parent="t1"),
        said(called("Task", subagent_type="other")),
    )

    assert ["Read", "Agent", "Bash", "Task"] == transcript.tools
    assert ["greet", "other"] == transcript.subagents


def test_messages_that_the_cli_made_are_not_the_models() -> None:
    """
    By their model or by their mark, whichever version prints them.
    """
    for event in (said(model="<synthetic>"), said(is_api_error_message=True)):
        transcript = read(event)

        assert (False, True) == (transcript.answered, transcript.api_error_message)


def test_only_the_main_agents_last_message_is_an_error_as_the_answer() -> None:
    """
    A later word of the model takes it back, and a subagent's error is not it.
    """
    error = said(model="<synthetic>")
    taken_back = read(error, said())
    of_subagent = read(said(), said(model="<synthetic>", parent="t1"))

    assert not taken_back.api_error_message
    assert not of_subagent.api_error_message
    assert of_subagent.answered


def test_the_last_result_counts_and_turns_add_up() -> None:
    """
    A subagent in the background makes two results of one attempt.
    """
    transcript = read(
        ended(result="waiting", num_turns=2), ended(result="done", num_turns=1)
    )

    assert transcript.result is not None
    assert ("done", 3) == (transcript.result["result"], transcript.turns)


def test_without_a_result_nothing_is_known_of_turns() -> None:
    """
    Zero turns would be a claim.
    """
    assert read(said()).turns is None


def test_usage_is_the_total_of_all_models() -> None:
    """
    `modelUsage` is the running total, so only the last one is summed.
    """
    main = {
        "inputTokens": 10,
        "outputTokens": 2,
        "cacheReadInputTokens": 3,
        "cacheCreationInputTokens": 4,
    }
    stated = {"input_tokens": 5, "output_tokens": 1}
    transcript = read(
        ended(modelUsage={"a": main}, usage=stated),
        ended(modelUsage={"a": main, "b": main}, usage=stated),
    )

    assert (
        Usage(
            input_tokens=20,
            output_tokens=4,
            cache_read_tokens=6,
            cache_write_tokens=8,
        )
        == transcript.usage
    )


def test_without_a_total_the_results_are_summed() -> None:
    """
    An error in a stream leaves no total, but the tokens were read.
    """
    stated = {
        "input_tokens": 5,
        "output_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 3,
    }
    transcript = read(
        ended(modelUsage={}, usage=stated), ended(modelUsage={}, usage=stated)
    )

    assert (
        Usage(
            input_tokens=10,
            output_tokens=2,
            cache_read_tokens=4,
            cache_write_tokens=6,
        )
        == transcript.usage
    )


def test_a_denial_is_counted_once() -> None:
    """
    It is told when it happens and again in its own result, not in a later one.
    """
    denied = {"tool_name": "Bash", "tool_use_id": "t1"}
    transcript = read(
        {"type": "system", "subtype": "permission_denied", **denied},
        ended(permission_denials=[denied, {"tool_name": "Write", "tool_use_id": "t2"}]),
        ended(permission_denials=[]),
    )

    assert ("Bash", "Write") == transcript.denied_tools


def test_a_retry_is_over_when_the_model_speaks() -> None:
    """
    Its status and its wait are kept, in seconds.
    """
    retry = {
        "type": "system",
        "subtype": "api_retry",
        "retry_delay_ms": 8229,
        "error_status": 429,
    }
    waiting = read(retry)
    answered = read(retry, said())

    assert (True, 429, 8.229, 1) == (
        waiting.retrying,
        waiting.retry_status,
        waiting.retry_delay_s,
        waiting.retries,
    )
    assert (False, 1) == (answered.retrying, answered.retries)
    assert read({**retry, "error_status": None}).retry_status is None


DEATH = "Agent terminated early due to an API error: API Error: x (error type unknown)"


def test_a_subagent_that_an_api_error_ends_is_noted_by_its_type() -> None:
    """
    The main agent's own messages say nothing of it.
    """
    transcript = read(
        task("task_started", "1", subagent_type="greet"),
        task("task_notification", "1", status="failed", summary=DEATH),
    )

    assert {"greet": DEATH} == transcript.dead_subagents


@pytest.mark.parametrize(
    "end",
    [
        task("task_notification", "2", status="completed", summary="hello"),
        task("task_notification", "1", status="completed", summary="hello"),
    ],
)
def test_a_subagent_that_comes_to_its_end_later_is_not_dead(
    end: dict[str, Any],
) -> None:
    """
    The main agent asked again, and was answered.
    """
    transcript = read(
        task("task_started", "1", subagent_type="greet"),
        task("task_notification", "1", status="failed", summary=DEATH),
        task("task_started", "2", subagent_type="greet"),
        end,
    )

    assert {} == transcript.dead_subagents


def test_a_subagent_that_fails_otherwise_is_the_agents_own() -> None:
    """
    Only API errors are infrastructure.
    """
    transcript = read(
        task("task_started", "1", subagent_type="greet"),
        task("task_notification", "1", status="failed", summary="I could not"),
    )

    assert {} == transcript.dead_subagents
