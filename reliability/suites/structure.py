"""
What pydantic finds wrong, in words and with places of the file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reliability.suites.problems import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path, Problems

MOST_READ = 500
"""More problems of one part than anybody reads are only counted."""

_WANTED = {
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "path_type": "must be the path of a file",
    "too_short": "must not be empty",
}


def validated(
    model: type[BaseModel],
    data: Any,
    *,
    node: Node,
    where: Callable[[Path], Path],
    problems: Problems,
    keys_of: Callable[[Path], tuple[str, ...]],
) -> BaseModel | None:
    """
    Return *data* as a model; None when it is none, and then say why.

    Args:
        node: Where *data* comes from.
        where: From a path below *node* to the path that people know.
        keys_of: The keys that are valid at a place below *node*; empty for any.
    """
    from pydantic import ValidationError

    try:
        # As JSON, since a strict model then takes a list for a tuple.
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    said: dict[Path, list[str]] = {}
    if len(found) > MOST_READ:
        problems.add(node.line, where(()), f"{len(found)} keys or values are wrong")
    for one in found[:MOST_READ]:
        inner = _place(node, one["loc"], one["type"])
        if one["type"] == "extra_forbidden":
            key = str(inner[-1])
            problems.add(
                node.at(inner).line,
                where(inner),
                "there is no such key here",
                word=key,
                valid=keys_of(inner[:-1]),
            )
            continue
        texts = said.setdefault(inner, [])
        text = _phrase(one, node.at(inner))
        if text not in texts:
            texts.append(text)
    for inner, texts in said.items():
        problems.add(node.at(inner).line, where(inner), ", or ".join(texts))
    return None


def _place(node: Node, location: tuple[str | int, ...], kind: str) -> Path:
    """
    Return the part of pydantic's location that is a place of the file.

    The rest are names of its own, such as the member of a union.
    """
    place: list[str | int] = []
    for key in location:
        inner = node.child(key)
        if inner is None:
            if kind == "missing" and key == location[-1]:
                place.append(key)
            break
        place.append(key)
        node = inner
    return tuple(place)


def _phrase(error: Mapping[str, Any], node: Node) -> str:
    kind = error["type"]
    if kind == "missing":
        return "this key is missing"
    context = error.get("ctx", {})
    if "[key]" in error["loc"]:
        return "this name must be letters, digits, '-' and '_', without blanks"
    if kind == "string_type" and node.raw:
        return f'must be text; quote it: "{shown(node.raw)[1:-1]}"'
    if kind in _WANTED:
        got = "" if node.raw is None else f", not {shown(node.raw)}"
        empty = node.raw is not None and node.value is None
        return f"{_WANTED[kind]}{', and has no value' if empty else got}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "string_pattern_mismatch":
        return (
            "must be one line of text without blanks around it, or has characters "
            "that a name cannot have"
        )
    if kind == "too_long":
        return f"has too many: at most {context['max_length']}"
    if kind == "json_invalid":
        return "cannot be read"
    return str(error["msg"]).replace("Input should be", "must be").rstrip(".")
