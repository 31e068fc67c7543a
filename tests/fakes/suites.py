"""
Suite files that are wrong: written by hand, hostile, and mutations of a good one.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(__file__).parents[1] / "data" / "suites"
GOOD = ("good.yml", "anchors.yml", "small.yml")
SEED = 4
_MARK = re.compile(r"^=([=+])= ([0-9]+) (.*)\n", re.MULTILINE)
_KEY = re.compile(r"^( *(?:- )?)([a-z][a-z-]+):(?: |$)")
_KNOWN = "version: 1\ncases:\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """
    A file that must be refused.

    Args:
        line, begins: Where the problem is, and how what is said of it begins; None and
            empty when only a line must be named.
        fits_schema: Only reading it tells that it is wrong.
    """

    name: str
    content: bytes
    line: int | None = None
    begins: str = ""
    fits_schema: bool = False


def written() -> Iterator[Malformed]:
    """
    Yield the files of `malformed.txt`.
    """
    text = (DATA / "malformed.txt").read_text(encoding="utf-8")
    parts = _MARK.split(text)[1:]
    pieces = (parts[first::4] for first in range(4))
    for number, (mark, line, begins, document) in enumerate(
        zip(*pieces, strict=True), start=1
    ):
        yield Malformed(
            name=f"written {number}: {begins}",
            content=document.encode(),
            line=int(line),
            begins=begins,
            fits_schema=mark == "+",
        )


def hostile() -> Iterator[Malformed]:
    """
    Yield files that are made to cost time or memory, or to be taken for something else.
    """
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    chain = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 900)
    )
    huge_text = f'a: &a "{"x" * 900_000}"\nb: [{", ".join(["*a"] * 500)}]\n'
    grown = (
        f"{_KNOWN}  - name: a\n    prompt: '{'{{x}}' * 100_000}'\n"
        f"    vars: {{x: {'y' * 100_000}}}\n"
    )
    grown_check = (
        f"{_KNOWN}  - name: a\n    prompt: a\n    vars: {{x: {'y' * 100_000}}}\n"
        f"    checks: [{{contains: '{'{{x}}' * 100_000}'}}]\n"
    )
    wide = "".join(
        f"    - {{contains: '{{{{v}}}}', weight: {n}}}\n" for n in range(1, 101)
    )
    crossed = (
        f"{_KNOWN}  - name: a\n    prompt: '{{{{v}}}}'\n    checks:\n{wide}"
        f"    matrix: {{vars: {{v: [{', '.join(map(str, range(1000)))}]}}}}\n"
    )
    files = {
        "nothing": b"",
        "blanks": b" \n\n",
        "a mark alone": b"\xef\xbb\xbf",
        "NUL": b"version: 1\ncases: [{name: a\0}]\n",
        "not UTF-8": b"version: 1\ncases: [{name: \xff}]\n",
        "UTF-16": "version: 1\n".encode("utf-16"),
        "escape": b"version: 1\ncases: [{name: \x1b[2J}]\n",
        "10 MB": b"version: 1\ncases: []\n" + b"# x\n" * 2_500_000,
        "1 MiB of brackets": b"[" * 1_000_000,
        "1 MiB of braces": b"{" * 1_000_000,
        "1 MiB of dashes": b"- " * 500_000,
        "1 MiB of questions": b"? " * 500_000,
        "1 MiB of anchors": b"&a " * 300_000,
        "1 MiB of one key": b"a" * 1_000_000 + b": x",
        "1 MiB of items": b"version: 1\ncases: [" + b"1," * 500_000 + b"]",
        "many unknown keys": b"".join(b"key%d: 1\n" % n for n in range(25_000)),
        "many wrong cases": b"version: 1\ncases: [" + b"{a: b}," * 9_000 + b"]",
        "alias bomb": bomb.encode(),
        "alias chain": chain.encode(),
        "aliases of a huge text": huge_text.encode(),
        "a prompt that grows": grown.encode(),
        "a check that grows": grown_check.encode(),
        "a matrix of many checks": crossed.encode(),
        "a huge number": b"version: " + b"9" * 100_000,
        "a huge pattern": (
            f"{_KNOWN}  - {{name: a, prompt: x, checks: [{{regex: "
            f"'{'(' * 400_000}'}}]}}\n"
        ).encode(),
        "directives": b"%YAML 9.9\n--- a\n",
        "an object": b"!!python/object/new:os.system [echo hacked]\n",
        "a lone surrogate": b'version: 1\ncases: ["\\ud800"]\n',
    }
    for name, content in files.items():
        yield Malformed(name=name, content=content)


def mutated(count: int) -> Iterator[Malformed]:
    """
    Yield what came of a good file by one change, each of which makes it wrong.
    """
    chance = random.Random(SEED)
    lines = (DATA / "good.yml").read_text(encoding="utf-8").splitlines(keepends=True)
    places = [index for index, line in enumerate(lines) if _KEY.match(line)]
    for number in range(1, count + 1):
        index = chance.choice(places)
        change = chance.choice(_CHANGES)
        changed = [*lines]
        changed[index] = change(changed[index], chance)
        yield Malformed(
            name=f"{change.__name__.strip('_')} {number}, line {index + 1}",
            content="".join(changed).encode("utf-8", "surrogateescape"),
        )


def _misspelt(line: str, chance: random.Random) -> str:
    return _KEY.sub(r"\1\2zz: ", line)


def _of_wrong_form(line: str, chance: random.Random) -> str:
    return _KEY.sub(r"\1\2: [1, {x: y}] # ", line)


def _without_end(line: str, chance: random.Random) -> str:
    return _KEY.sub(r'\1\2: "', line)


def _with_tag(line: str, chance: random.Random) -> str:
    return _KEY.sub(r"\1\2: !!python/name:os.system ", line)


def _with_control(line: str, chance: random.Random) -> str:
    place = chance.randrange(len(line))
    return line[:place] + chance.choice("\0\x07\x1b\x7f") + line[place:]


def _with_bad_byte(line: str, chance: random.Random) -> str:
    place = chance.randrange(len(line))
    return line[:place] + chance.choice("\udcff\udcc0\udc80") + line[place:]


def _with_number_as_key(line: str, chance: random.Random) -> str:
    return _KEY.sub(r"\g<1>017: ", line)


_CHANGES: list[Callable[[str, random.Random], str]] = [
    *(_misspelt, _of_wrong_form, _without_end, _with_tag),
    *(_with_control, _with_bad_byte, _with_number_as_key),
]
