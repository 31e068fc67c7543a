"""
Events as a log has them, for tests that make logs by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fakes.runs import texts

from reliability.settings import Settings
from reliability.suites.single import single_case

USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
}


def cases(*, loops: int) -> list[dict[str, Any]]:
    """
    Return the cases of a run without a suite, as its log has them.
    """
    settings = Settings.from_text({**texts(Path("/nowhere")), "loops": str(loops)})
    return [case.as_json() for case in single_case(settings).cases]


START: dict[str, Any] = {
    "schema": 1,
    "simulated": False,
    "agent": "greeter",
    "backend": "messages",
    "cases": cases(loops=1),
    "suite": None,
    "loops": 1,
    "options": Settings.from_text(texts(Path("/nowhere"))).public(),
    "prompt": "Say hello.",
    "versions": {"reliability": "1", "python": "3"},
    "fingerprint": {"prompt_sha256": "0", "checks_sha256": "0"},
    "warnings": [],
}
TRIAL: dict[str, Any] = {"trial": 1, "case": "prompt", "loop": 1}
ATTEMPT: dict[str, Any] = {
    "trial": 1,
    "attempt": 1,
    "kind": "",
    "reason": "",
    "answer": "Hello",
    "errors": "",
    "duration_s": 2.5,
    "retry_in_s": None,
    "cost_usd": 0.25,
    "turns": 1,
    "usage": USAGE,
}
REUSED: dict[str, Any] = {
    **TRIAL,
    "outcome": "pass",
    "kind": "",
    "reason": "",
    "checks": [],
    "score": None,
    "attempts": 2,
    "duration_s": 9.0,
    "waited_s": 7.0,
    "cost_usd": 0.5,
    "priced": 1,
    "turns": 1,
    "usage": USAGE,
    "answer": "Hello",
    "troubles": ["overloaded"],
    "started_utc": "2026-11-23T17:40:59.123Z",
    "from_run": "aaaa1111",
    "from_trial": 7,
    "changed": False,
}
FINISHED: dict[str, Any] = {
    "status": "completed",
    "signal": None,
    "verdict": "pass",
    "reason": "Because.",
    "duration_s": 3.0,
}
