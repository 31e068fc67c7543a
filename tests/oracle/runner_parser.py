"""
Our own model of what the GitHub runner reads from a step.

Written from actions/runner: ActionCommand.cs and ActionCommandManager.cs (commands on
the console), ProcessInvoker.cs (`StreamReader.ReadLine`), FileCommandManager.cs
(`EnvFileKeyValuePairs`). It shares no code with the package.

Where the runner compares by culture rules, which skip characters that weigh nothing,
the model is stricter than the runner: a line is read as it stands, and once more
without every character that could be skipped. What this model lets pass, no runner
takes for a command; it may see commands that no runner would.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

COMMANDS = frozenset(
    "add-mask add-matcher add-path debug echo endgroup error group notice "
    "remove-matcher save-state set-env set-output stop-commands warning".split()
)

# Char.IsWhiteSpace of .NET. Unlike Python's it has neither U+001C to U+001F, ...
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
# ... nor, like Python's, U+FEFF and U+200B; but these weigh nothing in a comparison.
_WEIGHTLESS = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """
    A command that the runner would carry out.
    """

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


class EnvFileError(Exception):
    """
    The runner fails the step over such a file.
    """


def commands_in(output: str) -> list[Command]:
    """
    Return every command that the runner finds in what a step prints.
    """
    found = []
    for line in re.split(r"\r\n|\r|\n", output):
        for reading in (line, _without_weightless(line)):
            command = _parse_colons(reading) or _parse_brackets(reading)
            if command:
                found.append(command)
                break
    return found


def pairs_in(text: str) -> list[tuple[str, str]]:
    """
    Return the pairs that the runner reads from an env file, in order.

    Raises:
        EnvFileError: where the runner would fail the step.
    """
    pairs = []
    rest = text.removesuffix("\n").split("\n")
    at = 0
    while at < len(rest):
        line = rest[at]
        at += 1
        if not line:
            continue
        equals, arrows = line.find("="), line.find("<<")
        if equals >= 0 and (arrows < 0 or equals < arrows):
            name, _, value = line.partition("=")
        elif arrows >= 0:
            name, _, delimiter = line.partition("<<")
            if not name or not delimiter:
                raise EnvFileError(line)
            if delimiter not in rest[at:]:
                raise EnvFileError(delimiter)
            end = rest.index(delimiter, at)
            value = "\n".join(rest[at:end])
            at = end + 1
        else:
            raise EnvFileError(line)
        pairs.append((name, value))
    return pairs


def _without_weightless(line: str) -> str:
    """
    Drop what a comparison by culture rules may skip.
    """
    return "".join(
        char
        for char in line
        if char == "\t" or unicodedata.category(char) not in _WEIGHTLESS
    )


def _parse_colons(line: str) -> Command | None:
    """
    Read `::name key=value,key=value::data` after leading white space.
    """
    line = line.lstrip(WHITE_SPACE)
    if not line.startswith("::"):
        return None
    info, mark, data = line[2:].partition("::")
    name, _, properties = info.partition(" ")
    if not mark or name.lower() not in COMMANDS:
        return None
    return Command(
        name=name.lower(),
        data=_unescape(data, {"%0D": "\r", "%0A": "\n"}),
        properties=_properties(
            properties.strip(WHITE_SPACE),
            ",",
            {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","},
        ),
    )


def _parse_brackets(line: str) -> Command | None:
    """
    Read the older `##[name key=value;key=value]data` anywhere in a line.
    """
    _before, mark, rest = line.partition("##[")
    info, bracket, data = rest.partition("]")
    name, _, properties = info.partition(" ")
    if not mark or not bracket or name.lower() not in COMMANDS:
        return None
    escapes = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]"}
    return Command(
        name=name.lower(),
        data=_unescape(data, escapes),
        properties=_properties(properties, ";", escapes),
    )


def _properties(text: str, separator: str, escapes: dict[str, str]) -> dict[str, str]:
    """
    Read a command's properties; those without a value do not count.
    """
    pairs = (part.partition("=") for part in text.split(separator))
    return {
        name.lower(): _unescape(value, escapes) for name, _, value in pairs if value
    }


def _unescape(text: str, escapes: dict[str, str]) -> str:
    """
    Undo a command's escapes, the percent sign last.
    """
    for escape, char in escapes.items():
        text = text.replace(escape, char)
    return text.replace("%25", "%")
