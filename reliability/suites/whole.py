"""
What all cases of a file share while it is read, and what they take together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path as FilePath

    from reliability.suites.files import Files
    from reliability.suites.layers import Layer
    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path, Problems

MAX_CASES = 1_000
MAX_TRIALS = 100_000
MAX_MADE_CHARACTERS = 64 * 1024 * 1024
"""Of all prompts and checks that the matrices of a file make."""
MAX_MADE_NODES = 60_000


@dataclass(slots=True, kw_only=True)
class Whole:
    """
    A suite file that is being read.

    Args:
        file: Absolute.
        classes: The kinds of checks.
        agents: The options of each agent that the file describes.
        given: What the user gave beside the file.
        variables: What the user gave for variables.
        read_text: Reads a prompt file that the user named.
        also: As for `Settings.from_text`.
        used: Names of variables that some case has used.
        asks: Some check asks a model.
    """

    root: Node
    file: FilePath
    files: Files
    problems: Problems
    classes: Mapping[str, type]
    defaults: Layer
    agents: Mapping[str, Layer]
    given: Layer
    variables: Mapping[str, str]
    read_text: Callable[[FilePath], str]
    also: Callable[[Mapping[str, Any]], list[str]] | None
    used: set[str] = field(default_factory=set)
    asks: bool = False
    _characters: int = 0
    _nodes: int = 0

    def bears(self, line: int, path: Path, *, characters: int, nodes: int) -> bool:
        """
        Count what a case is made of; tell whether that is still within bounds.
        """
        self._characters += characters
        self._nodes += nodes
        if self._characters <= MAX_MADE_CHARACTERS and self._nodes <= MAX_MADE_NODES:
            return True
        text = "the cases that matrices and variables make are too large together"
        self.problems.add(line, path, text)
        return False
