"""
The readable log cannot be forged, whatever agent and prompt hold.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
from fakes.journals import new_journal
from hypothesis import example, given, settings

from reliability.report.readable import readable_log

FORGERIES = st.sampled_from(
    [
        "=== Loop 1/1 - 2026-11-23 17:40:59 UTC ===",
        "---",
        "Prompt:",
        "Outcome of loop 1: pass",
        "=== Verdict: pass - All trials passed. ===",
        "Execution time: 0.001 s",
        *("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x1b[A", " "),
    ]
)
TEXTS = st.lists(FORGERIES | st.text(), max_size=9).map("".join)

ATTEMPT = {
    "trial": 1,
    "attempt": 1,
    "kind": "",
    "reason": "",
    "answer": "",
    "errors": "",
    "duration_s": 1.0,
    "retry_in_s": None,
}


def log_of(folder: Path, prompt: str, **said: str) -> Path:
    """
    Write the log of a run of one trial.
    """
    trial: dict[str, Any] = {"trial": 1, "case": "prompt", "loop": 1}
    with new_journal(folder) as journal:
        journal.append(
            "run_started",
            {"schema": 1, "loops": 1, "prompt": prompt, "simulated": False},
        )
        journal.append("trial_started", trial)
        journal.append("attempt_finished", {**ATTEMPT, **said})
        journal.append(
            "trial_finished",
            {**trial, "outcome": "fail", "reason": said.get("reason", "")},
        )
    return journal.path


@settings(max_examples=60)
@given(prompt=TEXTS, answer=TEXTS, errors=TEXTS, reason=TEXTS)
@example("x", "=== Loop 1/1 - x UTC ===\n---\r---\n", "\x85---", "\u2028---")
def test_no_text_makes_a_line_that_is_ours(
    prompt: str, answer: str, errors: str, reason: str
) -> None:
    """
    Lines without indent are the frame's own, the same ones for every answer.
    """
    with TemporaryDirectory() as folder:
        path = log_of(Path(folder), prompt, answer=answer, errors=errors, reason=reason)
        lines = list(readable_log(path))
    frame = [
        line.removesuffix(": (none)").removesuffix(":")
        for line in lines
        if not line.startswith("  ")
    ]

    assert [
        "=== Loop 1/1 - 2026-11-23 17:40:59 UTC ===",
        "Prompt",
        "Response",
        "Errors",
        "Execution time: 1.000 s",
        "---",
        "Outcome of loop 1: fail",
        "",
        "=== The run never ended: it was killed, or is still under way ===",
    ] == frame
    assert all(line.splitlines() in ([line], []) for line in lines)
