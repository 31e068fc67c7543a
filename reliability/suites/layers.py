"""
Options by layers: defaults, the agent's, the case's, the matrix's, the user's own.

Each layer keeps where it says what, so that a conflict can be told with a place. The
layer above wins. A prompt and a prompt file are one thing in two forms, so either in a
layer hides both in those below.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from reliability.options import OPTIONS
from reliability.suites.forms import ONLY_FOR, checked_text
from reliability.suites.problems import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.options import Option
    from reliability.suites.files import Files
    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path, Problems

PROMPTS = ("prompt", "prompt-file")
_NOT_WITH_A_FILE = ("expect", "checks")
_FILES = ("prompt-file", "prices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """
    What a layer says of an option.

    Args:
        line: 0 when the user said it, and not the file.
    """

    text: str
    line: int = 0
    path: Path = ()


Layer = dict[str, Said]


def layer_of(
    node: Node | None,
    path: Path,
    *,
    options: Mapping[str, Option],
    files: Files,
    problems: Problems,
) -> Layer:
    """
    Return what a mapping of the file says of options; wrong values are noted.
    """
    layer: Layer = {}
    keys = (node.keys if node is not None else None) or {}
    for name, value in keys.items():
        # A case may have several agents; which one it is comes from its matrix.
        if name not in options:
            continue
        place = (*path, name)
        try:
            text = checked_text(options[name], value)
            if text and name in _FILES:
                text = str(files.path(text))
        except ValueError as error:
            problems.add(value.line, place, str(error))
            continue
        layer[name] = Said(text=text, line=value.line, path=place)
    if all(name in layer for name in PROMPTS):
        two = layer["prompt-file"]
        problems.add(two.line, two.path, "a prompt is given too: choose one")
    return layer


def given_layer(
    given: Mapping[str, str | None],
    spelling: Callable[[Option], str],
    problems: Problems,
) -> Layer:
    """
    Return what the user gave beside the file; wrong values are noted.
    """
    layer: Layer = {}
    for option in OPTIONS:
        text = (given.get(option.name) or "").strip()
        if not text:
            continue
        try:
            option.parse(text)
        except ValueError as error:
            problems.add_other(f"{spelling(option)} is {shown(text)}: it {error}.")
            continue
        layer[option.name] = Said(text=text)
    for option in OPTIONS:
        if option.name in _NOT_WITH_A_FILE and option.name in layer:
            text = "is for a run without a suite: write a check into"
            problems.add_other(f"{spelling(option)} {text} {problems.file}.")
    if all(name in layer for name in PROMPTS):
        problems.add_other("Both a prompt and a prompt file are given: choose one.")
    return layer


def merged(layers: list[Layer], given: Layer) -> Layer:
    """
    Return what holds in the end.

    Args:
        layers: Of the file, the lowest first.
    """
    whole: Layer = {}
    for layer in [*layers, given]:
        if any(name in layer for name in PROMPTS):
            whole = {name: one for name, one in whole.items() if name not in PROMPTS}
        whole |= layer
    backend = given.get("backend")
    if backend is None:
        return whole
    # The user asked for another backend than the file: what the file says for that
    # one alone is not meant.
    return {
        name: said
        for name, said in whole.items()
        if name in given or backend.text in ONLY_FOR.get(name, {backend.text})
    }


def read_prompt(said: Layer, files: Files, read_text: Callable[[FilePath], str]) -> str:
    """
    Return the prompt's template; empty when there is none.

    Args:
        read_text: Reads a file that the user named; what the file names is beside it.

    Raises:
        ValueError: when it cannot be read.
    """
    if "prompt-file" in said and (name := said["prompt-file"].text):
        from_user = not said["prompt-file"].line
        return read_text(FilePath(name)) if from_user else files.text(name)
    return said["prompt"].text if "prompt" in said else ""
