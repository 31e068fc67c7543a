"""
YAML as suites have it: the data that was meant, each value with its line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, strategies as st

from reliability.errors import UsageError
from reliability.suites.document import read_document
from reliability.suites.problems import MOST_SHOWN, Problems, path_text
from reliability.suites.scalars import scalar_of

if TYPE_CHECKING:
    from reliability.suites.nodes import Node

TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]))
NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-1e6, 1e6).map(
    lambda number: round(number, 3)
)
# Without digits: PyYAML writes 08 without quotes, which YAML 1.2 reads as a number.
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "P", "Zs"]))
DATA = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)
WRITTEN = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    max_leaves=20,
)


def read(text: str) -> Node:
    """
    Return the root of a document in which nothing is wrong.
    """
    problems = Problems("x.yml")
    root = read_document(text.encode(), problems)
    problems.raise_any()
    return root


def problems_of(text: str) -> str:
    """
    Return what is wrong with a document.
    """
    with pytest.raises(UsageError) as caught:
        read(text)
    return "\n".join(caught.value.problems)


@given(data=st.dictionaries(TEXTS, DATA))
def test_json_is_read_as_it_is(data: object) -> None:
    """
    JSON is YAML, but for libyaml's dislike of escaped pairs of surrogates.
    """
    assert data == read(json.dumps(data, ensure_ascii=False)).data()


@given(data=st.dictionaries(WORDS, WRITTEN))
def test_what_a_yaml_writer_wrote_is_read_as_it_was(data: object) -> None:
    """
    In block form too, with the quotes that PyYAML thinks are needed.
    """
    written = yaml.safe_dump(data, allow_unicode=True)

    assert data == read(written).data()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("y", "y"),
        ("1.2.3", "1.2.3"),
        ("1,000", "1,000"),
        ("oN", "oN"),
    ],
)
def test_plain_words_are_what_yaml_1_2_says(text: str, value: object) -> None:
    """
    Times, dates and versions are text.
    """
    found, problem = scalar_of(text)

    assert (type(value), value, "") == (type(found), found, problem)


@pytest.mark.parametrize(
    "text",
    ["yes", "No", "ON", "off", "012", "-007", "0o17", "0x1F", "0b1", "1_000", ".inf"],
)
def test_what_two_yamls_read_differently_must_be_said_clearly(text: str) -> None:
    """
    The message says what to write for text; in quotes it is text.
    """
    assert f'"{text}"' in problems_of(f"a: {text}")
    assert {"a": text} == read(f'a: "{text}"').data()


def test_every_value_has_the_line_of_its_key() -> None:
    """
    A value that begins below its key is told at the key; an alias where it is used.
    """
    root = read("a:\n  - x\n  - b: |\n      y\nc: &c\n  d: 1\ne: *c\n")

    assert [1, 2, 3, 5, 6, 7] == [
        root.at(path).line
        for path in [("a",), ("a", 0), ("a", 1, "b"), ("c",), ("c", "d"), ("e",)]
    ]


def test_tags_of_text_are_taken_and_others_are_not() -> None:
    """
    `!!str 42` is text; a tag that could make an object makes a problem.
    """
    assert {"a": "42"} == read("a: !!str 42").data()
    assert "!!python/object:os.system" in problems_of("a: !!python/object:os.system x")
    assert "'!!int'" in problems_of("a: !!int 4")


def test_a_byte_order_mark_is_taken() -> None:
    """
    Some editors write one.
    """
    assert {"a": 1} == read("\ufeffa: 1\n").data()


@given(word=st.text(), number=st.integers(0, 10**6))
def test_no_path_and_no_message_breaks_a_line(word: str, number: int) -> None:
    """
    Whatever a key says, it is shown in one line of printable ASCII.
    """
    problems = Problems("x.yml")
    problems.add(1, (word, number), "is wrong", word=word, valid=["version"])
    with pytest.raises(UsageError) as caught:
        problems.raise_any()

    assert caught.value.problems[0].isprintable()
    assert caught.value.problems[0].isascii()
    assert path_text((word, number)).endswith(f"[{number}]")


def test_only_some_problems_are_shown_and_the_rest_counted() -> None:
    """
    A file of nothing but mistakes does not fill the screen.
    """
    text = "".join(f"a{number}: yes\n" for number in range(MOST_SHOWN + 7))

    assert problems_of(text).endswith("x.yml: 7 more problems are not shown.")
