"""
What a Messages API call costs, from a dated table that the user can replace.

A model that is not in the table has no price here: its cost is reported as unknown,
never guessed. The built-in table says in its own file when and where it was read;
models whose price depends on the length of the prompt are left out of it on purpose.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.model import Usage

_BUILT_IN = Path(__file__).with_name("prices.json")
_DATE_SUFFIX = re.compile(r"-\d{8}$")
_MILLION = 1_000_000
_HIGHEST_PRICE = 1e9  # Keeps every cost finite, whatever number the user's file holds.


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """
    USD for a million tokens.
    """

    input: float
    output: float
    cache_write: float
    cache_read: float

    def cost_usd(self, usage: Usage) -> float:
        """
        Return what *usage* costs, in USD.
        """
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_write_tokens * self.cache_write
            + usage.cache_read_tokens * self.cache_read
        ) / _MILLION


class PriceTable:
    """
    Prices by model name.
    """

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = prices

    def cost_usd(self, model: str, usage: Usage) -> float | None:
        """
        Return the cost in USD; None when the model is not in the table.

        A name that ends in a date, such as `-20260101`, finds the name without it too.
        """
        for name in (model, _DATE_SUFFIX.sub("", model)):
            if name in self._prices:
                return self._prices[name].cost_usd(usage)
        return None

    def knows(self, model: str) -> bool:
        """
        Tell whether *model* has a price.
        """
        return model in self._prices or _DATE_SUFFIX.sub("", model) in self._prices


def load_prices(override: Path | None) -> PriceTable:
    """
    Load the built-in table and, over it, the user's.

    Args:
        override: JSON of the form `{"MODEL": {"input": 3, "output": 15}}`; cache prices
            left out are 1.25 and 0.1 times the input's. None for the built-in alone.

    Raises:
        UsageError: naming every model whose price is not understood.
    """
    table = _read(_BUILT_IN)["models"]
    if override is not None:
        table = {**table, **_read(override)}
    prices: dict[str, Price] = {}
    problems = []
    for model, row in table.items():
        try:
            prices[model] = _price(row)
        except ValueError as error:
            problems.append(f"Prices in {override}: {model!r} {error}.")
    if problems:
        raise UsageError(problems)
    return PriceTable(prices)


def _read(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"Prices in {path}: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"Prices in {path}: not JSON: {error}.") from None
    if not isinstance(table, dict):
        raise UsageError(f"Prices in {path}: must be an object with a model a key.")
    return table


def _price(row: object) -> Price:
    known = {"input", "output", "cache_write", "cache_read"}
    if not isinstance(row, dict) or not {"input", "output"} <= set(row) <= known:
        raise ValueError(f"must have input and output, and nothing but {sorted(known)}")
    for name, value in row.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= _HIGHEST_PRICE:
            raise ValueError(f"has {name}={value!r}, which is not a price")
    return Price(
        input=row["input"],
        output=row["output"],
        cache_write=row.get("cache_write", 1.25 * row["input"]),
        cache_read=row.get("cache_read", 0.1 * row["input"]),
    )
