"""
How services, programs and the CLI go wrong, and which kind of trouble that is.
"""

from __future__ import annotations

from typing import Any

from fakes.claude_ends import init, result, said

from reliability.agents.base import ANSWER_CAP_BYTES
from reliability.kinds import ErrorKind

TOO_LONG = "prompt is too long: 208656 tokens > 200000 maximum"

# What the simulator plays, and options; the last step repeats.
SERVED: list[tuple[ErrorKind, dict[str, Any], dict[str, str]]] = [
    # One trial: after two refusals in a row the governor paces by minutes.
    (ErrorKind.RATE_LIMIT, {"status": 429, "retry_after_s": 0.01}, {"loops": "1"}),
    (ErrorKind.OVERLOADED, {"status": 529}, {}),
    (ErrorKind.OVERLOADED, {"sse_error": True}, {}),
    (ErrorKind.SERVER_ERROR, {"status": 500}, {}),
    (ErrorKind.SERVER_ERROR, {"status": 409}, {}),
    (ErrorKind.NETWORK, {"drop": "before"}, {}),
    (ErrorKind.NETWORK, {"drop": "middle"}, {}),
    (ErrorKind.NO_RESPONSE, {"status": 408}, {}),
    (ErrorKind.NO_RESPONSE, {"hang": True}, {"timeout": "0.1"}),
    (ErrorKind.AUTHENTICATION, {"status": 401}, {}),
    (ErrorKind.AUTHENTICATION, {"status": 403}, {}),
    (ErrorKind.NOT_FOUND, {"status": 404}, {}),
    (ErrorKind.BAD_REQUEST, {"status": 400}, {}),
    (ErrorKind.BAD_REQUEST, {"status": 422}, {}),
    (ErrorKind.PROMPT_TOO_LONG, {"status": 413}, {}),
    (ErrorKind.PROMPT_TOO_LONG, {"status": 400, "error_message": TOO_LONG}, {}),
    (
        ErrorKind.PROMPT_TOO_LONG,
        {
            "sse_error": True,
            "error_type": "invalid_request_error",
            "error_message": TOO_LONG,
        },
        {},
    ),
    (ErrorKind.ANSWER_TOO_LONG, {"text": "a" * (ANSWER_CAP_BYTES + 1)}, {}),
    (ErrorKind.REFUSAL, {"text": "No.", "stop_reason": "refusal"}, {}),
    (ErrorKind.OUTPUT_LIMIT, {"text": "Hel", "stop_reason": "max_tokens"}, {}),
    (
        ErrorKind.CONTEXT_TOO_LONG,
        {"text": "Hel", "stop_reason": "model_context_window_exceeded"},
        {},
    ),
    (ErrorKind.EMPTY_ANSWER, {"text": ""}, {}),
]
# What a shell script does as the agent, and options.
SCRIPTS: list[tuple[ErrorKind, str, dict[str, str]]] = [
    (ErrorKind.AGENT_ERROR, "exit 3", {}),
    (ErrorKind.AGENT_ERROR, "kill -15 $$", {}),
    (ErrorKind.OUT_OF_MEMORY, "kill -9 $$", {}),
    (ErrorKind.OUT_OF_MEMORY, "exit 137", {}),
    (ErrorKind.TIMEOUT, "sleep 60", {"timeout": "0.1"}),
    (ErrorKind.EMPTY_ANSWER, "exit 0", {}),
    (
        ErrorKind.ANSWER_TOO_LONG,
        f"yes | head -c {3 * ANSWER_CAP_BYTES}",
        {"loops": "1"},
    ),
    (ErrorKind.SETUP_FAILED, "echo Hello", {"setup": "false"}),
    (ErrorKind.SETUP_FAILED, "echo Hello", {"setup": "no-such-program-here"}),
]
# How the CLI ends: its events, and what else is known of the end.
FAILED = {"is_error": True, "terminal_reason": "api_error"}
ENDS: list[tuple[ErrorKind, list[dict[str, Any]], dict[str, Any]]] = [
    *(
        (kind, [init(), result(**FAILED, api_error_status=status)], {})
        for kind, status in (
            (ErrorKind.RATE_LIMIT, 429),
            (ErrorKind.OVERLOADED, 529),
            (ErrorKind.SERVER_ERROR, 500),
            (ErrorKind.NO_RESPONSE, 408),
            (ErrorKind.AUTHENTICATION, 401),
            (ErrorKind.NOT_FOUND, 404),
            (ErrorKind.BAD_REQUEST, 400),
            (ErrorKind.PROMPT_TOO_LONG, 413),
            (ErrorKind.NETWORK, None),
        )
    ),
    (
        ErrorKind.PROMPT_TOO_LONG,
        [init(), result(is_error=True, terminal_reason="prompt_too_long")],
        {},
    ),
    (
        ErrorKind.CONTEXT_TOO_LONG,
        [init(), said(), result(is_error=True, terminal_reason="prompt_too_long")],
        {},
    ),
    (ErrorKind.CONFIGURATION, [], {"exit_code": 1}),
    (ErrorKind.CONFIGURATION, [init(agents=["a"]), result()], {"delegate_to": "b"}),
    (ErrorKind.CRASHED, [init()], {"exit_code": 1}),
    (ErrorKind.OUT_OF_MEMORY, [init(), said()], {"exit_code": -9}),
    (ErrorKind.NO_TURNS, [init(), result(num_turns=0)], {}),
    (ErrorKind.CANCELLED, [init(), said()], {"cancelled": True, "exit_code": 143}),
    (ErrorKind.NO_RESPONSE, [init()], {"timed_out": True, "exit_code": 143}),
    (ErrorKind.TIMEOUT, [init(), said()], {"timed_out": True, "exit_code": 143}),
    (ErrorKind.REFUSAL, [init(), result(**FAILED, stop_reason="refusal")], {}),
    (
        ErrorKind.OUTPUT_LIMIT,
        [init(), said(), result(**FAILED, api_error="max_output_tokens")],
        {},
    ),
    (
        ErrorKind.MAX_TURNS,
        [init(), said(), result(is_error=True, subtype="error_max_turns")],
        {},
    ),
    (
        ErrorKind.BUDGET,
        [init(), said(), result(is_error=True, subtype="error_max_budget_usd")],
        {},
    ),
    (
        ErrorKind.DENIED_TOOL,
        [init(), said(), result(permission_denials=[{"tool_name": "Bash"}])],
        {},
    ),
    (ErrorKind.EMPTY_ANSWER, [init(), said(), result(result="")], {}),
    (
        ErrorKind.NO_STRUCTURED_OUTPUT,
        [init(), said(), result()],
        {"schema_given": True},
    ),
    (ErrorKind.NOT_DELEGATED, [init(), said(), result()], {"delegate_to": "a"}),
    (
        ErrorKind.AGENT_ERROR,
        [init(), said(), result(is_error=True, terminal_reason="other")],
        {},
    ),
]
