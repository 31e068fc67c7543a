"""
The parameters of a kind of check, read off its class.

A check's class is a plain dataclass, so that grading needs no library. What pydantic
needs to know of it is made here of its fields and their types, once for each class.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

from reliability.grades import Check
from reliability.suite import Weighed

if TYPE_CHECKING:
    from pydantic import BaseModel

# What a check's module may import for type checkers alone.
_NAMES = {
    "Check": Check,
    "Weighed": Weighed,
    "Path": Path,
    "Any": Any,
    "Mapping": Mapping,
    "Sequence": Sequence,
}
# Bounds that follow from what a parameter means, by its name: above or from, to.
_BOUNDS: dict[str, dict[str, Any]] = {
    "pass_mark": {"gt": 0, "le": 1},
    "relay_fidelity": {"ge": 0, "le": 1},
    "votes": {"ge": 1, "le": 25},
    "timeout": {"gt": 0, "le": 3600},
    "min": {"ge": 0},
    "max": {"ge": 0},
    "max_changed_lines": {"ge": 0},
    "usd": {"ge": 0},
    "seconds": {"gt": 0},
    "turns": {"ge": 1},
}
FROM_FILES = ("schema", "rubric")
"""Parameters that may stand in a file of their own, which `NAME-file` names."""

PREFIX = "its_"
"""Before a field's name in the model, whose own attributes it must not hide."""

_MEMBER, _MEMBERS, _WEIGHED = "member", "members", "weighed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """
    What a kind of check takes.

    Args:
        short: The key that is meant when a value stands instead of a mapping.
        required: Keys that must be given, those left out that a file may bring.
        nested: Which of its fields hold other checks, and how.
        model: Without what must be looked at otherwise: `nested` are anything.
        help: The class's docstring: its first sentences.
    """

    short: str
    keys: tuple[str, ...]
    required: frozenset[str]
    nested: dict[str, str]
    model: type[BaseModel]
    help: str


@cache
def parameters_of(kind: type) -> Parameters:
    """
    Return what a class takes.
    """
    from pydantic import Field, WithJsonSchema, create_model

    from reliability.suites.shape import Part, kebab

    hints = get_type_hints(kind, _names_for(kind), include_extras=True)
    nested: dict[str, str] = {}
    made: dict[str, Any] = {}
    required: set[str] = set()
    helps = _field_helps(kind)
    for field in fields(kind):
        hint = hints[field.name]
        if how := _nesting(hint):
            nested[kebab(field.name)] = how
            hint = Annotated[Any, WithJsonSchema({})]
        is_needed = field.default is MISSING and field.default_factory is MISSING
        if is_needed:
            required.add(kebab(field.name))
        by_file = field.name in FROM_FILES
        made[PREFIX + field.name] = (
            _bounded(field.name, hint),
            Field(
                # Only what was given is passed on, so None stands for any default.
                ... if is_needed and not by_file else None,
                alias=kebab(field.name),
                description=helps.get(field.name),
            ),
        )
        if by_file:
            text = f"File with the {field.name}, relative to this file."
            made[f"{PREFIX}{field.name}_file"] = (
                str,
                Field(None, alias=f"{field.name}-file", description=text),
            )
    doc = getdoc(kind) or ""
    return Parameters(
        short=kebab(getattr(kind, "SHORT", "")),
        keys=tuple(kebab(name.removeprefix(PREFIX)) for name in made),
        required=frozenset(required),
        nested=nested,
        model=create_model(f"{kind.__name__}Check", __base__=Part, **made),
        help=" ".join(doc.partition("\n\nArgs:")[0].split()),
    )


def _names_for(kind: type) -> dict[str, Any]:
    return _NAMES | vars(sys.modules[kind.__module__])


def _nesting(hint: Any) -> str:
    """
    Tell how a field holds other checks; empty when it does not.
    """
    if hint is Check:
        return _MEMBER
    if get_origin(hint) is tuple:
        return {Check: _MEMBERS, Weighed: _WEIGHED}.get(get_args(hint)[0], "")
    return ""


def _bounded(name: str, hint: Any) -> Any:
    """
    Return a type with what its name demands: bounds, and that no text is empty.
    """
    from pydantic import Field

    if name in _BOUNDS:
        return Annotated[hint, Field(**_BOUNDS[name])]
    if hint is str and name != "model":
        return Annotated[hint, Field(min_length=1)]
    return hint


def _field_helps(kind: type) -> dict[str, str]:
    """
    Return what the docstring's Args say of each field.
    """
    args = (getdoc(kind) or "").partition("\n\nArgs:\n")[2]
    found = re.findall(r"^    ([\w, ]+): (.*(?:\n        .*)*)", args, re.MULTILINE)
    return {
        name.strip(): " ".join(text.replace("*", "").split())
        for names, text in found
        for name in names.split(",")
    }
