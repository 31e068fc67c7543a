"""
Makes a `Reply` of what was read from the Claude Code CLI: the answer and the evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.agents.command import child_evidence
from reliability.agents.statuses import kind_of_status
from reliability.model import Reply, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.agents.claude_events import Transcript
    from reliability.process import ChildReport

# The CLI's own first wait is half a second; a longer one was asked for by the service.
_OWN_WAIT_S = 0.9
_MOST_USD = 1e9  # The sum of a run's costs stays finite, whatever the CLI may print.


def reply_of_end(
    transcript: Transcript,
    report: ChildReport,
    *,
    errors: str,
    trouble: Trouble | None,
) -> Reply:
    """
    Return the reply of an attempt that came to its end.

    Args:
        errors: What the CLI wrote to standard error.
        trouble: What the events were judged to mean.
    """
    result = transcript.result or {}
    status = result.get("api_error_status")
    return Reply(
        answer=str(result.get("result") or ""),
        trouble=trouble,
        errors=errors,
        usage=transcript.usage,
        cost_usd=_cost_usd(result),
        model=transcript.model,
        session_id=transcript.session_id,
        turns=transcript.turns,
        tools=tuple(transcript.tools),
        subagents=tuple(transcript.subagents),
        denied_tools=transcript.denied_tools,
        steps=tuple(transcript.log.steps),
        http_status=status if isinstance(status, int) and 0 < status < 1000 else None,
        exit_code=report.exit_code,
        duration_s=report.duration_s,
        refusals=transcript.refusals,
        evidence={
            **child_evidence(report),
            "dropped_lines": report.dropped_lines,
            "hung_after_result": report.timed_out and transcript.is_over,
            "subtype": result.get("subtype"),
            "is_error": result.get("is_error"),
            "terminal_reason": result.get("terminal_reason"),
            "stop_reason": result.get("stop_reason"),
            "duration_api_ms": result.get("duration_api_ms"),
            "structured_output": result.get("structured_output"),
            "api_retries": transcript.retries,
            "cli_version": transcript.version,
        },
    )


def reply_of_refusal(transcript: Transcript, duration_s: float) -> Reply:
    """
    Return the reply of an attempt that was ended at the announcement of a retry.

    Args:
        duration_s: From its start to that announcement.
    """
    status, wait_s = transcript.retry_status or 0, transcript.retry_delay_s
    return Reply(
        trouble=Trouble(
            kind=kind_of_status(status),
            text=f"the service refused the first request (HTTP {status})",
            retry_after_s=wait_s if wait_s > _OWN_WAIT_S else None,
        ),
        cost_usd=0.0,  # No model has read or written anything.
        model=transcript.model,
        session_id=transcript.session_id,
        http_status=status,
        duration_s=duration_s,
        evidence={"api_retries": 0, "cli_version": transcript.version},
    )


def _cost_usd(result: Mapping[str, object]) -> float | None:
    """
    Return the cost as stated; None for what is none, such as a number beyond all sense.
    """
    cost_usd = result.get("total_cost_usd")
    if isinstance(cost_usd, int | float) and 0 <= cost_usd <= _MOST_USD:
        return float(cost_usd)
    return None
