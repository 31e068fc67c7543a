"""
What a call costs, and what a file with prices may hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given

from reliability.agents.prices import load_prices
from reliability.errors import UsageError
from reliability.model import Usage

if TYPE_CHECKING:
    from pathlib import Path

USAGE = Usage(
    input_tokens=1_000_000,
    output_tokens=100_000,
    cache_read_tokens=10_000_000,
    cache_write_tokens=1_000_000,
)


def written(folder: Path, content: object) -> Path:
    """
    Write a file with prices; text as it is, anything else as JSON.
    """
    path = folder / "prices.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_built_in_price_counts_every_kind_of_token() -> None:
    """
    Input, output, cache writes and cache reads each have their own price.
    """
    expected = 1 * 1 + 0.1 * 5 + 10 * 0.1 + 1 * 1.25

    assert pytest.approx(expected) == load_prices(None).cost_usd(
        "claude-haiku-4-5", USAGE
    )


def test_a_dated_name_has_the_price_of_its_model() -> None:
    """
    The full name of a snapshot ends in its date.
    """
    prices = load_prices(None)

    assert prices.knows("claude-haiku-4-5-20260101")
    assert prices.cost_usd("claude-haiku-4-5", USAGE) == prices.cost_usd(
        "claude-haiku-4-5-20260101", USAGE
    )


@pytest.mark.parametrize("model", ["", "gpt", "claude-haiku-4", "claude-haiku-4-5-x"])
def test_an_unknown_model_has_no_price(model: str) -> None:
    """
    Nothing is guessed from a name that is similar.
    """
    assert not load_prices(None).knows(model)
    assert load_prices(None).cost_usd(model, USAGE) is None


def test_the_users_prices_replace_and_add(tmp_path: Path) -> None:
    """
    The rest of the built-in table stays; cache prices follow from the input's.
    """
    mine = {"input": 2, "output": 0}
    prices = load_prices(written(tmp_path, {"claude-haiku-4-5": mine, "mine": mine}))

    assert pytest.approx(2 + 10 * 0.2 + 2.5) == prices.cost_usd("mine", USAGE)
    assert prices.cost_usd("mine", USAGE) == prices.cost_usd("claude-haiku-4-5", USAGE)
    assert prices.knows("claude-sonnet-4-5")


def test_every_row_that_is_wrong_is_named(tmp_path: Path) -> None:
    """
    One error for the whole file, each model in a sentence of its own.
    """
    rows = {
        "a": {"input": 1},
        "b": {"input": 1, "output": -1},
        "c": {"input": "1", "output": 1},
        "d": {"input": True, "output": 1},
        "e": {"input": 1, "output": 1, "cached": 1},
        "f": 3,
        "g": {"input": 10**400, "output": 1},
        "good": {"input": 1, "output": 1},
    }
    path = written(tmp_path, rows)

    with pytest.raises(UsageError) as caught:
        load_prices(path)
    named = [problem.split("'")[1] for problem in caught.value.problems]
    assert list("abcdefg") == named
    assert all(str(path) in problem for problem in caught.value.problems)


@pytest.mark.parametrize("content", ["", "[]", "3", "{", "[" * 100_000, '{"a": 1e999}'])
def test_a_file_that_is_no_table_is_refused(content: str, tmp_path: Path) -> None:
    """
    The message names the file.
    """
    path = written(tmp_path, content)

    with pytest.raises(UsageError, match=r"prices\.json"):
        load_prices(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """
    A path that was mistyped is found before the first call.
    """
    with pytest.raises(UsageError, match="No such file"):
        load_prices(tmp_path / "nothing.json")


@given(
    st.builds(
        Usage, **dict.fromkeys(Usage.__dataclass_fields__, st.integers(0, 10**12))
    )
)
def test_a_cost_is_never_negative_nor_infinite(usage: Usage) -> None:
    """
    Whatever a service claims to have used, the sum is a number.
    """
    cost = load_prices(None).cost_usd("claude-opus-5", usage)

    assert cost is not None
    assert 0 <= cost < float("inf")
