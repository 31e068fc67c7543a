"""
The combinations that a case is run in: agents, models, values of variables.

What stands nearer to the case wins: its own `agent` over its matrix, its matrix over
that of the file, and what the user gave over everything, which leaves no choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path, Problems

_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """
    One thing that varies.

    Args:
        name: `agent`, `model`, or a variable's.
        values: One or more; each with the node it comes from.
        named: Its value stands in the names of the cases.
        shared: It is the file's, not the case's own, which need not use it.
    """

    name: str
    values: tuple[tuple[str, Node], ...]
    path: Path
    named: bool = True
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """
    All that varies in a case.
    """

    agent: Axis | None = None
    model: Axis | None = None
    variables: tuple[Axis, ...] = ()
    axes: tuple[Axis, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = (self.agent, self.model, *self.variables)
        object.__setattr__(self, "axes", tuple(one for one in found if one))

    def used_by(self, names: Collection[str]) -> Matrix:
        """
        Return it without the file's variables that a case does not mention.
        """
        kept = [one for one in self.variables if not one.shared or one.name in names]
        return replace(self, variables=tuple(kept))

    @property
    def size(self) -> int:
        """
        How many cases it makes.
        """
        return prod(len(axis.values) for axis in self.axes)

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """
        Yield one value for each axis, the last one varying fastest.
        """
        yield from product(*([text for text, _ in axis.values] for axis in self.axes))

    def suffix(self, values: tuple[str, ...]) -> str:
        """
        Return what a combination adds to the case's name, such as ` [model=x]`.
        """
        shown = [
            f"{axis.name}={_brief(axis, value)}"
            for axis, value in zip(self.axes, values, strict=True)
            if axis.named
        ]
        return f" [{', '.join(shown)}]" if shown else ""


def _brief(axis: Axis, value: str) -> str:
    if value and len(value) <= _LONGEST_SHOWN and value.isprintable():
        return value
    place = [text for text, _ in axis.values].index(value)
    return f"#{place + 1}"


def matrix_of(
    case: Node,
    path: Path,
    *,
    common: Node | None,
    given: Collection[str],
    fixed: Collection[str],
    problems: Problems,
) -> Matrix:
    """
    Return what varies in a case; what is said twice is noted.

    Args:
        common: The file's own matrix.
        given: Names of options that the user gave.
        fixed: Names of variables that the user gave.
    """
    own = case.child("matrix")
    for name in ("agent", "model"):
        if own is not None and own.child(name) and case.child(name):
            line, place = own.at((name,)).line, (*path, "matrix", name)
            problems.add(line, place, f"the case says its {name} too: choose one")
    model = None
    if "model" not in given and case.child("model") is None:
        model = _nearest("model", own, path, common)
    agent = None
    if "agent" not in given:
        agent = _listed(case, path) or _nearest("agent", own, path, common)
    return Matrix(
        agent=agent,
        model=model,
        variables=tuple(
            axis
            for axis in _variables(case, path, common=common, problems=problems)
            if axis.name not in fixed
        ),
    )


def _axis(name: str, node: Node, path: Path, *, shared: bool = False) -> Axis:
    values: dict[str, Node] = {}
    for item in node.items or []:
        values.setdefault(str(item.raw), item)
    return Axis(name=name, values=tuple(values.items()), path=path, shared=shared)


def _listed(case: Node, path: Path) -> Axis | None:
    """
    Return the agent or agents that the case itself names.
    """
    node = case.child("agent")
    place = (*path, "agent")
    if node is None or (node.raw is not None and node.value is None):
        return None
    if node.items is not None:
        return _axis("agent", node, place)
    return Axis(name="agent", values=((str(node.raw), node),), path=place, named=False)


def _nearest(
    name: str, own: Node | None, path: Path, common: Node | None
) -> Axis | None:
    for node, place in ((own, (*path, "matrix", name)), (common, ("matrix", name))):
        found = node.child(name) if node is not None else None
        if found is not None:
            return _axis(name, found, place, shared=node is common)
    return None


def _variables(
    case: Node, path: Path, *, common: Node | None, problems: Problems
) -> tuple[Axis, ...]:
    fixed: Mapping[str, Node] = _variables_at(case)
    found: dict[str, Axis] = {}
    for name, node in _variables_at(common).items():
        if name not in fixed:
            found[name] = _axis(name, node, ("matrix", "vars", name), shared=True)
    for name, node in _variables_at(case.child("matrix")).items():
        place = (*path, "matrix", "vars", name)
        if name in fixed:
            problems.add(node.line, place, "the case has this variable twice")
        found[name] = _axis(name, node, place)
    return tuple(found.values())


def _variables_at(node: Node | None) -> Mapping[str, Node]:
    inner = node.child("vars") if node is not None else None
    return (inner.keys if inner is not None else None) or {}
