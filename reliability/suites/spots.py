"""
Where the parameters of a check stand: in a mapping, or in the short form.

In the short form a value stands for its main parameter alone. It is read as a mapping
with one key, but shown as it was written.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reliability.suites.nodes import Node
from reliability.suites.problems import shown

if TYPE_CHECKING:
    from reliability.suites.parameters import Parameters
    from reliability.suites.problems import Path

MOST_PATTERN = 10_000
_PATTERNS = ("pattern", "regex", "input_matches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """
    The parameters of a check in the file.

    Args:
        node: A mapping; made up of the one value when the short form was written.
        path: Leads to what was written.
    """

    node: Node
    path: Path
    known: Parameters
    is_short: bool

    def where(self, inner: Path) -> Path:
        """
        Return the path that people know, of a path below the mapping.
        """
        return (*self.path, *(inner[1:] if self.is_short else inner))


def spot_of(node: Node, path: Path, known: Parameters) -> Spot:
    """
    Return where parameters stand, whatever form was written.
    """
    if node.keys is None and node.raw is not None and node.value is None:
        # `json:` with nothing behind it: all as it is by default.
        empty = Node(line=node.line, keys={})
        return Spot(node=empty, path=path, known=known, is_short=False)
    is_check = known.nested.get(known.short) == "member"
    is_short = node.keys is None or (is_check and not node.keys.keys() <= {*known.keys})
    if is_short:
        node = Node(line=node.line, keys={known.short: node})
    return Spot(node=node, path=path, known=known, is_short=is_short)


def snake(name: str) -> str:
    """
    Return a key of the file as a field's name.
    """
    return name.replace("-", "_")


def check_pattern(name: str, value: Any) -> None:
    """
    Compile what is a regular expression by its name.

    Raises:
        ValueError: when it is none.
    """
    if name not in _PATTERNS or not isinstance(value, str):
        return
    if len(value) > MOST_PATTERN:
        raise ValueError(f"the pattern is longer than {MOST_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            # "[[" may mean something else one day; that is no trouble of a run's.
            warnings.simplefilter("ignore")
            re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(
            f"{shown(value)} is not a regular expression: {error}"
        ) from None
