"""
Reading JSON that somebody else wrote.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from reliability.agents.json_object import read_object

SENSIBLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**127), 2**127)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=9,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(), SENSIBLE, max_size=5))
def test_what_makes_sense_is_read_as_it_is(value: dict[str, Any]) -> None:
    """
    Nothing is lost or changed.
    """
    assert value == read_object(json.dumps(value).encode())


@pytest.mark.parametrize(
    "number",
    ["1e999", "-1e999", "1.5E+400", "9" * 40, "-" + "9" * 400, "1" + "0" * 5000],
)
def test_a_number_beyond_all_sense_is_none_and_the_rest_counts(number: str) -> None:
    """
    No log can hold an infinity, and no float what has hundreds of digits.
    """
    text = f'{{"odd": [{number}], "answer": "yes"}}'

    assert {"odd": [None], "answer": "yes"} == read_object(text.encode())


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"null", b"{", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff"]
)
def test_what_is_no_object_is_none(data: bytes) -> None:
    """
    NaN and the infinities are no JSON.
    """
    assert read_object(data) is None


@given(st.binary(max_size=100) | st.floats().map(repr).map(str.encode))
def test_a_log_can_hold_whatever_is_read(data: bytes) -> None:
    """
    As strict JSON, without an infinity in it.
    """
    value = read_object(b'{"a": ' + data + b"}")

    assert json.dumps(value, allow_nan=False)
