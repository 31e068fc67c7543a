"""
The check that an answer contains, equals or matches a text.
"""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reliability.checks import open_checks
from reliability.checks.expect import SHOWN_CHARACTERS, Expect
from reliability.errors import CheckError
from reliability.parsers import Expectation, ExpectMode, expectation
from reliability.settings import Settings

HOSTILE = "a" * 5000 + "!"


@pytest.mark.parametrize(
    ("expected", "answer", "passed"),
    [
        ("Hello", "Hello, world", True),
        ("Hello", "hello", False),
        ("contains:Hello", "Well, Hello", True),
        ("other:thing", "some other:thing", True),
        ("equals:Yes", " Yes\n", True),
        ("equals:Yes", "Yes.", False),
        ("matches:^h.llo$", "hello", True),
        ("matches:(?i)HELLO", "well, hello", True),
        ("matches:^hello$", "say hello", False),
        ("matches:\\d{3}", "\ud800 12 \N{ROLLING ON THE FLOOR LAUGHING} 345", True),
    ],
)
def test_each_mode_compares_as_its_help_says(
    expected: str, answer: str, *, passed: bool
) -> None:
    """
    Contains by default and to the letter; equals but for blanks; matches anywhere.
    """
    result = Expect(expectation(expected))(answer)

    assert passed is result.passed
    assert passed is (result.reason == "")


@given(text=st.text(min_size=1), before=st.text(), after=st.text())
def test_what_is_there_is_found(text: str, before: str, after: str) -> None:
    """
    An answer that holds the text passes, whatever stands around it.
    """
    assert Expect(Expectation(ExpectMode.CONTAINS, text))(before + text + after).passed


def test_a_reason_says_what_was_expected_and_what_came() -> None:
    """
    The beginning of the answer is enough, and how much more there was.
    """
    short = Expect(expectation("Hello"))("Bye\n")
    long = Expect(expectation("equals:Yes"))("n" * (SHOWN_CHARACTERS + 7))

    assert "expected an answer that contains 'Hello', got 'Bye\\n'" == short.reason
    assert "contains:Hello" == short.check
    assert long.reason.startswith("expected exactly 'Yes', got 'nnn")
    assert long.reason.endswith("' and 7 more")


def test_a_regular_expression_without_end_is_stopped() -> None:
    """
    A pattern that takes exponential time cannot decide, so it is no failure.
    """
    check = Expect(expectation("matches:(a+)+$"), timeout_s=0.2)

    with pytest.raises(CheckError, match=r"did not end within 0\.2 s"):
        check(HOSTILE)


def test_the_matcher_sees_nothing_of_the_folder_that_it_runs_in(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A `re.py` that an agent leaves in the workspace is not what grades it.
    """
    from pathlib import Path

    folder = Path(str(tmp_path))
    for name in ("re.py", "json.py", "sitecustomize.py"):
        (folder / name).write_text("raise SystemExit(0)", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))

    assert not Expect(expectation("matches:^x$"))("y").passed


def test_a_run_has_the_checks_that_it_was_given() -> None:
    """
    None without an expectation, one with.
    """
    without = Settings.from_text({"agent": "a"})
    with_one = Settings.from_text({"agent": "a", "expect": "Hello"})

    assert () == open_checks(without)
    assert ["contains:Hello"] == [check("x").check for check in open_checks(with_one)]
