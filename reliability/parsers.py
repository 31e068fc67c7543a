"""
From an option's text to its value: one small parser for each form of a value.

Each raises `ValueError` with a phrase that follows "it": "must be true or false".
"""

from __future__ import annotations

import math
import re
import shlex
import warnings
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_UNITS_S = {"": 1, "s": 1, "ms": 0.001, "m": 60, "h": 3600}


class ExpectMode(StrEnum):
    """
    How the expected text is compared with the answer.
    """

    CONTAINS = "contains"
    EQUALS = "equals"
    MATCHES = "matches"


_NEARLY_A_MODE = frozenset(
    "contain contains equal equals is match matches re regex regexp".split()
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """
    What an answer must contain, equal or match.
    """

    mode: ExpectMode
    text: str

    def __str__(self) -> str:
        return f"{self.mode}:{self.text}"


def integer(low: int, high: int) -> Callable[[str], int]:
    """
    Accept whole numbers from *low* to *high*.
    """

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def number(above: float, high: float) -> Callable[[str], float]:
    """
    Accept a plain decimal number above *above* and up to *high*.
    """

    def parse(text: str) -> float:
        is_number = re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", text)
        if not is_number or not above < float(text) <= high:
            raise ValueError(f"must be a number above {above:g} and up to {high:g}")
        return float(text)

    return parse


def share(text: str) -> float:
    """
    Accept a plain decimal number from 0 to 1.
    """
    is_number = re.fullmatch(r"[0-9](?:\.[0-9]{1,9})?", text)
    if not is_number or float(text) > 1:
        raise ValueError("must be a number from 0 to 1")
    return float(text)


def seconds(low_s: float, high_s: float) -> Callable[[str], float]:
    """
    Accept a duration, with or without a unit; the value is in seconds.
    """

    def parse(text: str) -> float:
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(s|ms|m|h|)", text)
        value_s = float(found[1]) * _UNITS_S[found[2]] if found else math.nan
        if not low_s <= value_s <= high_s:
            raise ValueError(
                f"must be seconds from {low_s:g} to {high_s:g} "
                "(90, 1.5, or with a unit: 500ms, 10m, 1h)"
            )
        return value_s

    return parse


def choice(
    kind: type[StrEnum], *, without: Collection[StrEnum] = ()
) -> Callable[[str], StrEnum]:
    """
    Accept one of the values of *kind*, but for some.
    """
    known = {str(one): one for one in kind if one not in without}

    def parse(text: str) -> StrEnum:
        if text not in known:
            raise ValueError(f"must be one of: {', '.join(known)}")
        return known[text]

    return parse


def flag(text: str) -> bool:
    """
    Accept true and false in the spellings of the official toolkit.
    """
    # The official toolkit accepts these spellings and no others (core.getBooleanInput).
    if text in {"true", "True", "TRUE"}:
        return True
    if text in {"false", "False", "FALSE"}:
        return False
    raise ValueError("must be true or false")


def argv(text: str) -> tuple[str, ...]:
    """
    Split into words as a shell would; nothing is expanded.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(
            f"cannot be split into words as a shell would: {error}"
        ) from None


def base_name(text: str) -> str:
    """
    Accept a plain file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", text):
        raise ValueError(
            "must be a plain file name without a folder: at most 80 letters, digits, "
            "'.', '_' and '-'"
        )
    return text


def agent(text: str) -> str:
    """
    Accept an agent name or label.
    """
    is_name = text.isprintable() and not text.startswith("-")
    if len(text) > 200 or not is_name or set(text) & {"/", "\\"}:
        raise ValueError(
            "must be a name of at most 200 printable characters without a slash"
        )
    return text


def plain_text(text: str) -> str:
    """
    Accept any text without a NUL.
    """
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


def path(text: str) -> Path:
    """
    Accept a path; whether it exists is not looked at.
    """
    return Path(plain_text(text))


def expectation(text: str) -> Expectation:
    """
    Accept `contains:`, `equals:` or `matches:` and a text; no word means contains.
    """
    mode, colon, rest = text.partition(":")
    if colon and mode not in list(ExpectMode) and mode.lower() in _NEARLY_A_MODE:
        raise ValueError(
            f"begins with {mode!r}, which is not one of {', '.join(ExpectMode)}; "
            f"to look for that very text write contains:{text}"
        )
    if not colon or mode not in list(ExpectMode):
        return Expectation(ExpectMode.CONTAINS, text)
    expectation = Expectation(ExpectMode(mode), rest)
    if expectation.mode is ExpectMode.MATCHES:
        try:
            with warnings.catch_warnings():
                # "[[" may mean something else one day; that is no trouble of a run's.
                warnings.simplefilter("ignore")
                re.compile(rest)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is not a regular expression: {error}") from None
    if not rest.strip():
        raise ValueError(f"has nothing after '{mode}:'")
    return expectation


def lines(text: str) -> tuple[str, ...]:
    """
    Accept texts, one a line.
    """
    found = (line.strip() for line in plain_text(text).splitlines())
    return tuple(line for line in found if line)


def variables(text: str) -> tuple[tuple[str, str], ...]:
    """
    Accept NAME=VALUE, one a line.
    """
    pairs = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name.strip()):
            raise ValueError("must be NAME=VALUE, one a line")
        pairs.append((name.strip(), value.strip()))
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"gives {', '.join(twice)} twice")
    return tuple(pairs)


_JOBS_OWN = ("ACTIONS_", "INPUT_", "RELIABILITY_", "RUNNER_", "STATE_")
_JOBS_TOKENS = frozenset({"GITHUB_TOKEN", "GH_TOKEN"})


def variable_names(text: str) -> tuple[str, ...]:
    """
    Accept names of environment variables, one a line or with commas between them.

    A name may end in `*`. What would let the agent act as the job itself is refused.
    """
    names = tuple(re.split(r"[\s,]+", text.strip()))
    for name in names:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\*?", name):
            raise ValueError(
                "must be names of variables, one a line; * only at the end"
            )
        if name in _JOBS_TOKENS or name.startswith(_JOBS_OWN):
            raise ValueError(
                f"must not pass {name}, with which an agent could act as this job"
            )
    return names
