"""
Each kind of check: when it holds, what it says when it does not, when it cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from fakes.evidence import WORKSPACE, called, delegated, evidence, left_room

from reliability.checks.command import Command
from reliability.checks.delegation import DelegatedTo
from reliability.checks.files import Files
from reliability.checks.groups import AllOf, AnyOf, Not, Weighted
from reliability.checks.json_answer import Json
from reliability.checks.judge import Judge
from reliability.checks.registry import check_classes
from reliability.checks.spending import MaxCost, MaxSeconds, MaxTurns
from reliability.checks.text import Contains, Equals, NotContains, Regex
from reliability.checks.tools import ToolNotUsed, ToolOrder, ToolUsed
from reliability.errors import CheckError
from reliability.suite import Weighed

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.checks.base import BaseCheck
    from reliability.grades import Evidence

ANSWER = '{"total": 42, "said": "Seven red lamps"}'
STEPS = (
    called("Write", path="a.txt"),
    *delegated("helper", "Seven red lamps in stock"),
    called("Bash", by="helper", command="ls"),
)
ENDLESS = "(.*)*(.*)*(.*)*(.*)*="
NO_TURNS: Any = {"changes": {"turns": None}, "why": "tells no turns"}
HELD, BROKEN = Contains(text="lamps"), Contains(text="chairs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One kind: a check that holds, one that does not, one that cannot tell.

    Args:
        says: In the reason of the one that does not hold, each of them.
        unsure: The check that cannot tell; None when there is no such case.
        changes: Of the evidence, for that one.
        why: In the error.
    """

    holds: BaseCheck
    fails: BaseCheck
    says: tuple[str, ...]
    unsure: BaseCheck | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    why: str = ""


ROWS = {
    "contains": Row(
        holds=HELD, fails=BROKEN, says=("contains 'chairs'", 'got \'{"total"')
    ),
    "not-contains": Row(
        holds=NotContains(text="chairs"),
        fails=NotContains(text="LAMPS", ignore_case=True),
        says=("without 'LAMPS'", "Seven red lamps"),
    ),
    "equals": Row(
        holds=Equals(text=f" {ANSWER}\n"),
        fails=Equals(text="42"),
        says=("exactly '42'",),
    ),
    "regex": Row(
        holds=Regex(pattern=r"total\W+\d+"),
        fails=Regex(pattern="^total"),
        says=("matches '^total'", "Seven red lamps"),
        unsure=Regex(pattern=ENDLESS, timeout=0.2),
        why="did not end within 0.2 s",
    ),
    "json": Row(
        holds=Json(path="$.total", equals=42, schema={"required": ["said"]}),
        fails=Json(path="$.total", equals=43),
        says=("43 at $.total, found 42", "Seven red lamps"),
        unsure=Json(schema={"additionalProperties": {"pattern": ENDLESS}}, timeout=0.2),
        why="did not end within 0.2 s",
    ),
    "command": Row(
        holds=Command(run="sh -c 'grep -q lamps'"),
        fails=Command(run="sh -c 'echo no chairs; exit 1'"),
        says=("no chairs",),
        unsure=Command(run="sh -c 'echo broken >&2; exit 7'"),
        why="exit code 7, which is neither 0 nor 1: broken",
    ),
    "files": Row(
        holds=Files(
            exist=("a.txt",),
            absent=("c.txt",),
            changed=("*.txt",),
            unchanged=("*.py",),
            contain={"a.txt": "new"},
            max_changed_lines=2,
        ),
        fails=Files(
            exist=("c.txt",),
            absent=("a.txt",),
            changed=("*.py",),
            unchanged=("a.*",),
            contain={"a.txt": "old"},
            max_changed_lines=1,
        ),
        says=(
            "the file c.txt, which is not there",
            "no file a.txt, which is there",
            "a change of *.py, got a.txt, b.txt",
            "no change of a.*, got a.txt",
            "a.txt to contain 'old', got 4 characters without it",
            "at most 1 changed lines, got 2",
        ),
        unsure=Files(unchanged=("a.*",)),
        changes={"workspace": {"unknown": "there is nothing to compare with"}},
        why="nothing to compare with",
    ),
    "max-cost-usd": Row(
        holds=MaxCost(usd=0.5),
        fails=MaxCost(usd=0.1),
        says=("at most $0.1, got $0.2500",),
        unsure=MaxCost(usd=1),
        changes={"cost_usd": None},
        why="price of the model is not known",
    ),
    "max-turns": Row(
        holds=MaxTurns(turns=3),
        fails=MaxTurns(turns=2),
        says=("at most 2 turns, got 3 turns",),
        unsure=MaxTurns(turns=1),
        **NO_TURNS,
    ),
    "max-seconds": Row(
        holds=MaxSeconds(seconds=2),
        fails=MaxSeconds(seconds=1),
        says=("at most 1 s, got 1.5 s",),
    ),
    "tool-used": Row(
        holds=ToolUsed(tool="Bash", input_matches="ls", max=1),
        fails=ToolUsed(tool="Bash", min=2, max=3, input_matches="rm"),
        says=("2 to 3 calls of Bash with 'rm', got 0", "Write, Agent, Bash"),
        unsure=ToolUsed(tool="Bash", input_matches=ENDLESS),
        changes={"steps": (called("Bash", command="a" * 5000),)},
        why="did not end within",
    ),
    "tool-not-used": Row(
        holds=ToolNotUsed(tools=("Edit", "Read")),
        fails=ToolNotUsed(tools="Write"),
        says=("no calls of Write, got 1 of Write",),
    ),
    "tool-order": Row(
        holds=ToolOrder(tools=("Write", "Agent")),
        fails=ToolOrder(tools=("Agent", "Write")),
        says=("Agent > Write, got 1 of them", "Write, Agent"),
    ),
    "delegated-to": Row(
        holds=DelegatedTo(agent="helper", relay_fidelity=0.6),
        fails=DelegatedTo(agent="helper", relay_fidelity=0.9),
        says=("with 90%", "60% of the words that helper returned"),
        unsure=DelegatedTo(agent="helper", relay_fidelity=0.5),
        changes={"steps": delegated("helper", "Seven", cut_bytes=1)},
        why="the return is not whole",
    ),
    "judge": Row(
        holds=Judge(rubric="good"),
        fails=Judge(rubric="bad", votes=2),
        says=("0 of 2 votes for a pass: it is dull; it is dull",),
        unsure=Judge(rubric="odd"),
        why="gave no vote",
    ),
    "not": Row(
        holds=Not(check=BROKEN),
        fails=Not(check=HELD),
        says=("expected contains:lamps not to hold",),
        unsure=Not(check=MaxTurns(turns=1)),
        **NO_TURNS,
    ),
    "any": Row(
        holds=AnyOf(checks=(BROKEN, HELD)),
        fails=AnyOf(checks=(BROKEN, Equals(text="no"))),
        says=("none of 2 holds", "contains 'chairs'", "exactly 'no'"),
        unsure=AnyOf(checks=(MaxTurns(turns=1),)),
        **NO_TURNS,
    ),
    "all": Row(
        holds=AllOf(checks=(HELD, HELD)),
        fails=AllOf(checks=(HELD, BROKEN)),
        says=("contains 'chairs'",),
        unsure=AllOf(checks=(MaxTurns(turns=1),)),
        **NO_TURNS,
    ),
    "weighted": Row(
        holds=Weighted(
            checks=(Weighed(check=HELD, weight=3), Weighed(check=BROKEN)), pass_mark=0.7
        ),
        fails=Weighted(
            checks=(Weighed(check=HELD), Weighed(check=BROKEN)), pass_mark=0.7
        ),
        says=("at least 0.7, got 0.5", "contains 'chairs'"),
        unsure=Weighted(checks=(Weighed(check=MaxTurns(turns=1)),)),
        **NO_TURNS,
    ),
}
ANSWERS = {
    "good": '{"reason": "it {really} is", "pass": true}',
    "bad": '{"reason": "it is dull", "pass": false}',
    "odd": "I cannot say {this}.",
}


@pytest.fixture
def known(tmp_path: Path) -> Evidence:
    """
    Return the evidence of one trial.
    """
    leavings = left_room(tmp_path / "room")
    (leavings.folder / "a.txt").write_text("new\n")
    return evidence(
        ANSWER,
        steps=STEPS,
        turns=3,
        cost_usd=0.25,
        duration_s=1.5,
        leavings=leavings,
        workspace=WORKSPACE,
    )


def judged(check: BaseCheck, known: Evidence) -> Evidence:
    """
    Return evidence with an answer to each question, by the rubric.
    """
    answers = {
        question.key: said
        for question in check.questions(known)
        for rubric, said in ANSWERS.items()
        if f"Rubric:\n{rubric}\n" in question.prompt
    }
    return replace(known, answers=answers)


def test_every_kind_has_a_row() -> None:
    """
    A new kind needs one.
    """
    assert set(ROWS) == set(check_classes())


@pytest.mark.parametrize("kind", ROWS)
def test_each_kind_passes_without_a_word(kind: str, known: Evidence) -> None:
    """
    A check that holds has the full score, or that of its share, and no reason.
    """
    check = ROWS[kind].holds
    grade = check.grade(judged(check, known))

    assert (True, "") == (grade.passed, grade.reason)
    assert (0.75 if kind == "weighted" else 1.0) == grade.score


@pytest.mark.parametrize("kind", ROWS)
def test_each_kind_says_what_was_expected_and_what_came(
    kind: str, known: Evidence
) -> None:
    """
    A check that does not hold names both.
    """
    check = ROWS[kind].fails
    grade = check.grade(judged(check, known))

    assert not grade.passed
    assert grade.score < 1
    for text in ROWS[kind].says:
        assert text in grade.reason


@pytest.mark.parametrize("kind", [kind for kind in ROWS if ROWS[kind].unsure])
def test_each_kind_that_cannot_tell_says_so(
    kind: str, known: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is an error, which makes the trial invalid, and never a grade.
    """
    monkeypatch.setattr("reliability.checks.tools._TIMEOUT_S", 0.2)
    row = ROWS[kind]
    assert row.unsure is not None
    with pytest.raises(CheckError) as caught:
        row.unsure.grade(judged(row.unsure, replace(known, **row.changes)))

    assert row.why in str(caught.value)
