"""
What the log gets to know of an attempt of the Claude Code CLI.
"""

from __future__ import annotations

import pytest
from fakes.claude_ends import init, report, result, transcript

from reliability.agents.claude_reply import reply_of_end, reply_of_refusal
from reliability.kinds import ErrorKind


def test_a_reply_carries_what_the_result_says() -> None:
    """
    Answer, cost, tokens, turns and the fields by which it was judged.
    """
    events = transcript(init(session_id="s"), result(structured_output={"a": 1}))
    reply = reply_of_end(events, report(swept=2), errors="a warning", trouble=None)

    assert ("hello", 0.25, "m", "s", 1, 1.5, "a warning", 0) == (
        reply.answer,
        reply.cost_usd,
        reply.model,
        reply.session_id,
        reply.turns,
        reply.duration_s,
        reply.errors,
        reply.exit_code,
    )
    assert (2, {"a": 1}, "completed", 0) == (
        reply.evidence["swept_processes"],
        reply.evidence["structured_output"],
        reply.evidence["terminal_reason"],
        reply.evidence["api_retries"],
    )


def test_without_a_result_nothing_is_made_up() -> None:
    """
    No answer, no cost, no turns.
    """
    reply = reply_of_end(transcript(init()), report(), errors="", trouble=None)

    assert ("", None, None, None) == (
        reply.answer,
        reply.cost_usd,
        reply.turns,
        reply.http_status,
    )


@pytest.mark.parametrize("hangs", [True, False])
def test_a_cli_that_hung_after_its_result_leaves_a_note(*, hangs: bool) -> None:
    """
    The answer counts; why the attempt took so long is there for whoever asks.
    """
    events = transcript(init(), result())
    end = report(timed_out=hangs)
    reply = reply_of_end(events, end, errors="", trouble=None)

    assert hangs is reply.evidence["hung_after_result"]
    assert "hello" == reply.answer


@pytest.mark.parametrize(
    "cost", [None, "1", float("1e999"), [1], -1, 1e308, 10**400, float("nan")]
)
def test_a_cost_that_is_no_number_is_unknown(cost: object) -> None:
    """
    The log cannot hold an infinity, and the sum would be one.
    """
    events = transcript(init())
    events.result = result(total_cost_usd=cost)

    assert reply_of_end(events, report(), errors="", trouble=None).cost_usd is None


@pytest.mark.parametrize(
    ("status", "delay_ms", "kind", "wait_s"),
    [
        (429, 8229, ErrorKind.RATE_LIMIT, 8.229),
        (429, 514, ErrorKind.RATE_LIMIT, None),
        (529, 24_500, ErrorKind.OVERLOADED, 24.5),
        (500, 620, ErrorKind.SERVER_ERROR, None),
    ],
)
def test_a_refused_request_costs_nothing_and_tells_the_wait_asked_for(
    status: int, delay_ms: int, kind: ErrorKind, wait_s: float | None
) -> None:
    """
    The CLI's own short waits are not the service's wish.
    """
    retry = {"retry_delay_ms": delay_ms, "error_status": status}
    events = transcript(init(), {"type": "system", "subtype": "api_retry", **retry})
    reply = reply_of_refusal(events, 0.5)

    assert reply.trouble is not None
    assert (kind, wait_s) == (reply.trouble.kind, reply.trouble.retry_after_s)
    assert (0.0, status, 0.5) == (reply.cost_usd, reply.http_status, reply.duration_s)
