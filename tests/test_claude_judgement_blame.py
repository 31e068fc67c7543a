"""
The judgement where several could be to blame: time-outs, delegation, subagents, limits.
"""

from __future__ import annotations

from typing import Any

import pytest
from fakes.claude_ends import init, judged, kind_of, result, said, transcript

from reliability.agents.claude_judgement import is_refused
from reliability.kinds import ErrorKind

RETRY = {"type": "system", "subtype": "api_retry", "retry_delay_ms": 500}


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([], ErrorKind.NO_RESPONSE),
        ([init()], ErrorKind.NO_RESPONSE),
        ([init(), said()], ErrorKind.TIMEOUT),
        ([init(), {**RETRY, "error_status": 429}], ErrorKind.RATE_LIMIT),
        ([init(), {**RETRY, "error_status": 529}], ErrorKind.OVERLOADED),
        ([init(), {**RETRY, "error_status": None}], ErrorKind.NETWORK),
        ([init(), said(), {**RETRY, "error_status": 500}], ErrorKind.SERVER_ERROR),
        ([init(), {**RETRY, "error_status": 429}, said()], ErrorKind.TIMEOUT),
    ],
)
def test_a_time_out_is_whoevers_turn_it_was(
    events: list[dict[str, Any]], kind: ErrorKind
) -> None:
    """
    The agent's, unless the service was silent or refused.
    """
    assert kind == kind_of(judged(*events, timed_out=True, exit_code=143))


TASK = {"type": "system", "task_id": "1"}
STARTED = {**TASK, "subtype": "task_started", "subagent_type": "greet"}
SHELL = {**TASK, "subtype": "task_started", "task_type": "local_bash"}
NOTIFIED = {**TASK, "subtype": "task_notification", "status": "completed"}


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([result()], None),
        ([said(), result(result="")], ErrorKind.EMPTY_ANSWER),
        ([result(is_error=True, api_error_status=529)], ErrorKind.OVERLOADED),
        ([STARTED, NOTIFIED, said(), result()], None),
        ([SHELL, said(), result()], None),
        ([STARTED, said(), result()], ErrorKind.TIMEOUT),
        ([said(), result(), init()], ErrorKind.TIMEOUT),
        ([said(), result(), init(), said()], ErrorKind.TIMEOUT),
        ([said(), result(), init(), said(), result()], None),
        ([result(), {**RETRY, "error_status": 429}], ErrorKind.RATE_LIMIT),
    ],
)
def test_a_cli_that_hangs_after_its_result_has_answered(
    events: list[dict[str, Any]], kind: ErrorKind | None
) -> None:
    """
    The result is judged, unless the agent or one of its subagents was still at work.
    """
    assert kind == kind_of(judged(init(), *events, timed_out=True, exit_code=143))


@pytest.mark.parametrize(
    ("status", "text", "helped"),
    [
        (None, "Not logged in · Please run /login", True),
        (401, "Invalid API key", True),
        (403, "API Error: 403", True),
        (400, "Credit balance is too low", False),
        (429, "API Error: 429", False),
    ],
)
def test_trouble_with_the_credentials_names_what_a_job_can_set(
    status: int | None, text: str, *, helped: bool
) -> None:
    """
    "Please run /login" is of no use where nobody sits at a terminal.
    """
    end = result(is_error=True, api_error_status=status, result=text)
    trouble = judged(init(), end, exit_code=1)

    assert trouble is not None
    assert trouble.text.startswith(text)
    assert helped == ("ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN" in trouble.text)


def test_a_cancel_is_a_cancel_whatever_was_printed() -> None:
    """
    Even an answer that came with it is not graded.
    """
    assert ErrorKind.CANCELLED == kind_of(judged(init(), result(), cancelled=True))


ASKED = said(
    {
        "type": "tool_use",
        "id": "1",
        "name": "Agent",
        "input": {"subagent_type": "greet"},
    }
)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([init(agents=["greet"]), ASKED, result()], None),
        ([init(), ASKED, result()], None),
        ([init(agents=["greet"]), said(), result()], ErrorKind.NOT_DELEGATED),
        ([init(agents=["Explore"]), ASKED, result()], ErrorKind.CONFIGURATION),
        ([init(agents=["Explore"]), result(result="")], ErrorKind.CONFIGURATION),
        ([init(agents=["greet"]), result(result="")], ErrorKind.EMPTY_ANSWER),
    ],
)
def test_the_classic_prompt_must_be_delegated(
    events: list[dict[str, Any]], kind: ErrorKind | None
) -> None:
    """
    An agent that is not there stops the run; one that was not asked is a fail.
    """
    assert kind == kind_of(judged(*events, delegate_to="greet"))


DIED = "Agent terminated early due to an API error: API Error: x "


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (
            "(error type rate_limit, HTTP 429, request id r, model sent: m)",
            ErrorKind.RATE_LIMIT,
        ),
        ("(error type server_error, HTTP 529, request id r)", ErrorKind.OVERLOADED),
        ("(error type server_error)", ErrorKind.NETWORK),
        ("(error type unknown)", ErrorKind.NETWORK),
        ("(error type authentication_failed)", ErrorKind.AUTHENTICATION),
        ("(error type invalid_request, HTTP 404)", ErrorKind.NOT_FOUND),
        ("(error type invalid_request, request id r, model sent: m)", None),
        ("(error type max_output_tokens)", None),
        ("(error type rate_limit, HTTP 429) and more", None),
        ("", None),
    ],
)
def test_a_subagents_end_by_infrastructure_is_not_the_agents(
    ending: str, kind: ErrorKind | None
) -> None:
    """
    A refusal or a cut answer of the subagent leaves the main agent's answer to grade.
    """
    task = {"type": "system", "task_id": "1"}
    trouble = judged(
        init(agents=["greet"]),
        ASKED,
        {**task, "subtype": "task_started", "subagent_type": "greet"},
        {
            **task,
            "subtype": "task_notification",
            "status": "failed",
            "summary": DIED + ending,
        },
        result(),
        delegate_to="greet",
    )

    assert kind == kind_of(trouble)


@pytest.mark.parametrize(
    "answer",
    [
        "API Error: 429",
        "Claude AI usage limit reached|1700000000",
        "You've hit your limit · resets 3pm",
        "5-hour limit reached",
    ],
)
def test_a_limits_text_is_an_error_only_if_no_model_wrote_it(answer: str) -> None:
    """
    An agent may be asked about rate limits.
    """
    unwritten = judged(init(), result(result=answer, usage={"output_tokens": 0}))
    written = judged(init(), said(), result(result=answer))

    assert ErrorKind.RATE_LIMIT == kind_of(unwritten)
    assert written is None


def test_a_message_that_the_cli_made_is_no_answer() -> None:
    """
    Whatever its text is.
    """
    made = said() | {"is_api_error_message": True}

    assert ErrorKind.RATE_LIMIT == kind_of(judged(init(), made, result(result="Hm.")))


@pytest.mark.parametrize(
    ("events", "refused"),
    [
        ([{**RETRY, "error_status": 429}], True),
        ([{**RETRY, "error_status": 529}], True),
        ([{**RETRY, "error_status": 500}], True),
        ([{**RETRY, "error_status": 401}], False),
        ([{**RETRY, "error_status": None}], False),
        ([said(), {**RETRY, "error_status": 429}], False),
    ],
)
def test_only_a_first_request_is_given_back_for_another_attempt(
    events: list[dict[str, Any]], refused: bool
) -> None:
    """
    What a model has said is paid for and not thrown away.
    """
    assert refused == is_refused(transcript(init(), *events))


TOO_LONG = result(
    is_error=True,
    api_error_status=400,
    api_error_type="invalid_request_error",
    terminal_reason="prompt_too_long",
    result="Prompt is too long",
)
TOO_LARGE = TOO_LONG | {"api_error_status": 413, "terminal_reason": "image_error"}


@pytest.mark.parametrize("end", [TOO_LONG, TOO_LARGE])
@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([], ErrorKind.PROMPT_TOO_LONG),
        ([said(is_api_error_message=True)], ErrorKind.PROMPT_TOO_LONG),
        ([said()], ErrorKind.CONTEXT_TOO_LONG),
    ],
)
def test_a_full_window_is_the_agents_once_the_model_has_spoken(
    end: dict[str, Any], events: list[dict[str, Any]], kind: ErrorKind
) -> None:
    """
    What does not fit at the first request was not the agent's to keep short.
    """
    assert kind == kind_of(judged(init(), *events, end))


def test_words_about_a_long_prompt_prove_nothing() -> None:
    """
    Only the CLI's own field does: a model may write the same words.
    """
    words = "Prompt is too long"
    as_answer = judged(init(), said(), result(result=words))
    as_error = judged(init(), said(), TOO_LONG | {"terminal_reason": "api_error"})

    assert as_answer is None
    assert ErrorKind.BAD_REQUEST == kind_of(as_error)


CUT = result(
    is_error=True,
    terminal_reason="api_error",
    api_error="max_output_tokens",
    result="API Error: cut",
)
CUT_MESSAGE = said(is_api_error_message=True, api_error="max_output_tokens")


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([CUT_MESSAGE], ErrorKind.OUTPUT_LIMIT),
        (
            [{**CUT_MESSAGE, "api_error_params": {"cut": "context_window"}}],
            ErrorKind.CONTEXT_TOO_LONG,
        ),
        (
            [{**CUT_MESSAGE, "api_error_params": {"cut": "other"}}],
            ErrorKind.OUTPUT_LIMIT,
        ),
        (
            [
                {**CUT_MESSAGE, "api_error_params": {"cut": "context_window"}},
                said(),
                CUT_MESSAGE,
            ],
            ErrorKind.OUTPUT_LIMIT,
        ),
        (
            [
                {
                    **CUT_MESSAGE,
                    "api_error_params": {"cut": "context_window"},
                    "parent_tool_use_id": "of a subagent",
                },
            ],
            ErrorKind.OUTPUT_LIMIT,
        ),
        ([{**CUT_MESSAGE, "api_error_params": "odd"}], ErrorKind.OUTPUT_LIMIT),
    ],
)
def test_what_cut_the_last_answer_is_told_apart(
    events: list[dict[str, Any]], kind: ErrorKind
) -> None:
    """
    The main agent's last message says whether its own limit or the window cut it.
    """
    assert kind == kind_of(judged(init(), said(), *events, CUT))


@pytest.mark.parametrize("exit_code", [-9, 137])
def test_our_own_kill_of_the_cli_is_not_blamed_on_memory(exit_code: int) -> None:
    """
    A deadline and a cancel end in the same signal, and are what they are.
    """
    late = judged(init(), said(), exit_code=exit_code, timed_out=True)
    cancelled = judged(init(), said(), exit_code=exit_code, cancelled=True)

    assert ErrorKind.TIMEOUT == kind_of(late)
    assert ErrorKind.CANCELLED == kind_of(cancelled)


def test_an_answer_that_was_printed_before_a_kill_is_an_answer() -> None:
    """
    The kernel may find its victim while the CLI goes home.
    """
    assert judged(init(), said(), result(), exit_code=-9) is None
