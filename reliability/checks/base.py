"""
What all checks have in common: a name, the form that a suite file gives them, a label.

A check is a frozen dataclass whose fields are its parameters as people write them; `_`
stands for `-`. `KIND` is its key in a suite file, `SHORT` the field that is meant when
a value stands there instead of a mapping.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.grades import Evidence, Grade, Question

LABEL_CHARACTERS = 80
SHOWN_CHARACTERS = 200

_ENDS = re.compile(r"[\s\"]")


class BaseCheck:
    """
    Defaults of the `Check` protocol for dataclasses.
    """

    __slots__ = ()
    KIND: ClassVar[str]
    SHORT: ClassVar[str]

    @property
    def label(self) -> str:
        """
        Kind and main parameter.
        """
        return label_of(self.KIND, getattr(self, self.SHORT))

    @property
    def needs_folder(self) -> bool:
        """
        Tell whether it looks into the agent's folder: most do not.
        """
        return False

    def questions(self, _evidence: Evidence) -> tuple[Question, ...]:
        """
        Return what a model must be asked first: most checks need none.
        """
        return ()

    def grade(self, evidence: Evidence) -> Grade:
        """
        Grade the trial; each check says how.
        """
        raise TypeError(f"{type(self).__name__} has no grade() for {evidence.case!r}")

    def spec(self) -> Mapping[str, Any]:
        """
        Return `{kind: parameters}`, those left out that are as they are by default.
        """
        given = {
            field.name.replace("_", "-"): plain(getattr(self, field.name))
            for field in fields(self)  # type: ignore[arg-type]  # each is a dataclass
            if getattr(self, field.name) != _default(field)
        }
        short = self.SHORT.replace("_", "-")
        return {self.KIND: given[short] if given.keys() == {short} else given}


def label_of(kind: str, value: object) -> str:
    """
    Return kind and value in one line, short enough for a table.
    """
    text = " ".join(f"{kind}:{_flat(value)}".split())
    if len(text) <= LABEL_CHARACTERS:
        return text
    return f"{text[: LABEL_CHARACTERS - 3]}..."


def shown(answer: str) -> str:
    """
    Return the beginning of an answer, quoted, and how much more there is.
    """
    if len(answer) <= SHOWN_CHARACTERS:
        return repr(answer)
    start = beginning(answer, SHOWN_CHARACTERS)
    return f"{start!r} and {len(answer) - len(start)} more"


def beginning(text: str, most: int) -> str:
    """
    Return a text, or as much of it as ends at a blank or a quote if there is one.

    A cut inside a word could leave half a secret, which nobody recognises any more.
    """
    if len(text) <= most:
        return text
    ends = [match.start() for match in _ENDS.finditer(text, 0, most + 1)]
    return text[: ends[-1] if ends else most]


def brief(name: str) -> str:
    """
    Return a name that a model chose, such as a tool's, or its size when it is no name.
    """
    if len(name) <= LABEL_CHARACTERS and name.isprintable():
        return name
    return f"<a name of {len(name)} characters>"


def require_pattern(pattern: str) -> None:
    """
    Refuse what is no regular expression, before anything is paid for.

    Raises:
        ValueError: when it cannot be compiled.
    """
    try:
        with warnings.catch_warnings():
            # "[[" may mean something else one day; that is no trouble of a run's.
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        got = shown(pattern)
        raise ValueError(f"{got} is not a regular expression: {error}") from None


def plain(value: Any) -> Any:
    """
    Return a parameter as JSON-like data.
    """
    if isinstance(value, BaseCheck):
        return dict(value.spec())
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _flat(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(_flat, value))
    if isinstance(value, BaseCheck):
        return value.label
    return f"{value:g}" if isinstance(value, float) else str(value)
