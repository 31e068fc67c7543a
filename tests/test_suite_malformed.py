"""
A suite file that is wrong is refused, with line and key, whatever is in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fakes.suites import DATA, GOOD, Malformed, hostile, mutated, written
from hypothesis import HealthCheck, given, settings, strategies as st

from reliability.errors import UsageError
from reliability.suites.loader import load_suite

if TYPE_CHECKING:
    from pathlib import Path

MUTATIONS = 120
HOSTILE = {one.name: one for one in hostile()}
WRITTEN = {one.name: one for one in written()}


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """
    Return the path of a suite file in a folder with the files that it may name.
    """
    for path in DATA.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return tmp_path / "suite.yml"


def problems_of(one: Malformed, path: Path) -> tuple[str, ...]:
    """
    Return what is said of a file, which is wrong.
    """
    path.write_bytes(one.content)
    with pytest.raises(UsageError) as caught:
        load_suite(path, {})
    return caught.value.problems


@pytest.mark.parametrize("name", WRITTEN)
def test_what_people_get_wrong_is_told_with_line_and_key(
    name: str, beside: Path
) -> None:
    """
    Each mistake is found where it is.
    """
    one = WRITTEN[name]
    problems = problems_of(one, beside)
    wanted = f"{beside}:{one.line}: {one.begins}"

    assert [problem for problem in problems if problem.startswith(wanted)], problems


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_line(name: str, beside: Path) -> None:
    """
    Neither size nor depth nor expansion nor bytes bring more than a short refusal.
    """
    problems = problems_of(HOSTILE[name], beside)

    assert [] == [one for one in problems if not _has_line(one, beside)]
    assert max(map(len, problems)) < 2000
    assert len(problems) <= 51


def _has_line(problem: str, path: Path) -> bool:
    return bool(
        re.match(re.escape(str(path)) + r":[0-9]+: \S|.* are not shown", problem)
    )


def test_mutations_of_a_good_file_are_refused_with_a_line(beside: Path) -> None:
    """
    One wrong key, value, tag or byte anywhere in a file is found, and shown safely.
    """
    for one in mutated(MUTATIONS):
        problems = problems_of(one, beside)

        assert [] == [each for each in problems if not _has_line(each, beside)], (
            one.name
        )
        assert all(each.isprintable() for each in problems), one.name


def test_there_are_two_hundred_malformed_files() -> None:
    """
    The three kinds together are as many as promised, most of a kind its own.
    """
    assert len(WRITTEN) >= 60
    assert len(WRITTEN) + len(HOSTILE) + MUTATIONS >= 200


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_of_a_good_file_loads_or_is_refused(
    data: st.DataObject, beside: Path
) -> None:
    """
    There is nothing between a suite and a refusal: no other error comes out.
    """
    content = (DATA / data.draw(st.sampled_from(GOOD))).read_bytes()
    place = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 30))
    piece = data.draw(st.binary(max_size=6) | st.sampled_from(_PIECES))
    beside.write_bytes(content[:place] + piece + content[place + length :])
    try:
        told: object = load_suite(beside, {}).cases
    except UsageError as error:
        told = error.problems

    assert told


_PIECES = [
    *(b"- ", b": ", b"{", b"[", b"*usual", b"&a ", b"!!set ", b"? ", b"<<: ", b"|\n"),
    *(b"null", b"yes", b"1_0", b"\n", b"---\n", b"#", b'"', b"'", b"\t", b"{{x}}"),
]


def test_all_problems_are_told_at_once_in_the_order_of_lines(beside: Path) -> None:
    """
    One reading tells everything: structure, options, files, checks and what was given.
    """
    beside.write_text(
        "version: 1\n"
        "defaults: {loops: 0}\n"
        "cases:\n"
        "  - {name: a, prompt-file: nowhere.md, timeout: soon}\n"
        "  - {name: b, pormpt: x, checks: [{regexx: a}, {regex: '('}]}\n"
        "  - {name: c, prompt: x, checks: [{json: {schema-file: gone.json}}]}\n"
    )
    with pytest.raises(UsageError) as caught:
        load_suite(beside, {"timeout": "never"})
    found = [
        one.removeprefix(str(beside)).partition(": ")[::2]
        for one in caught.value.problems
    ]

    assert "--timeout is 'never'" in caught.value.problems[0]
    assert [
        (":2", "defaults.loops"),
        (":4", "cases[0].prompt-file"),
        (":4", "cases[0].timeout"),
        (":5", "cases[1].checks[0].regexx"),
        (":5", "cases[1].checks[1].regex"),
        (":5", "cases[1].pormpt"),
        (":6", "cases[2].checks[0].json.schema-file"),
    ] == [(line, text.partition(":")[0]) for line, text in found[1:]]


def test_a_misspelt_key_brings_the_nearest_valid_one(beside: Path) -> None:
    """
    Whoever writes `regexx` is told of `regex`.
    """
    one = WRITTEN[next(name for name in WRITTEN if "contans" in name)]

    assert "Did you mean 'contains'?" in problems_of(one, beside)[0]


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    """
    A suite that cannot be opened is refused as such.
    """
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_suite(tmp_path / "reliability.yml", {})
