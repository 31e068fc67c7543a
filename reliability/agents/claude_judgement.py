"""
Is what the Claude Code CLI printed an answer, and if not, whose fault is it?

Neither the exit code nor `subtype` can tell: an exhausted rate limit is `success` with
exit code 1, a denied tool is `success` with exit code 0, and an interrupted CLI exits
with 0 and prints nothing. A subagent that dies of a rate limit is `success` too: the
main agent is told and answers something. The rules below follow what version 2.1.330
was seen to do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reliability.agents.environment import CREDENTIALS_REMEDY
from reliability.agents.statuses import kind_of_status
from reliability.kinds import KIND_RULES, ErrorKind
from reliability.model import Trouble

if TYPE_CHECKING:
    from reliability.agents.claude_events import Transcript
    from reliability.process import ChildReport

_NO_MONEY = "Credit balance is too low"
# A missing key and a request time-out carry no field of their own, only these texts; an
# empty account comes as a bad request (400), which would not stop the run.
_TEXT_KINDS = (
    ("Not logged in", ErrorKind.AUTHENTICATION),
    ("Invalid API key", ErrorKind.AUTHENTICATION),
    (_NO_MONEY, ErrorKind.AUTHENTICATION),
    ("Request timed out", ErrorKind.NO_RESPONSE),
)
# Texts that stand where an answer should; believed only when no output was generated.
_LIMIT_TEXTS = ("API Error", "Claude AI usage limit", "You've hit your", "5-hour limit")

# How the CLI ends the report of a subagent that an API error ended. Errors of other
# types, such as a refusal, are the agent's own: what it answers to them is graded.
_DEATH = re.compile(r"\(error type (\w+)(?:, HTTP (\d{3}))?[^()]*\)\s*$")
_DEATH_KINDS = {
    "authentication_failed": ErrorKind.AUTHENTICATION,
    "billing_error": ErrorKind.AUTHENTICATION,
    "rate_limit": ErrorKind.RATE_LIMIT,
    "server_error": ErrorKind.NETWORK,
    "unknown": ErrorKind.NETWORK,
}
# What the CLI tells its developers on standard error, beside what it tells users.
_DIAGNOSTIC = "[claude-code:"

_SUBTYPE_KINDS = {
    "error_max_turns": ErrorKind.MAX_TURNS,
    "error_max_budget_usd": ErrorKind.BUDGET,
    "error_max_structured_output_retries": ErrorKind.NO_STRUCTURED_OUTPUT,
}


def judge(
    transcript: Transcript,
    report: ChildReport,
    *,
    errors: str,
    timeout_s: float,
    schema_given: bool,
    delegate_to: str,
) -> Trouble | None:
    """
    Return why there is no answer to grade; None when there is one.

    Args:
        errors: What the CLI wrote to standard error.
        schema_given: `--json-schema` was among the arguments.
        delegate_to: Name of the subagent that had to be asked; empty for none.
    """
    if report.cancelled:
        return Trouble(kind=ErrorKind.CANCELLED, text="the run was cancelled")
    # A CLI may print its result and then hang: that does not unsay the answer.
    if report.timed_out and not transcript.is_over:
        return _judge_timeout(transcript, timeout_s)
    if transcript.result is None:
        return _judge_silence(transcript, report, errors)
    if delegate_to and transcript.agents and delegate_to not in transcript.agents:
        known = ", ".join(transcript.agents)
        text = f"there is no agent {delegate_to!r}; available agents: {known}"
        return Trouble(kind=ErrorKind.CONFIGURATION, text=text)
    if transcript.result.get("is_error"):
        return _judge_error(transcript, transcript.result)
    return _judge_success(transcript, schema_given, delegate_to)


def is_refused(transcript: Transcript) -> bool:
    """
    Tell, at the announcement of a retry, whether the attempt may as well end here.

    Yes when nothing is lost by it (no model has said anything) and another attempt of
    ours may succeed. A connection that was cut tells no wait, so the CLI may go on.
    """
    status = transcript.retry_status
    if status is None or transcript.answered:
        return False
    return KIND_RULES[kind_of_status(status)].retry


def _judge_timeout(transcript: Transcript, timeout_s: float) -> Trouble:
    """
    Say whose turn it was at the deadline: the service's, or the agent's.
    """
    if transcript.retrying:
        status = transcript.retry_status
        kind = kind_of_status(status) if status else ErrorKind.NETWORK
        text = f"still retrying (HTTP {status}) after {timeout_s:g} s"
        return Trouble(kind=kind, text=text)
    if not transcript.answered:
        text = f"no word from the model within {timeout_s:g} s"
        return Trouble(kind=ErrorKind.NO_RESPONSE, text=text)
    return Trouble(kind=ErrorKind.TIMEOUT, text=f"no end within {timeout_s:g} s")


def _judge_silence(transcript: Transcript, report: ChildReport, errors: str) -> Trouble:
    """
    Say why the CLI ended without a result: it refused its arguments, or it crashed.
    """
    ended = report.describe_exit()
    lines = [line.strip() for line in errors.splitlines()]
    said = " ".join(line for line in lines if line and not line.startswith(_DIAGNOSTIC))
    text = f"{ended} without a result" + (f": {said}" if said else "")
    if report.dropped_lines:
        text += f" ({report.dropped_lines} lines were too long to read)"
    refused_arguments = not transcript.began and (report.exit_code or 0) > 0
    kind = ErrorKind.CONFIGURATION if refused_arguments else ErrorKind.CRASHED
    if report.was_killed:
        kind = ErrorKind.OUT_OF_MEMORY
    return Trouble(kind=kind, text=text)


def _judge_error(transcript: Transcript, result: dict[str, Any]) -> Trouble:
    """
    Name what a result that calls itself an error stands for.

    The texts come before the status: an empty account is HTTP 400 as well.
    """
    text = _text_of(result)
    subtype = str(result.get("subtype", ""))
    if subtype in _SUBTYPE_KINDS:
        return Trouble(kind=_SUBTYPE_KINDS[subtype], text=text or subtype)
    for start, kind in _TEXT_KINDS:
        if text.startswith(start):
            return _trouble(kind, text)
    status = result.get("api_error_status")
    if result.get("terminal_reason") == "prompt_too_long" or status == 413:
        # The first request is what we sent; what comes after it, the agent brought on.
        outgrown = transcript.answered
        kind = ErrorKind.CONTEXT_TOO_LONG if outgrown else ErrorKind.PROMPT_TOO_LONG
        return Trouble(kind=kind, text=text or "the prompt is too long")
    if isinstance(status, int) and status >= 400:
        return _trouble(kind_of_status(status), text or f"HTTP {status}")
    if result.get("stop_reason") == "refusal":
        return Trouble(kind=ErrorKind.REFUSAL, text=text or "the model refused")
    if result.get("api_error") == "max_output_tokens":
        full = transcript.window_full
        kind = ErrorKind.CONTEXT_TOO_LONG if full else ErrorKind.OUTPUT_LIMIT
        return Trouble(kind=kind, text=text or "the answer was cut")
    if result.get("terminal_reason") == "api_error":
        return Trouble(kind=ErrorKind.NETWORK, text=text or "API error")
    return Trouble(kind=ErrorKind.AGENT_ERROR, text=text or subtype or "error")


def _judge_success(
    transcript: Transcript, schema_given: bool, delegate_to: str
) -> Trouble | None:
    """
    Find what is wrong with a result that calls itself a success; None for nothing.
    """
    result = transcript.result or {}
    answer = str(result.get("result") or "")
    if transcript.api_error_message or _is_limit_text(answer, transcript):
        return Trouble(kind=ErrorKind.RATE_LIMIT, text=f"error as the answer: {answer}")
    if result.get("num_turns") == 0:
        text = "success is claimed, but the model took no turn"
        return Trouble(kind=ErrorKind.NO_TURNS, text=text)
    for kind, text in transcript.dead_subagents.items():
        if death := _kind_of_death(text):
            return _trouble(death, f"subagent {kind}: {text}")
    if transcript.denied_tools:
        tools = ", ".join(sorted(set(transcript.denied_tools)))
        text = f"permission was denied for: {tools}"
        return Trouble(kind=ErrorKind.DENIED_TOOL, text=text)
    if schema_given and "structured_output" not in result:
        text = "the answer does not follow the JSON schema"
        return Trouble(kind=ErrorKind.NO_STRUCTURED_OUTPUT, text=text)
    if not answer.strip():
        return Trouble(kind=ErrorKind.EMPTY_ANSWER, text="the answer is empty")
    if delegate_to and delegate_to not in transcript.subagents:
        text = f"the {delegate_to} agent was never called"
        return Trouble(kind=ErrorKind.NOT_DELEGATED, text=text)
    return None


def _trouble(kind: ErrorKind, text: str) -> Trouble:
    """
    Return a trouble; one with the credentials says what a job can do about it.
    """
    if kind is ErrorKind.AUTHENTICATION and _NO_MONEY not in text:
        text = f"{text} ({CREDENTIALS_REMEDY})"
    return Trouble(kind=kind, text=text)


def _kind_of_death(text: str) -> ErrorKind | None:
    """
    Return the infrastructure trouble that ended a subagent; None for its own doing.
    """
    found = _DEATH.search(text)
    if found is None:
        return None
    error_type, status = found.groups()
    return kind_of_status(int(status)) if status else _DEATH_KINDS.get(error_type)


def _is_limit_text(answer: str, transcript: Transcript) -> bool:
    """
    Tell whether the answer is a limit's text that no model has written.
    """
    return answer.startswith(_LIMIT_TEXTS) and not transcript.usage.output_tokens


def _text_of(result: dict[str, Any]) -> str:
    """
    Return what a result says: its answer, or else the errors that it lists.
    """
    errors = result.get("errors")
    listed = errors if isinstance(errors, list) else []
    return str(result.get("result") or "; ".join(map(str, listed)))
