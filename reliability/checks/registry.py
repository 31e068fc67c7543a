"""
Which kinds of check there are: ours, and those of installed packages.

A package adds a kind by an entry point of the group `reliability.checks`, whose name is
the kind and whose object is the class; see docs/checks.md.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from reliability.errors import UsageError

if TYPE_CHECKING:
    from reliability.checks.base import BaseCheck

GROUP = "reliability.checks"

_OURS = {
    "contains": "text:Contains",
    "not-contains": "text:NotContains",
    "equals": "text:Equals",
    "regex": "text:Regex",
    "json": "json_answer:Json",
    "command": "command:Command",
    "files": "files:Files",
    "max-cost-usd": "spending:MaxCost",
    "max-turns": "spending:MaxTurns",
    "max-seconds": "spending:MaxSeconds",
    "tool-used": "tools:ToolUsed",
    "tool-not-used": "tools:ToolNotUsed",
    "tool-order": "tools:ToolOrder",
    "delegated-to": "delegation:DelegatedTo",
    "judge": "judge:Judge",
    "not": "groups:Not",
    "any": "groups:AnyOf",
    "all": "groups:AllOf",
    "weighted": "groups:Weighted",
}


def check_classes() -> dict[str, type[BaseCheck]]:
    """
    Return the class of each kind, ours first.

    Raises:
        UsageError: when a package's check cannot be loaded, or has one of our names.
    """
    from importlib.metadata import entry_points

    classes = {kind: _ours(place) for kind, place in _OURS.items()}
    problems = []
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        if point.name in classes:
            problems.append(
                f"The check {point.name!r} of {point.value} exists already."
            )
            continue
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code
            why = f"{type(error).__name__}: {error}"
            problems.append(f"The check {point.name!r} cannot be loaded: {why}")
            continue
        fault = _fault_of(found, point.name)
        if fault:
            problems.append(f"The check {point.name!r} of {point.value} {fault}.")
        else:
            classes[point.name] = found
    if problems:
        raise UsageError(problems)
    return classes


def _fault_of(found: object, kind: str) -> str:
    """
    Return why something is no class of a check; empty when it is one.
    """
    if not isinstance(found, type) or not is_dataclass(found):
        return "is no dataclass"
    if getattr(found, "KIND", None) != kind:
        return f"has another KIND: {getattr(found, 'KIND', None)!r}"
    if getattr(found, "SHORT", None) not in {field.name for field in fields(found)}:
        return "has a SHORT that is none of its fields"
    names = ("grade", "questions", "spec", "label", "needs_folder")
    lacking = [name for name in names if not hasattr(found, name)]
    return f"lacks {', '.join(lacking)}" if lacking else ""


def _ours(place: str) -> type[BaseCheck]:
    module, name = place.split(":")
    found: type[BaseCheck] = getattr(
        import_module(f"reliability.checks.{module}"), name
    )
    return found
