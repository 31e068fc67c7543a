"""
Scores of groups, weights and relays, for whatever their members say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pytest
from fakes.evidence import evidence
from hypothesis import assume, given, strategies as st

from reliability.checks.base import BaseCheck
from reliability.checks.delegation import relay_fidelity
from reliability.checks.diffs import changed_lines
from reliability.checks.globs import matches, may_match_below
from reliability.checks.groups import AllOf, AnyOf, Not, Weighted, weigh
from reliability.grades import Grade
from reliability.suite import Weighed

if TYPE_CHECKING:
    from reliability.grades import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Says(BaseCheck):
    """
    Always says the same.
    """

    KIND: ClassVar[str] = "says"
    SHORT: ClassVar[str] = "score"
    score: float
    passes: bool

    def grade(self, evidence: Evidence) -> Grade:
        return Grade(
            passed=self.passes, score=self.score, reason="" if self.passes else "no"
        )


SAYS = st.builds(Says, score=st.floats(0, 1), passes=st.booleans())
WEIGHED = st.builds(
    Weighed,
    check=SAYS,
    weight=st.floats(0, 1e6, exclude_min=True, allow_subnormal=False),
    required=st.booleans(),
)
CHECKS = st.recursive(
    SAYS,
    lambda inner: st.one_of(
        st.builds(Not, check=inner),
        st.builds(AnyOf, checks=st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(AllOf, checks=st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(
            Weighted,
            checks=st.lists(
                st.builds(Weighed, check=inner, weight=st.floats(1e-3, 1e6)),
                min_size=1,
                max_size=4,
            ).map(tuple),
            pass_mark=st.floats(0, 1, exclude_min=True),
        ),
    ),
    max_leaves=8,
)
NOTHING = evidence()
SEVERAL = st.lists(SAYS, min_size=1, max_size=5).map(tuple)


@given(CHECKS)
def test_a_score_is_never_outside_its_bounds(check: BaseCheck) -> None:
    """
    However groups are put into each other, and a failed one says why.
    """
    grade = check.grade(NOTHING)

    assert 0 <= grade.score <= 1
    assert grade.passed is not bool(grade.reason)


@given(SAYS)
def test_a_check_turned_around_twice_says_what_it_said(check: Says) -> None:
    """
    The grade is the same, and the score but for rounding.
    """
    grade = Not(check=Not(check=check)).grade(NOTHING)

    assert check.passes == grade.passed
    assert pytest.approx(check.score) == grade.score


@given(SEVERAL)
def test_any_takes_the_best_and_all_the_worst(checks: tuple[Says, ...]) -> None:
    """
    In score; one pass is enough for the one, one failure for the other.
    """
    best, worst = (group(checks=checks).grade(NOTHING) for group in (AnyOf, AllOf))

    assert max(check.score for check in checks) == best.score
    assert min(check.score for check in checks) == worst.score
    assert any(check.passes for check in checks) == best.passed
    assert all(check.passes for check in checks) == worst.passed


@given(st.lists(WEIGHED, min_size=1, max_size=6), st.floats(0.01, 1))
def test_the_pass_mark_decides(checks: list[Weighed], pass_mark: float) -> None:
    """
    At 1 each must pass; below it the mean, and each that is required.
    """
    grades = [one.check.grade(NOTHING) for one in checks]
    passed, score, reason = weigh(checks, grades, pass_mark=pass_mark)
    mean = sum(
        one.weight * grade.score for one, grade in zip(checks, grades, strict=True)
    ) / sum(one.weight for one in checks)
    assume(abs(mean - pass_mark) > 1e-6)
    required = all(
        grade.passed
        for one, grade in zip(checks, grades, strict=True)
        if one.required or pass_mark == 1
    )

    assert 0 <= score <= 1
    assert pytest.approx(mean) == score
    assert (required and (pass_mark == 1 or mean >= pass_mark)) == passed
    assert passed is not bool(reason)


@given(st.lists(WEIGHED, min_size=1, max_size=6), st.floats(0.5, 1000))
def test_only_the_ratio_of_weights_counts(checks: list[Weighed], times: float) -> None:
    """
    All of them heavier by the same factor change nothing.
    """
    grades = [one.check.grade(NOTHING) for one in checks]
    heavier = [Weighed(check=one.check, weight=one.weight * times) for one in checks]

    assert (
        pytest.approx(weigh(checks, grades, pass_mark=1)[1])
        == (weigh(heavier, grades, pass_mark=1)[1])
    )


def test_thirds_that_add_up_reach_their_mark() -> None:
    """
    Rounding costs nobody a pass.
    """
    checks = [Weighed(check=Says(score=1, passes=True), weight=w) for w in (0.1, 0.2)]
    grades = [one.check.grade(NOTHING) for one in checks]

    assert weigh(checks, grades, pass_mark=0.999_999_999_9)[0]


@pytest.mark.parametrize("group", [AnyOf, AllOf, Weighted])
def test_a_group_of_none_is_refused(group: type[AnyOf]) -> None:
    """
    It would hold for everything, or break.
    """
    with pytest.raises(ValueError, match="no check in it"):
        group(checks=())


@given(st.text(), st.text())
def test_relay_fidelity_is_a_share(returned: str, answer: str) -> None:
    """
    From 0 to 1, and 1 for the text itself.
    """
    assert 0 <= relay_fidelity(returned, answer) <= 1
    assert 1 == relay_fidelity(returned, returned)


@given(st.text(), st.text(), st.text())
def test_what_is_carried_verbatim_is_carried_whole(
    before: str, returned: str, after: str
) -> None:
    """
    Whatever stands around it, on lines of its own.
    """
    assert 1 == relay_fidelity(returned, f"{before}\n{returned}\n{after}")


@given(st.lists(st.sampled_from("abc"), min_size=1), st.integers(0, 30))
def test_each_word_lost_costs_its_share(words: list[str], kept: int) -> None:
    """
    Words count as often as they came.
    """
    kept = min(kept, len(words))

    assert kept / len(words) == relay_fidelity(" ".join(words), " ".join(words[:kept]))


PATTERNS = st.lists(
    st.sampled_from(["**/", "**", "*", "?", "/", "a", "b", "."]), max_size=6
).map("".join)
PATHS = st.text("ab/.", max_size=8)


def by_regex(pattern: str) -> str:
    """
    Return the pattern as a regular expression that may go back.
    """
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(meaning.get(one, re.escape(one)) for one in pieces)


@given(PATTERNS, PATHS)
def test_patterns_match_what_they_say(pattern: str, path: str) -> None:
    """
    As a regular expression would that can take forever.
    """
    wanted = re.fullmatch(by_regex(pattern), path) is not None

    assert wanted == matches(pattern, path)


@given(PATTERNS, st.text("ab/", max_size=4), st.text("ab.", min_size=1, max_size=3))
def test_a_folder_whose_files_match_is_never_overlooked(
    pattern: str, folder: str, name: str
) -> None:
    """
    Whatever matches below a folder, its name alone says that something may.
    """
    if matches(pattern, f"{folder}/{name}"):
        assert may_match_below(pattern, f"{folder}/")


def test_a_folder_with_nothing_that_could_match_is_left_alone() -> None:
    """
    Not every removed folder makes it impossible to decide.
    """
    assert not may_match_below("src/*.py", "node_modules/")
    assert not may_match_below("*.py", "tests/")
    assert may_match_below("**/*.py", "tests/")
    assert may_match_below("tests/*.py", "tests/")


@pytest.mark.parametrize(
    ("diff", "wanted"),
    [
        ("", (0, True)),
        ("@@ -1 +1 @@\n-old\n+new\n", (2, True)),
        ("--- a\n+++ b\n@@ -1,2 +0,0 @@\n--- sql comment\n-- two\n", (2, True)),
        ("@@ -0,0 +1,2 @@\n+++ ++\n++++ -1\n", (2, True)),
        (
            "@@ -0,0 +1 @@\n+a\x0c+b\u2028+c\r\n\\ No newline at end of file\n",
            (1, True),
        ),
        ("@@ -1,9 +1,9 @@\n+a\n[... 99 bytes left out ...]\n+z\n", (1, False)),
        ("@@ -1 +1,3 @@\n a\n+b\n", (1, False)),
        ("[no diff of a: too slow]\n", (0, False)),
        ("@@ -1 +1 @@\n-a\n+b\n[the rest is left out]\n", (2, False)),
    ],
)
def test_lines_are_counted_by_what_the_heads_announce(
    diff: str, wanted: tuple[int, bool]
) -> None:
    """
    What a line looks like does not matter, and a cut is seen.
    """
    assert wanted == changed_lines(diff)
