"""
From the `checks` of a case to checks: each item a kind, its parameters, its weight.

The kinds and what each takes come from the classes of `reliability.checks`; a regular
expression is compiled here, so that a bad one is refused before anything is paid for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from reliability.suite import Weighed
from reliability.suites.parameters import FROM_FILES, PREFIX, parameters_of
from reliability.suites.problems import shown
from reliability.suites.spots import Spot, check_pattern, snake, spot_of
from reliability.suites.structure import validated
from reliability.suites.variables import put_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.grades import Check
    from reliability.suites.files import Files
    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path, Problems

BESIDE = ("weight", "required")
MAX_WEIGHT = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """
    A check of the file.

    Args:
        asks: It asks a model, or a check in it does.
        hidden: The files it names.
    """

    weighed: Weighed
    asks: bool
    hidden: tuple[FilePath, ...] = ()


@dataclass(slots=True, kw_only=True)
class Checklist:
    """
    Reads checks.

    Args:
        classes: The kinds there are.
        values: Variables to put into texts.
    """

    classes: Mapping[str, type]
    files: Files
    problems: Problems
    values: Mapping[str, str] = field(default_factory=dict)

    def read(self, node: Node, path: Path, *, weighed: bool = True) -> Parsed | None:
        """
        Return the check of an item; None when it is none, and then say why.

        Args:
            weighed: It may have a weight.
        """
        keys = node.keys
        if keys is None:
            self.problems.add(
                node.line, path, "must be a mapping such as `contains: Hello`"
            )
            return None
        beside = BESIDE if weighed else ()
        kinds = [key for key in keys if key not in beside]
        unknown = [key for key in kinds if key not in self.classes]
        for key in unknown:
            self.problems.add(
                keys[key].line,
                (*path, key),
                "there is no such check",
                word=key,
                valid=(*self.classes, *beside),
            )
        if not unknown and len(kinds) != 1:
            names = ", ".join(kinds) or "none"
            text = f"must name one check, and names {names}; begin each with its own -"
            self.problems.add(node.line, path, text)
        extras = self._extras(node, path) if weighed else {}
        if unknown or len(kinds) != 1 or extras is None:
            return None
        kind = kinds[0]
        parsed = self._check(kind, keys[kind], (*path, kind))
        if parsed is None:
            return None
        check, asks, hidden = parsed
        return Parsed(weighed=Weighed(check=check, **extras), asks=asks, hidden=hidden)

    def _extras(self, node: Node, path: Path) -> dict[str, Any] | None:
        """
        Return weight and whether it is required; None when one is wrong.
        """
        extras: dict[str, Any] = {}
        for name, kinds in (("weight", (int, float)), ("required", (bool,))):
            one = node.child(name)
            if one is None:
                continue
            is_right = isinstance(one.value, kinds) and (
                name == "required"
                or (not isinstance(one.value, bool) and 0 < one.value <= MAX_WEIGHT)
            )
            if not is_right:
                wanted = "a number above 0" if name == "weight" else "true or false"
                got = shown(one.raw) if one.raw is not None else "what is there"
                self.problems.add(
                    one.line, (*path, name), f"must be {wanted}, not {got}"
                )
                return None
            extras[name] = one.value if name == "required" else float(one.value)
        return extras

    def _check(
        self, kind: str, node: Node, path: Path
    ) -> tuple[Check, bool, tuple[FilePath, ...]] | None:
        """
        Return a check, whether it asks a model, and the files it names.
        """
        spot = spot_of(node, path, parameters_of(self.classes[kind]))
        before = len(self.problems)
        inside = self._members(spot)
        values, hidden = self._values(spot)
        if len(self.problems) > before:
            return None
        for name, found in inside.items():
            how = spot.known.nested[name]
            checks = [
                one.weighed if how == "weighed" else one.weighed.check for one in found
            ]
            values[snake(name)] = checks[0] if how == "member" else tuple(checks)
        try:
            check: Check = self.classes[kind](**values)
        except (ValueError, TypeError) as error:
            self.problems.add(node.line, path, f"cannot be: {error}")
            return None
        members = [one for found in inside.values() for one in found]
        asks = getattr(self.classes[kind], "ASKS", kind == "judge")
        asks = asks or any(one.asks for one in members)
        if asks and any(one.weighed.check.needs_folder for one in members):
            text = "a judge and a check of the agent's folder cannot be in one group"
            self.problems.add(node.line, path, text)
            return None
        return check, asks, (*hidden, *(file for one in members for file in one.hidden))

    def _members(self, spot: Spot) -> dict[str, list[Parsed]]:
        """
        Return the checks inside a check, by the key they stand under.
        """
        inside = {}
        for name, how in spot.known.nested.items():
            node = spot.node.child(name)
            if node is None:
                continue
            if how != "member" and not node.items:
                text = "must be a list of checks that is not empty"
                self.problems.add(node.line, spot.where((name,)), text)
                continue
            nodes = [node] if how == "member" else node.items or []
            found = [
                self.read(
                    one,
                    spot.where((name,) if how == "member" else (name, index)),
                    weighed=how == "weighed",
                )
                for index, one in enumerate(nodes)
            ]
            inside[name] = [one for one in found if one is not None]
        return inside

    def _values(self, spot: Spot) -> tuple[dict[str, Any], tuple[FilePath, ...]]:
        """
        Return the parameters that were given, by field, and the files among them.
        """
        data = {
            key: None if key in spot.known.nested else node.data()
            for key, node in (spot.node.keys or {}).items()
        }
        try:
            data = put_in(data, self.values)
        except ValueError as error:
            self.problems.add(spot.node.line, spot.where(()), str(error))
            return {}, ()
        before = len(self.problems)
        model = validated(
            spot.known.model,
            data,
            node=spot.node,
            where=spot.where,
            problems=self.problems,
            keys_of=lambda inner: () if inner else spot.known.keys,
        )
        if model is None or len(self.problems) > before:
            return {}, ()
        values = {
            name.removeprefix(PREFIX): getattr(model, name)
            for name in sorted(model.model_fields_set)
            if name.removeprefix(PREFIX) not in map(snake, spot.known.nested)
        }
        hidden = self._from_files(values, spot)
        for name in list(values):
            try:
                values[name], named = self._found(values[name])
                check_pattern(name, values[name])
            except ValueError as error:
                self._add(spot, name, str(error))
                continue
            hidden += named
        return values, tuple(hidden)

    def _from_files(self, values: dict[str, Any], spot: Spot) -> list[FilePath]:
        """
        Replace each `NAME-file` by NAME; return the files.
        """
        hidden = []
        for name in FROM_FILES:
            if f"{name}_file" in values:
                file = values.pop(f"{name}_file")
                if name in values:
                    text = f"{name} and {name}-file are both given: choose one"
                    self._add(spot, f"{name}_file", text)
                    continue
                try:
                    read = self.files.json if name == "schema" else self.files.text
                    values[name] = read(file)
                    hidden.append(self.files.path(file))
                except ValueError as error:
                    self._add(spot, f"{name}_file", str(error))
            elif name in spot.known.required and name not in values:
                text = f"the key {name} or {name}-file is missing"
                self.problems.add(spot.node.line, spot.where(()), text)
        return hidden

    def _found(self, value: Any) -> tuple[Any, list[FilePath]]:
        """
        Return a value with its paths made absolute, and these.
        """
        if isinstance(value, FilePath):
            path = self.files.path(str(value))
            return path, [path]
        if isinstance(value, tuple) and any(isinstance(one, FilePath) for one in value):
            paths = [self.files.path(str(one)) for one in value]
            return tuple(paths), paths
        return value, []

    def _add(self, spot: Spot, field_name: str, text: str) -> None:
        inner = (field_name.replace("_", "-"),)
        self.problems.add(spot.node.at(inner).line, spot.where(inner), text)
