"""
Variables of a case, put into the texts of its checks.

Unlike in a prompt, a `{{name}}` that is no variable stays as it is: a pattern or a
piece of code may well hold one. What is put in is not looked at again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CHARACTERS = 10 * 1024 * 1024
_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")


def names_in(value: Any) -> set[str]:
    """
    Return every name that stands in braces in a text, or in the texts of a value.
    """
    if isinstance(value, str):
        return set(_PLACE.findall(value))
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    return set()


def grown_length(text: str, values: Mapping[str, str]) -> int:
    """
    Return how many characters a text would have with its variables put in, at most.
    """
    return len(text) + sum(
        len(values.get(found[1], "")) for found in _PLACE.finditer(text)
    )


def put_in(value: Any, values: Mapping[str, str]) -> Any:
    """
    Return a value with the variables put into its texts; keys stay.

    Raises:
        ValueError: when a text would become too long.
    """
    if isinstance(value, str):
        if grown_length(value, values) > MAX_CHARACTERS:
            raise ValueError("with its variables put in, the text is too long")
        return _PLACE.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: put_in(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [put_in(one, values) for one in value]
    return value
