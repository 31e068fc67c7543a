"""
The fields of a run's events: what the log keeps of replies and checks, redacted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reliability.transcript import logged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.model import CheckResult, Reply, Usage

# Names that hold one of a few words of ours, which the log is read back by.
_OWN_WORDS = frozenset({"backend", "kind", "outcome", "status", "troubles", "verdict"})

# What is kept of a model's answer about a trial.
JUDGE_FIELDS = (
    *("kind", "reason", "answer", "model", "duration_s", "cost_usd", "usage"),
    *("http_status", "retry_after_s"),
)

ROUND = 6  # Microseconds and millionths of a dollar: more digits are noise.


def redact_event(
    redact: Callable[[Any], Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Redact what an event says, but no name of a field and no word of ours.

    A key that happens to be `simulated` or `completed` would otherwise leave a log that
    cannot be read back.
    """
    if redact(fields) is fields:  # One look instead of one at each field.
        return dict(fields)
    clean: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _OWN_WORDS:
            clean[name] = value
        elif isinstance(value, dict) and name != "evidence":
            clean[name] = {inner: redact(one) for inner, one in value.items()}
        elif name == "checks":
            clean[name] = [
                {inner: redact(one) for inner, one in check.items()} for check in value
            ]
        else:
            clean[name] = redact(value)
    return clean


def check_fields(check: CheckResult) -> dict[str, Any]:
    """
    Return what the log keeps of a check: what says nothing is left out.
    """
    fields = {"check": check.check, "passed": check.passed, "reason": check.reason}
    if check.score not in {None, float(check.passed)}:
        fields["score"] = check.score
    if check.weight != 1:
        fields["weight"] = check.weight
    if check.details:
        fields["details"] = dict(check.details)
    return fields


def _flat(value: Usage) -> dict[str, Any]:
    """
    Return a value's fields, which hold no other values; `asdict` copies what they hold.
    """
    return {name: getattr(value, name) for name in value.__slots__}


def reply_fields(reply: Reply) -> dict[str, Any]:
    """
    Return what the log keeps of a reply: all of it.
    """
    trouble = reply.trouble
    return {
        **({"transcript": logged(reply.steps)} if reply.steps else {}),
        "kind": trouble.kind if trouble else "",
        "reason": trouble.text if trouble else "",
        "infrastructure": trouble is not None and trouble.rule.infrastructure,
        "answer": reply.answer,
        "errors": reply.errors,
        "duration_s": round(reply.duration_s, ROUND),
        "cost_usd": None if reply.cost_usd is None else round(reply.cost_usd, 8),
        "usage": _flat(reply.usage),
        "model": reply.model,
        "session_id": reply.session_id,
        "turns": reply.turns,
        "tool_calls": list(reply.tools),
        "subagents": list(reply.subagents),
        "denied_tools": list(reply.denied_tools),
        "http_status": reply.http_status,
        "exit_code": reply.exit_code,
        "retry_after_s": trouble.retry_after_s if trouble else None,
        "evidence": dict(reply.evidence),
    }
