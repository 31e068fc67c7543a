"""
Options in a suite file: where each may stand, in which form, and the text it is.

An option means in a file what it means as a flag: its value becomes the text that the
flag would have had. Options that say how this one invocation behaves (what it prints,
where it writes, as whom it runs) are not for a file.
"""

from __future__ import annotations

import shlex
from inspect import getclosurevars
from typing import TYPE_CHECKING, Any

from reliability.options import OPTIONS
from reliability.parsers import argv, flag, variable_names
from reliability.suites.problems import shown

if TYPE_CHECKING:
    from reliability.options import Option
    from reliability.suites.nodes import Node

_OF_AGENTS = (
    *("backend", "model", "command", "timeout", "isolation", "pass-env"),
    *("setup", "teardown", "permission-mode", "context", "claude-args"),
    *("max-output-tokens", "simulator"),
)
_OF_CASES = ("prompt", "prompt-file", "loops", "min-pass-rate", *_OF_AGENTS)
_OF_RUNS = (
    *("agent", "parallel", "max-workers", "requests-per-minute", "delay"),
    *("max-attempts", "max-cost-usd", "max-tokens", "max-minutes"),
    *("on-inconclusive", "prices", "confidence", "gate", "early-stop", "on-stop"),
    *("max-invalid", "expected-rate", "allow-unreachable", "margin"),
)
_OF_JUDGES = (
    *("backend", "model", "command", "timeout", "pass-env", "context"),
    *("max-output-tokens", "simulator"),
)
BY_NAME = {option.name: option for option in OPTIONS}


def _named(*names: str) -> dict[str, Option]:
    return {name: BY_NAME[name] for name in names if name in BY_NAME}


CASE_OPTIONS = _named(*_OF_CASES)
"""What a case may say besides its agent."""
AGENT_OPTIONS = _named("agent", *_OF_AGENTS)
DEFAULT_OPTIONS = _named(*_OF_CASES, *_OF_RUNS)
JUDGE_OPTIONS = _named(*_OF_JUDGES)

# Options of one backend or two, for when the user asks for another.
ONLY_FOR = {
    "command": {"command"},
    "setup": {"command", "claude-code"},
    "teardown": {"command", "claude-code"},
    "context": {"claude-code"},
    "simulator": {"simulated"},
}


def text_of(option: Option, node: Node) -> str:
    """
    Return the text that a value of the file is.

    Raises:
        ValueError: with a phrase that follows "it", when the value has no such form.
    """
    if node.keys is not None:
        raise ValueError("must be one value, not a mapping")
    if node.items is not None:
        return _joined(option, node.items)
    if node.value is None:
        raise ValueError("has no value: write one, or leave the key out")
    if isinstance(node.value, bool) and option.parse is not flag:
        raise ValueError(f'is a truth value here; write "{node.raw}" for text')
    return str(node.raw)


def _joined(option: Option, items: list[Node]) -> str:
    if option.parse not in {argv, variable_names}:
        raise ValueError("must be one value, not a list")
    if any(item.raw is None or item.value is None for item in items):
        raise ValueError("must be a list of words")
    words = [str(item.raw) for item in items]
    if option.parse is variable_names:
        return "\n".join(words)
    if words and len(words[0].split()) > 1:
        raise ValueError(
            f"is a list of the words of one command, and {shown(words[0])} is no "
            "program; write one command, such as sh -c '...'"
        )
    return shlex.join(words)


def checked_text(option: Option, node: Node) -> str:
    """
    Return the text of a value that the option's own parser takes.

    Raises:
        ValueError: with a phrase such as "is '0': it must be ...".
    """
    try:
        text = text_of(option, node).strip()
        if text:
            option.parse(text)
    except ValueError as error:
        said = f"is {shown(node.raw)}: it " if node.raw else ""
        raise ValueError(f"{said}{error}") from None
    return text


def json_form(option: Option) -> dict[str, Any]:
    """
    Return the JSON Schema of an option's value in a file.

    Bounds and words are read from the option's parser, which is their only place.
    """
    return {"description": option.help, **_form(option)}


def _form(option: Option) -> dict[str, Any]:
    if option.parse is flag:
        return {"type": "boolean"}
    if option.parse in {argv, variable_names}:
        words = {"type": "array", "items": {"type": "string"}}
        return {"anyOf": [{"type": "string"}, words]}
    maker = option.parse.__qualname__.partition(".")[0]
    if maker == option.parse.__name__:  # A parser itself, not made by a function.
        plain = maker in {"agent", "path", "plain_text", "base_name"}
        return {"type": "string"} if plain else {"type": ["string", "number"]}
    bounds = getclosurevars(option.parse).nonlocals
    if maker == "choice":
        return {"enum": [str(word) for word in bounds["known"]]}
    if maker == "integer":
        low, high = bounds["low"], bounds["high"]
        return {"type": "integer", "minimum": low, "maximum": high}
    if maker == "number":
        above, high = bounds["above"], bounds["high"]
        return {"type": "number", "exclusiveMinimum": above, "maximum": high}
    return {"type": ["number", "string"]}
