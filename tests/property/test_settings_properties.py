"""
Whatever text is given for an option: a value, or an error that says what is wrong.
"""

# ruff: noqa: PT017 - a value or an error are both right, and each has its promise
from __future__ import annotations

import math

import hypothesis.strategies as st
from hypothesis import example, given

from reliability.errors import UsageError
from reliability.options import OPTIONS, Option
from reliability.parsers import (
    Expectation,
    ExpectMode,
    expectation,
    integer,
    seconds,
    variables,
)
from reliability.settings import Settings
from reliability.template import fill

ANY_TEXT = st.text() | st.sampled_from(
    ["[[", "matches:[[", "matches:(", "9" * 5000, "1e999", "nan", "\ud800", "٣", "'"]
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)


@given(option=st.sampled_from(OPTIONS), text=ANY_TEXT)
@example(option=next(o for o in OPTIONS if o.name == "expect"), text="matches:[[a]")
@example(
    option=next(o for o in OPTIONS if o.name == "expect"), text="matches:" + "(" * 5000
)
def test_a_parser_returns_or_raises_value_error(option: Option, text: str) -> None:
    """
    No other error, and its phrase is one line that can follow "it".
    """
    try:
        option.parse(text)
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error).partition(":")[0]


@given(
    st.dictionaries(
        st.sampled_from([o.name for o in OPTIONS if o.name != "prompt-file"])
        | st.just("nonsense"),
        ANY_TEXT | st.none(),
    )
)
def test_settings_come_whole_or_with_every_problem_named(
    given_texts: dict[str, str | None],
) -> None:
    """
    Arbitrary text is either settings or a usage error, never anything else.
    """
    try:
        settings = Settings.from_text(given_texts)
    except UsageError as error:
        assert error.problems
        assert all(error.problems)
    else:
        assert settings.prompt
        assert settings.public()


@given(low=st.integers(0, 99), high=st.integers(100, 999), value=st.integers(-9, 2000))
def test_whole_numbers_are_taken_within_their_range_only(
    low: int, high: int, value: int
) -> None:
    """
    Both ends belong to the range.
    """
    try:
        taken = integer(low, high)(str(value))
    except ValueError as error:
        assert f"from {low} to {high}" in str(error)
        assert not low <= value <= high
    else:
        assert low <= taken == value <= high


@given(value=st.integers(0, 10**6), unit=st.sampled_from(["", "s", "ms", "m", "h"]))
def test_durations_are_seconds_whatever_their_unit(value: int, unit: str) -> None:
    """
    The unit decides the factor; blanks before it do not matter.
    """
    factor = {"": 1, "s": 1, "ms": 0.001, "m": 60, "h": 3600}[unit]

    assert math.isclose(value * factor, seconds(0, 1e12)(f"{value} {unit}".strip()))


@given(
    mode=st.sampled_from(list(ExpectMode)), text=st.text(min_size=1).filter(str.strip)
)
def test_an_expectation_is_written_as_it_is_read(mode: ExpectMode, text: str) -> None:
    """
    Its text form leads back to it.
    """
    if mode is ExpectMode.MATCHES:
        text = "[a-z]+"

    assert Expectation(mode, text) == expectation(f"{mode}:{text}")
    assert Expectation(mode, text) == expectation(str(Expectation(mode, text)))


@given(st.dictionaries(NAMES, st.text("abc =.", min_size=1)))
def test_variables_are_read_line_by_line(pairs: dict[str, str]) -> None:
    """
    Names and values come back in their order, blanks around them left out.
    """
    text = "\n".join(f" {name} = {value} " for name, value in pairs.items())
    expected = tuple((name, value.strip()) for name, value in pairs.items())

    assert expected == variables(text)


@given(
    pieces=st.lists(st.text("ab \n") | NAMES.map("{{{{{}}}}}".format), max_size=9),
    values=st.dictionaries(NAMES, st.text(min_size=1)),
)
def test_a_template_is_filled_once_or_refused_by_name(
    pieces: list[str], values: dict[str, str]
) -> None:
    """
    Every name has a value and every value a name, or all that is wrong is named.
    """
    used = {piece[2:-2] for piece in pieces if piece.startswith("{{")}
    expected = "".join(
        values.get(piece[2:-2], "") if piece.startswith("{{") else piece
        for piece in pieces
    )
    try:
        filled = fill("".join(pieces), values)
    except ValueError as error:
        assert used != set(values)
        for name in used ^ set(values):
            assert name in str(error)
    else:
        assert used == set(values)
        assert expected == filled


@given(name=NAMES, inner=NAMES)
def test_a_value_that_looks_like_a_place_stays_as_it_is(name: str, inner: str) -> None:
    """
    There is no second pass: a value cannot pull in another one.
    """
    value = f"{{{{{inner}}}}}"

    assert f"<{value}>" == fill(f"<{{{{ {name} }}}}>", {name: value})
