"""
From the checks of a file to values: every kind, both forms, also kinds of plugins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from fakes.runs import ENVIRON, outcomes
from fakes.suites import DATA

from reliability.checks.base import BaseCheck
from reliability.checks.registry import check_classes
from reliability.errors import UsageError
from reliability.run import run
from reliability.suites.loader import load_suite
from reliability.suites.opening import open_suite
from reliability.suites.parameters import parameters_of
from reliability.suites.statics import checks_of

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.suite import Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Haiku(BaseCheck):
    """
    The answer has as many lines as a haiku.

    Args:
        most_lines: How many.
    """

    KIND: ClassVar[str] = "haiku"
    SHORT: ClassVar[str] = "most_lines"
    most_lines: int = 3
    schema: str = ""

    def __post_init__(self) -> None:
        """
        Refuse what no poem has.
        """
        if self.most_lines < 1:
            raise ValueError("a poem has lines")


CLASSES: dict[str, type] = {**check_classes(), "haiku": Haiku}


def read(text: str) -> tuple[Weighed, ...]:
    """
    Return the checks of a list.
    """
    return checks_of(text, CLASSES, folder=DATA)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("{contains: a}", {"contains": "a"}),
        ("{contains: {text: a, ignore-case: true}}", None),
        ("{json: }", {"json": {}}),
        ("{json: $.a}", {"json": "$.a"}),
        (
            "{json: {path: $.a, equals: null}}",
            {"json": {"path": "$.a", "equals": None}},
        ),
        (
            "{json: {schema-file: schema.json}}",
            {"json": {"schema": {"type": "object"}}},
        ),
        ("{files: [a.txt]}", {"files": ["a.txt"]}),
        ("{not: {contains: a}}", {"not": {"contains": "a"}}),
        ("{not: {check: {contains: a}}}", {"not": {"contains": "a"}}),
        ("{any: [{contains: a}, {equals: b}]}", None),
        ("{contains: a, weight: 2, required: true}", None),
        ("{haiku: 5}", {"haiku": 5}),
        ("{haiku: {most-lines: 5}}", {"haiku": 5}),
    ],
)
def test_both_forms_become_the_check_that_was_meant(
    text: str, spec: dict[str, Any] | None
) -> None:
    """
    What the check says of itself is what was written, in its shortest form.
    """
    (weighed,) = read(f"[{text}]")

    if spec is not None:
        assert spec == weighed.spec()
    else:
        assert weighed == read(f"[{text}]")[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{haiku: 0}", "haiku: cannot be: a poem has lines"),
        ("{haiku: {most-line: 5}}", "haiku.most-line: there is no such key here"),
        ("{any: [{contains: a, weight: 2}]}", "any[0].weight: there is no such check"),
        ("{not: [{contains: a}]}", "not: must be a mapping"),
        ("{json: {schema: {}, schema-file: schema.json}}", "json.schema-file: schema"),
        ("{weighted: {checks: [{contains: a, weight: .5}, {equals: 1}]}}", "weighted."),
        ("{command: {run: x, files: [grade.txt, no]}}", "command.files: the file"),
    ],
)
def test_wrong_parameters_are_told_with_their_path(text: str, said: str) -> None:
    """
    The path is the one that was written, also in the short form and inside groups.
    """
    with pytest.raises(UsageError) as caught:
        read(f"[{text}]")

    assert caught.value.problems[0].startswith(f"checks:1: [0].{said}")


def test_every_kind_has_parameters_that_can_be_read() -> None:
    """
    The loader understands each class's types, and its short form is one of its keys.
    """
    for kind, one in CLASSES.items():
        known = parameters_of(one)

        assert known.help, kind
        assert known.short in known.keys


def test_what_a_check_says_of_itself_reads_back_as_itself() -> None:
    """
    The log's form of a check is a form that a suite file takes.
    """
    suite = load_suite(DATA / "good.yml", {})
    checks = [one for case in suite.cases for one in case.checks]

    for one in checks:
        if "judge" in one.spec() or "command" in one.spec():
            continue  # A judge needs a suite; the log has no paths as written.
        assert (one,) == read(json.dumps([one.spec()]))


def test_a_simulated_judge_has_a_vote(tmp_path: Path) -> None:
    """
    A suite with judges can be tried without a key: it is measured, and labelled.
    """
    suite_file = tmp_path / "reliability.yml"
    suite_file.write_text(
        "version: 1\njudge: {model: m}\ncases:\n"
        "  - name: polite\n    prompt: Say hello.\n"
        "    checks: [{judge: {rubric: Is it polite?, votes: 1}}]\n",
        encoding="utf-8",
    )
    given = {
        "suite": str(suite_file),
        "backend": "simulated",
        "simulator": "latency=0,pass-rate=1",
        "loops": "2",
        "delay": "0",
        "output-dir": str(tmp_path / "out"),
    }
    suite = open_suite(given)
    result = run(suite.settings, suite=suite, environ=ENVIRON, workspace=tmp_path)

    assert ["pass", "pass"] == outcomes(result)
    assert result.simulated
