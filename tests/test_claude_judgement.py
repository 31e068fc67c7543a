"""
The judgement of what the Claude Code CLI printed, row by row.
"""

from __future__ import annotations

from typing import Any

import pytest
from fakes.claude_ends import init, judged, kind_of, result, said
from hypothesis import given, strategies as st

from reliability.kinds import ErrorKind


def api_error(status: int | None = None, text: str = "", **fields: Any) -> Any:
    """
    Return the `result` event of an API error: a "success" with exit code 1.
    """
    return result(
        is_error=True,
        api_error_status=status,
        terminal_reason="api_error",
        stop_reason="stop_sequence",
        result=text or f"API Error: {status}",
        **fields,
    )


ROWS: list[tuple[str, dict[str, Any], int, ErrorKind | None]] = [
    ("answer", result(), 0, None),
    ("429", api_error(429), 1, ErrorKind.RATE_LIMIT),
    ("529", api_error(529), 1, ErrorKind.OVERLOADED),
    ("500", api_error(500), 1, ErrorKind.SERVER_ERROR),
    ("503", api_error(503), 1, ErrorKind.SERVER_ERROR),
    ("408", api_error(408), 1, ErrorKind.NO_RESPONSE),
    ("409", api_error(409), 1, ErrorKind.SERVER_ERROR),
    ("400", api_error(400), 1, ErrorKind.BAD_REQUEST),
    (
        "401",
        api_error(401, "Invalid API key · Fix external API key"),
        1,
        ErrorKind.AUTHENTICATION,
    ),
    ("403", api_error(403), 1, ErrorKind.AUTHENTICATION),
    ("404", api_error(404), 1, ErrorKind.NOT_FOUND),
    (
        "413",
        result(
            is_error=True,
            api_error_status=413,
            terminal_reason="image_error",
            result="",
        ),
        1,
        ErrorKind.CONTEXT_TOO_LONG,
    ),
    (
        "compaction failed",
        api_error(400, "Prompt is too long") | {"terminal_reason": "prompt_too_long"},
        1,
        ErrorKind.CONTEXT_TOO_LONG,
    ),
    (
        "no money",
        api_error(400, "Credit balance is too low"),
        1,
        ErrorKind.AUTHENTICATION,
    ),
    (
        "reset",
        api_error(api_error="connection_failed", text="API Error: dropped"),
        1,
        ErrorKind.NETWORK,
    ),
    (
        "request time-out",
        api_error(text="Request timed out. If the API is slow"),
        1,
        ErrorKind.NO_RESPONSE,
    ),
    (
        "no key",
        api_error(text="Not logged in · Please run /login"),
        1,
        ErrorKind.AUTHENTICATION,
    ),
    (
        "refusal",
        api_error() | {"stop_reason": "refusal", "result": "API Error: flagged"},
        1,
        ErrorKind.REFUSAL,
    ),
    (
        "cut",
        api_error(api_error="max_output_tokens", text="API Error: exceeded"),
        1,
        ErrorKind.OUTPUT_LIMIT,
    ),
    ("empty", result(result=""), 0, ErrorKind.EMPTY_ANSWER),
    ("blank", result(result=" \n"), 0, ErrorKind.EMPTY_ANSWER),
    (
        "max turns",
        result(
            subtype="error_max_turns",
            is_error=True,
            terminal_reason="max_turns",
            result=None,
            errors=["Reached maximum number of turns (2)"],
        ),
        1,
        ErrorKind.MAX_TURNS,
    ),
    (
        "budget",
        result(
            subtype="error_max_budget_usd",
            is_error=True,
            terminal_reason="budget_exhausted",
            result=None,
            errors=["Reached maximum budget ($1)"],
        ),
        1,
        ErrorKind.BUDGET,
    ),
    (
        "schema retries",
        result(subtype="error_max_structured_output_retries", is_error=True),
        1,
        ErrorKind.NO_STRUCTURED_OUTPUT,
    ),
    (
        "denied",
        result(permission_denials=[{"tool_name": "Bash", "tool_use_id": "1"}]),
        0,
        ErrorKind.DENIED_TOOL,
    ),
    ("no turn", result(num_turns=0), 0, ErrorKind.NO_TURNS),
    (
        "error while running",
        result(subtype="error_during_execution", is_error=True, result=None),
        1,
        ErrorKind.AGENT_ERROR,
    ),
]


@pytest.mark.parametrize(
    ("end", "exit_code", "kind"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
@pytest.mark.parametrize("is_exit_code_known", [True, False])
def test_each_end_has_its_kind(
    end: dict[str, Any],
    exit_code: int,
    kind: ErrorKind | None,
    is_exit_code_known: bool,
) -> None:
    """
    The events decide; the exit code is never needed.
    """
    code = exit_code if is_exit_code_known else None
    trouble = judged(init(), said(), end, exit_code=code)

    assert kind == kind_of(trouble)
    assert trouble is None or trouble.text


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ({}, ErrorKind.NO_STRUCTURED_OUTPUT),
        ({"structured_output": {"a": 1}}, None),
        ({"structured_output": None}, None),
    ],
)
def test_a_schema_asks_for_structured_output(
    output: dict[str, Any], kind: ErrorKind | None
) -> None:
    """
    Its absence is the only sign that the schema was not obeyed.
    """
    assert kind == kind_of(judged(init(), result(**output), schema_given=True))
    assert judged(init(), result(**output)) is None


@pytest.mark.parametrize(
    ("exit_code", "began", "kind"),
    [
        (1, False, ErrorKind.CONFIGURATION),
        (1, True, ErrorKind.CRASHED),
        (0, False, ErrorKind.CRASHED),
        (0, True, ErrorKind.CRASHED),
        (143, True, ErrorKind.CRASHED),
        (-9, False, ErrorKind.OUT_OF_MEMORY),
        (-9, True, ErrorKind.OUT_OF_MEMORY),
        (137, False, ErrorKind.OUT_OF_MEMORY),
        (-11, True, ErrorKind.CRASHED),
        (None, True, ErrorKind.CRASHED),
    ],
)
def test_an_end_without_a_result_is_no_answer(
    exit_code: int | None, began: bool, kind: ErrorKind
) -> None:
    """
    Arguments that it refuses stop the run; anything else may go better next time.
    """
    trouble = judged(*[init()][: int(began)], exit_code=exit_code)

    assert kind == kind_of(trouble)


def test_all_that_the_cli_says_is_told_but_its_diagnostics() -> None:
    """
    The error may stand on any line.
    """
    errors = '[claude-code:odd] {"x": 1}\n\nerror: unknown option\n(Did you mean it?)\n'
    trouble = judged(errors=errors, exit_code=1)

    assert trouble is not None
    assert (
        "exit code 1 without a result: error: unknown option (Did you mean it?)"
        == trouble.text
    )


def test_a_result_too_long_to_read_is_told() -> None:
    """
    Otherwise exit code 0 without a result would be a riddle.
    """
    trouble = judged(init(), said(), dropped_lines=1)

    assert trouble is not None
    assert ErrorKind.CRASHED == trouble.kind
    assert "too long" in trouble.text


@given(
    st.dictionaries(
        st.sampled_from([*result(), "errors", "structured_output", "api_error"]),
        st.none()
        | st.booleans()
        | st.integers(-1000, 1000)
        | st.text(max_size=9)
        | st.lists(
            st.dictionaries(st.text(max_size=3), st.text(max_size=3)), max_size=2
        ),
        max_size=9,
    ),
    st.booleans(),
)
def test_no_result_is_too_odd_to_judge(fields: dict[str, Any], schema: bool) -> None:
    """
    Fields of the wrong kind lead to a judgement too.
    """
    event = {**result(), **fields, "type": "result"}
    trouble = judged(init(), event, schema_given=schema, delegate_to="greet")

    assert trouble is None or isinstance(trouble.kind, ErrorKind)
