"""
The check that an answer contains, equals or matches a text.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from fakes.programs import wait_until
from hypothesis import given

from reliability.checks import sandbox
from reliability.checks.base import SHOWN_CHARACTERS
from reliability.checks.text import Regex
from reliability.errors import CheckError
from reliability.grades import Evidence, Grade
from reliability.parsers import Expectation, ExpectMode, expectation
from reliability.settings import Settings
from reliability.suites.single import single_case

HOSTILE = "a" * 5000 + "!"
# Grades in a thread until the matcher has worked for a while, tells its id, and ends.
CANCELLED_RUN = """
import os, sys, threading
from pathlib import Path
from reliability.checks.text import Regex
from reliability.grades import Evidence

check = Regex(pattern="(a+)+$", timeout=1)
evidence = Evidence(case="", prompt="", answer=sys.argv[1])
threading.Thread(target=check.grade, args=(evidence,)).start()
pids, ticks = [], 0
while ticks < 10:
    pids = [pid for path in Path("/proc/self/task").glob("*/children")
            for pid in path.read_text().split()]
    for pid in pids:
        ticks = int(Path("/proc", pid, "stat").read_text().split()[13])
print(*pids, flush=True)
os._exit(0)
"""


def graded(expected: str | Expectation, answer: str) -> Grade:
    """
    Grade an answer by an expectation.
    """
    if isinstance(expected, str):
        expected = expectation(expected)
    settings = replace(Settings.from_text({"agent": "a"}), expect=expected)
    (weighed,) = single_case(settings).cases[0].checks
    return weighed.check.grade(Evidence(case="", prompt="", answer=answer))


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
    result = graded(expected, answer)

    assert passed is result.passed
    assert passed is (result.reason == "")


@given(text=st.text(min_size=1), before=st.text(), after=st.text())
def test_what_is_there_is_found(text: str, before: str, after: str) -> None:
    """
    An answer that holds the text passes, whatever stands around it.
    """
    assert graded(Expectation(ExpectMode.CONTAINS, text), before + text + after).passed


def test_a_reason_says_what_was_expected_and_what_came() -> None:
    """
    The beginning of the answer is enough, and how much more there was.
    """
    short = graded("Hello", "Bye\n")
    long = graded("equals:Yes", "n" * (SHOWN_CHARACTERS + 7))

    assert "expected an answer that contains 'Hello', got 'Bye\\n'" == short.reason
    assert long.reason.startswith("expected exactly 'Yes', got 'nnn")
    assert long.reason.endswith("' and 7 more")


def test_a_regular_expression_without_end_is_stopped() -> None:
    """
    A pattern that takes exponential time cannot decide, so it is no failure.
    """
    check = Regex(pattern="(a+)+$", timeout=0.2)

    with pytest.raises(CheckError, match=r"did not end within 0\.2 s"):
        check.grade(Evidence(case="", prompt="", answer=HOSTILE))


@pytest.mark.crash
def test_a_matcher_outlives_a_killed_run_for_seconds_only() -> None:
    """
    A cancelled run ends at once; its pattern without end does not burn on for ever.
    """
    done = subprocess.run(
        [sys.executable, "-c", CANCELLED_RUN, HOSTILE],
        stdout=subprocess.PIPE,
        check=True,
        timeout=30,
    )
    matcher = Path("/proc", done.stdout.decode().strip(), "stat")

    assert b"python" in matcher.read_bytes()
    wait_until(lambda: not matcher.exists() or b") Z " in matcher.read_bytes())


def test_a_matcher_that_cannot_be_started_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The answer is kept, and its trial is invalid.
    """
    sandbox.close_helpers()
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(CheckError, match="cannot be started: No such file"):
        graded("matches:x", "x")


def test_the_matcher_sees_nothing_of_the_folder_that_it_runs_in(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A `re.py` that an agent leaves in the workspace is not what grades it.
    """
    folder = Path(str(tmp_path))
    for name in ("re.py", "json.py", "sitecustomize.py"):
        (folder / name).write_text("raise SystemExit(0)", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))

    sandbox.close_helpers()

    assert not graded("matches:^x$", "y").passed


def test_a_run_has_the_checks_that_it_was_given() -> None:
    """
    None without an expectation, one with.
    """
    without = Settings.from_text({"agent": "a"})
    with_one = Settings.from_text({"agent": "a", "expect": "Hello"})
    found = [single_case(settings).cases[0].checks for settings in (without, with_one)]

    assert [[], ["contains:Hello"]] == [
        [weighed.check.label for weighed in checks] for checks in found
    ]
