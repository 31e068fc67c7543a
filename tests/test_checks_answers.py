"""
What an agent may answer or call to mislead, stall or break whoever grades it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes.evidence import called, delegated, evidence

from reliability.checks import sandbox
from reliability.checks.delegation import DelegatedTo
from reliability.checks.json_answer import Json
from reliability.checks.judge import Judge
from reliability.checks.text import Contains, Regex
from reliability.checks.tools import ToolNotUsed, ToolUsed
from reliability.errors import CheckError

DEEP = 100_000
LIST = {"items": {"$ref": "#"}}
JSONS = [
    ("[" * DEEP, "nested too deeply"),
    ('{"a":' * DEEP, "nested too deeply"),
    ("9" * 10_000, "4300"),
    ("NaN", "NaN is not JSON"),
    ("[Infinity]", "Infinity is not JSON"),
    ('{"a": 1', "Expecting"),
    ("\ud800", "Expecting"),
    ("\0", "Expecting"),
    ("", "Expecting"),
    ("```json\n{}\n```\nand ```json\n{}\n```", "Extra data"),
]


@pytest.mark.parametrize("given", [{"path": "$..x"}, {"schema": LIST}])
def test_json_too_deep_to_look_through_is_a_failure(given: dict[str, Any]) -> None:
    """
    How deep an answer goes is the agent's choice: that must not undo its trial.
    """
    grade = Json(**given).grade(evidence("[" * 600 + "]" * 600))

    assert not grade.passed
    assert "nested too deeply" in grade.reason


@pytest.mark.parametrize(("answer", "why"), JSONS)
def test_what_is_no_json_is_a_failure_that_says_why(answer: str, why: str) -> None:
    """
    The agent's answer was wrong, so nothing is undecided.
    """
    grade = Json().grade(evidence(answer))

    assert not grade.passed
    assert why in grade.reason


@pytest.mark.parametrize(
    ("answer", "path", "equals", "passes"),
    [
        ("true", "$", 1, False),
        ("1", "$", True, False),
        ("[0]", "$", [False], False),
        ('{"a": [1]}', "$", {"a": [True]}, False),
        ("1.0", "$", 1, True),
        ('{"a": {"b": [1, null]}}', "$.a", {"b": [1.0, None]}, True),
        ('"text"', "$", "text", True),
        ('"{"', "$", "{", True),
        ('"{\\"a\\": 1}"', "$.a", 1, False),
        ('"[1"', "$.a", 1, False),
        ("null", "$", None, True),
    ],
)
def test_values_are_compared_as_json_has_them(
    answer: str, path: str, equals: object, passes: bool
) -> None:
    """
    True is no 1, and a text that looks like JSON is a text.
    """
    assert passes == Json(path=path, equals=equals).grade(evidence(answer)).passed


VOTES = [
    ('{"reason": "uses {x} and }", "pass": true}', True),
    ('{"pass": true}\n{"reason": "no", "pass": false}', False),
    ('{"reason": "{\\"pass\\": true}", "pass": false}', False),
    ('{"pass": false, "quoted": {"pass": true}}', False),
    ('{"vote": {"pass": true}}', True),
    ("{" * 100 + '{"pass": true}' + "}" * 3, True),
]


def vote(answer: str) -> bool:
    """
    Return what a judge's answer means.
    """
    judge, known = Judge(rubric="x"), evidence()
    (question,) = judge.questions(known)
    return judge.grade(evidence(answers={question.key: answer})).passed


@pytest.mark.parametrize(("answer", "passes"), VOTES)
def test_a_vote_is_the_last_object_that_is_one(answer: str, passes: bool) -> None:
    """
    Whatever braces stand in its reason, and whatever it quotes.
    """
    assert passes == vote(answer)


@pytest.mark.parametrize(
    "answer",
    [
        *("", "{}", "[true]", '{"pass": 1}', '{"pass": "true"}', "{" * DEEP),
        '{"a":' * DEEP,
        '{"pass": ' + "[" * DEEP,
        "\ud800{\0}",
    ],
)
def test_what_is_no_vote_is_an_error_and_no_crash(answer: str) -> None:
    """
    A judge that says nothing readable has measured nothing.
    """
    with pytest.raises(CheckError, match="no vote"):
        vote(answer)


def test_an_endless_pattern_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Nineteen others are done while one search has not come to its limit.
    """
    helpers: list[sandbox._Helper] = []

    class Noted(sandbox._Helper):
        """
        A helper that can be found again.
        """

        def __init__(self) -> None:
            super().__init__()
            helpers.append(self)

    sandbox.close_helpers()
    monkeypatch.setattr(sandbox, "_Helper", Noted)
    known = evidence("a" * 5000 + "!")
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(Regex(pattern="(a+)+$", timeout=20).grade, known)
        quick = [Regex(pattern=f"a{{{n + 1}}}").grade(known) for n in range(19)]
        is_at_work = endless.running()
        for helper in helpers:
            helper._process.kill()

        assert is_at_work
        assert all(grade.passed for grade in quick)
        assert isinstance(endless.exception(), CheckError)


def test_names_that_a_model_chose_do_not_flood_a_reason() -> None:
    """
    Nor do they act on a terminal.
    """
    steps = (
        called("x" * 10**6, call_id="c"),
        called("\x1b[31m\n"),
        *delegated("y" * 10**6, "so"),
    )
    known = evidence(steps=steps)
    reasons = [
        ToolUsed(tool="Bash").grade(known).reason,
        DelegatedTo(agent="helper").grade(known).reason,
    ]

    assert all(len(reason) < 500 for reason in reasons)
    assert all(reason.isprintable() for reason in reasons)
    assert ToolNotUsed(tools="Bash").grade(known).passed


def test_a_text_without_end_is_looked_through() -> None:
    """
    Invalid characters and a million lines are a text like any other.
    """
    answer = "\ud800\0\x1b\n" * 250_000 + "lamps"

    assert Contains(text="lamps").grade(evidence(answer)).passed
    assert Regex(pattern="lamps$").grade(evidence(answer)).passed
    assert not Contains(text="chairs").grade(evidence(answer)).passed
