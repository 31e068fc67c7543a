"""
The values of a file as a tree, each with its line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reliability.suites.problems import Path


@dataclass(slots=True, kw_only=True)
class Node:
    """
    One value of the file.

    Args:
        line: From 1: of its key in a mapping, else its own.
        raw: What a scalar says, without quotes; None for a list or mapping.
        value: Of a scalar: text, number, truth value or None.
        keys: Of a mapping, key to value; None for anything else.
        items: Of a list; None for anything else.
    """

    line: int
    raw: str | None = None
    value: Any = None
    keys: dict[str, Node] | None = None
    items: list[Node] | None = None
    height: int = 1
    count: int = 1
    characters: int = 0

    def data(self) -> Any:
        """
        Return it as plain data.
        """
        if self.keys is not None:
            return {key: node.data() for key, node in self.keys.items()}
        if self.items is not None:
            return [node.data() for node in self.items]
        return self.value

    def child(self, key: str | int) -> Node | None:
        """
        Return what stands under a key or at a place; None when there is nothing.
        """
        if isinstance(key, str):
            return (self.keys or {}).get(key)
        items = self.items or []
        return items[key] if key < len(items) else None

    def find(self, path: Path) -> Node | None:
        """
        Return what stands at a path; None when there is nothing.
        """
        node: Node | None = self
        for key in path:
            node = node.child(key) if node is not None else None
        return node

    def at(self, path: Path) -> Node:
        """
        Return what stands at a path, or the innermost there is on the way to it.
        """
        node = self
        for key in path:
            inner = node.child(key)
            if inner is None:
                break
            node = inner
        return node

    def moved(self, line: int) -> Node:
        """
        Return it as if it stood on another line.
        """
        return self if self.line == line else replace(self, line=line)
