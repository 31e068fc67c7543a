"""
All that is wrong with a file, told at once and in its order.

Each problem has a line, the path to the key, a sentence, and the nearest valid word
when a word is wrong. What a file says is shown escaped and short: it may be hostile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.errors import UsageError
from reliability.simulator.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_SHOWN = 50
SHOWN_CHARACTERS = 60

Path = tuple[str | int, ...]
_WORD = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Problem:
    """
    One thing that is wrong.

    Args:
        line: From 1; 0 for what no line of the file is to blame for.
        word: What is not among `valid`; empty when nothing was misspelt.
    """

    line: int
    path: str
    text: str
    word: str = ""
    valid: tuple[str, ...] = ()

    def sentence(self, file: str) -> str:
        """
        Return it as people read it: place, path, what is wrong, what may be meant.
        """
        hint = f" {did_you_mean(self.word, self.valid)}" if self.valid else ""
        place = f"{file}:{self.line}" if self.line else file
        path = f" {self.path}:" if self.path else ""
        return f"{place}:{path} {self.text}.{hint}"


class Problems:
    """
    Collects problems of one file; the same one twice is one.

    Args:
        file: Its name as people gave it.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}
        self._others: dict[str, None] = {}
        self._places: set[Path] = set()
        self._closed: set[Path] = set()

    def __len__(self) -> int:
        return len(self._found) + len(self._others)

    def add(
        self,
        line: int,
        path: Path,
        text: str,
        *,
        word: str = "",
        valid: Iterable[str] = (),
        is_last: bool = False,
    ) -> None:
        """
        Note a problem.

        Args:
            text: A phrase without a full stop.
            is_last: Whatever else is found at this very place follows from this.
        """
        if path in self._closed:
            return
        if is_last:
            self._closed.add(path)
        problem = Problem(
            line=line,
            path=path_text(path),
            text=text,
            word=word[:SHOWN_CHARACTERS],
            valid=tuple(valid),
        )
        self._found[problem] = None
        self._places.update(path[:length] for length in range(1, len(path) + 1))

    def add_other(self, sentence: str) -> None:
        """
        Note a whole sentence about something that is not in the file.
        """
        self._others[sentence] = None

    def are_under(self, path: Path) -> bool:
        """
        Tell whether something is wrong at a place, or below it.
        """
        return path in self._places

    def raise_any(self) -> None:
        """
        Raise what was found.

        Raises:
            UsageError: when anything was; sorted by line, at most 50 and how many more.
        """
        if not len(self):
            return
        found = sorted(self._found)
        sentences = [*self._others]
        sentences += [problem.sentence(self.file) for problem in found[:MOST_SHOWN]]
        if len(found) > MOST_SHOWN:
            more = len(found) - MOST_SHOWN
            sentences.append(f"{self.file}: {more} more problems are not shown.")
        raise UsageError(sentences)


def path_text(path: Path) -> str:
    """
    Return a path as people write it, such as `cases[2].checks[0].regex`.
    """
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            name = key if _WORD.fullmatch(key) and len(key) <= 100 else shown(key)
            text += f".{name}" if text else name
    return text


def shown(text: str) -> str:
    """
    Return a text quoted, escaped and short.
    """
    return ascii(text) if len(text) <= SHOWN_CHARACTERS else f"{text[:57]!a}..."
