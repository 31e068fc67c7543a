"""
The page on the log's format says what is in a real log, field by field.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes.continued import cut_log, resumed
from fakes.judges import run_judged
from fakes.runs import ROOT, events, run_simulated, scripted

from reliability.cli import cli
from reliability.journal.line import ENVELOPE
from reliability.model import RunStatus

PAGE = (ROOT / "docs/log-format.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"### `(\w+)`\n(.*?)(?=\n##|\Z)", PAGE, re.DOTALL))
EVENTS = (
    "run_started",
    "trial_reused",
    "trial_started",
    "attempt_finished",
    "question_finished",
    "trial_finished",
    "governor_changed",
    "run_finished",
)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """
    Return the fields of each kind of event in a log with every kind.
    """
    folder = tmp_path_factory.mktemp("run")
    steps = scripted(folder, {"status": 529, "retry_after_s": 0.01}, {"text": "Hello"})
    found: dict[str, set[str]] = {}
    result = run_simulated(folder, loops="2", simulator=steps)
    again = resumed(cut_log(Path(result.log), after="trial_finished"))
    judged = run_judged(folder)
    for event in (*events(result), *events(again), *events(judged)):
        found.setdefault(event.event, set()).update(event.fields)
    return found


def test_every_event_has_its_section(logged: dict[str, set[str]]) -> None:
    """
    An event that is new, renamed or gone is noticed.
    """
    assert set(EVENTS) == set(logged) == set(SECTIONS)


@pytest.mark.parametrize("event", EVENTS)
def test_section_names_every_field_and_no_other(
    event: str, logged: dict[str, set[str]]
) -> None:
    """
    The first column of an event's table is the event's fields.
    """
    rows = re.findall(r"^\| (`.*?`) \|", SECTIONS[event], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert logged[event] == named


def test_every_status_is_named() -> None:
    """
    How a run can end is said in the words that the log uses; `started` is not logged.
    """
    for status in set(RunStatus) - {RunStatus.STARTED}:
        assert f"`{status}`" in SECTIONS["run_finished"]
    assert "`error`" not in SECTIONS["run_finished"]


def test_every_member_of_a_line_is_named() -> None:
    """
    The table of the line's own members is whole.
    """
    assert set() == {name for name in ENVELOPE if f"| `{name}` |" not in PAGE}


def test_no_command_is_promised_that_does_not_exist() -> None:
    """
    Every `reliability NAME` on the page is one of the command's.
    """
    named = set(re.findall(r"`reliability (\w+)", PAGE))

    assert {"resume", "report", "verify"} <= named <= set(cli.commands)
