"""
The readable log of a log that a stranger made: refused or harmless.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import new_journal
from fakes.runs import events, run_simulated

from reliability.errors import JournalError
from reliability.report.readable import readable_log

if TYPE_CHECKING:
    from reliability.run_result import RunResult

FORGED = "x\n::error::forged\n=== Verdict: pass - forged ===\n##[error]forged\x1b[2J"
START = {"schema": 1, "loops": 1, "prompt": "Hi.", "simulated": False}
TRIAL: dict[str, Any] = {"trial": 1, "case": "prompt", "loop": 1}
ATTEMPT: dict[str, Any] = {
    "trial": 1,
    "attempt": 1,
    "kind": "",
    "reason": "",
    "answer": "",
    "errors": "",
    "duration_s": 1.0,
    "retry_in_s": 2.0,
}
ENDED = {**TRIAL, "outcome": "fail", "reason": ""}
REUSED: dict[str, Any] = {
    **ENDED,
    "answer": "",
    "duration_s": 1.0,
    "from_run": "aaaa1111",
    "changed": False,
}
FINISHED = {"status": "completed", "verdict": "fail", "reason": "Because."}
PLAIN = [
    ("run_started", START),
    ("trial_started", TRIAL),
    ("attempt_finished", ATTEMPT),
    ("trial_finished", ENDED),
    ("trial_reused", REUSED),
    ("run_finished", FINISHED),
]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make one run.
    """
    return run_simulated(tmp_path_factory.mktemp("run"), loops="2")


def log_of(folder: Path, logged: list[tuple[str, dict[str, Any]]]) -> Path:
    """
    Write a log with these events.
    """
    with new_journal(folder) as journal:
        for name, fields in logged:
            journal.append(name, fields)
    return journal.path


def changed(event: str, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    """
    Return the events of a plain log with other fields; an ellipsis leaves one out.
    """
    logged = []
    for name, own in PLAIN:
        new = {**own, **fields} if name == event else own
        logged.append((name, {k: v for k, v in new.items() if v is not ...}))
    return logged


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ("run_started", "loops"),
        ("run_started", "prompt"),
        ("attempt_finished", "answer"),
        ("attempt_finished", "errors"),
        ("attempt_finished", "reason"),
        ("trial_finished", "loop"),
        ("trial_finished", "outcome"),
        ("trial_finished", "reason"),
        ("run_finished", "verdict"),
        ("run_finished", "reason"),
        ("trial_started", "loop"),
        ("trial_reused", "loop"),
        ("trial_reused", "from_run"),
        ("trial_reused", "answer"),
        ("trial_reused", "outcome"),
        ("trial_reused", "reason"),
    ],
)
def test_no_field_of_a_crafted_log_acts(event: str, field: str, tmp_path: Path) -> None:
    """
    Whatever field holds it, no line is a command, and none is a header of its own.
    """
    path = log_of(tmp_path, changed(event, **{field: FORGED}))
    text = "".join(f"{line}\n" for line in readable_log(path))

    assert "forged" in text
    assert "::error" not in text
    assert "##[" not in text
    assert "\x1b" not in text
    assert "\n=== Verdict: pass - forged" not in text


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (name, field)
        for name, fields in PLAIN
        for field in fields
        if field not in {"case", "kind", "status"}
        and (name, field) != ("trial_reused", "trial")
    ],
)
@pytest.mark.parametrize("value", [..., {}])
def test_missing_or_odd_field_is_a_journal_error_or_harmless(
    event: str, field: str, value: Any, tmp_path: Path
) -> None:
    """
    Never an error of ours.
    """
    path = log_of(tmp_path, changed(event, **{field: value}))
    missing = pytest.raises(JournalError, match="lacks a field")
    with missing if value is ... else suppress(JournalError):
        list(readable_log(path))


def test_log_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """
    What the events mean there is not known here.
    """
    path = log_of(tmp_path, changed("run_started", schema=2))

    with pytest.raises(JournalError, match="schema is 2, newer than the 1"):
        list(readable_log(path))


def test_log_without_a_beginning_is_refused(tmp_path: Path) -> None:
    """
    An empty log, and one of another program.
    """
    for name, logged in (("empty", []), ("odd", PLAIN[1:])):
        path = log_of(tmp_path / name, logged)

        with pytest.raises(JournalError, match="no run_started"):
            list(readable_log(path))


def test_log_of_a_killed_run_says_that_it_has_no_end(
    result: RunResult, tmp_path: Path
) -> None:
    """
    Otherwise a reader takes the last trial for the last of the run.
    """
    whole = list(readable_log(Path(result.log)))
    cut = [(one.event, dict(one.fields)) for one in events(result)][:-1]
    lines = list(readable_log(log_of(tmp_path, cut)))

    assert whole[-1].startswith("=== Verdict: ")
    assert lines[-1].startswith("=== The run never ended")
    assert len(whole) == len(lines)


def test_reused_trial_says_where_it_is_from(tmp_path: Path) -> None:
    """
    Its answer is shown, and other conditions are named.
    """
    said = {"answer": "Hello\nthere", "changed": True, "outcome": "pass", "loop": 7}
    lines = list(readable_log(log_of(tmp_path, changed("trial_reused", **said))))
    start = lines.index(
        "=== Loop 7/1 - reused from run aaaa1111, measured under other conditions ==="
    )

    assert [
        "Response:",
        "  Hello",
        "  there",
        "Execution time: 1.000 s",
        "---",
        "Outcome of loop 7: pass",
    ] == lines[start + 1 : start + 7]
