"""
Secrets taken out of text and JSON-like data before anything keeps or shows it.

Promises: a known secret of 8 or more characters is replaced in these forms, in any
position, also when line breaks run through it: plain; base64 and URL-safe base64 at
each of the three offsets; base64 of such base64; hexadecimal in either case;
URL-quoted; JSON-escaped once or twice; HTML-escaped. Keys of well-known shapes (`sk-`,
`ghp_`, `AKIA`, JSON Web Tokens, private key blocks, ...) are replaced even if unknown.
Clean data comes back as the same object.

Not promised: a secret that was reversed, encrypted, compressed, spelt out or split
between two texts. Redact first and cut afterwards, or a half secret stays.

Trade-offs: plain substring searches (about 50 ns a form and line) instead of one
large alternation, which measured three to six times slower. The slow path, which keeps
positions, runs only on text that is known to hold something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reliability.redact.environment import secrets_of
from reliability.redact.forms import Form, forms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MARK", "SHORTEST", "Redactor", "secrets_of"]

MARK = "[redacted]"
SHORTEST = 8  # Shorter values (`1`, `true`) would blank ordinary words.

_GAP = re.compile(r"\s+|\\[nrt]")
_BASE64_CHARS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
)
_BASE64_TAIL = re.compile("[A-Za-z0-9+/_-]?={0,2}")

_WITHOUT_STRINGS = frozenset({bool, float, int, type(None)})

# Every shape begins with one of these, which are quick to look for.
_SHAPE_STARTS = (
    *("sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("AKIA", "ASIA", "AIza", "xox", "eyJ", "PRIVATE KEY"),
)
_SHAPES = re.compile(
    # The letter of an escaped line break is no part of a word before it.
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))sk-[A-Za-z0-9_-]{20,}"
    r"|sk-ant-[A-Za-z0-9_-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_[A-Za-z0-9_]{22,}"
    r"|glpat-[A-Za-z0-9_-]{20,}"
    r"|(?<![A-Z0-9])A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Z0-9])"
    r"|AIza[A-Za-z0-9_-]{35}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}"
    # Bounded and without a way back: else a run of "eyJ" takes quadratic time.
    r"|eyJ[A-Za-z0-9_-]{10,1000}+\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*"
    r"(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
)


class Redactor:
    """
    Replaces known secrets and well-known shapes of keys by `[redacted]`.

    Args:
        secrets: The values. Those shorter than 8 characters are ignored and counted in
            `too_short`; empty ones are not counted.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {secret.strip() for secret in secrets} - {""}
        known = {value for value in values if len(value) >= SHORTEST}
        self.too_short = len(values) - len(known)
        forms = {form for value in known for form in forms_of(value)}
        self._forms = _usable(forms)
        self._squeezed = _usable(
            form._replace(needle=_GAP.sub("", form.needle)) for form in forms
        )
        self._needles = (*_needles_of(self._forms), *_SHAPE_STARTS)
        self._squeezed_needles = _needles_of(self._squeezed)

    def text(self, text: str) -> str:
        """
        Return the text without secrets; the same object if there are none.
        """
        if not self._is_suspect(text):
            return text
        spans = sorted(self._spans(text))
        return _blank(text, spans) if spans else text

    def value(self, value: Any) -> Any:
        """
        Return JSON-like data without secrets in its strings, keys included.

        The same object if there are none; else a copy, in which a tuple has become a
        list. Keys that only differed in their secret stay apart.
        """
        strings = _strings_in(value)
        if not self._is_suspect("\0".join(strings)):
            return value
        if all(self.text(string) is string for string in strings):
            return value
        # A stack instead of recursion: how deep the data goes is the agent's choice.
        root: list[Any] = [value]
        todo: list[tuple[Any, Any]] = [(root, 0)]
        while todo:
            holder, key = todo.pop()
            item = holder[key]
            if isinstance(item, str):
                holder[key] = self.text(item)
            elif isinstance(item, Mapping):
                holder[key] = copied = self._with_clean_keys(item)
                todo.extend((copied, name) for name in copied)
            elif isinstance(item, list | tuple):
                holder[key] = items = list(item)
                todo.extend((items, index) for index in range(len(items)))
        return root[0]

    def _with_clean_keys(self, item: Mapping[Any, Any]) -> dict[Any, Any]:
        """
        Copy a mapping with its keys redacted, and numbered where that makes them equal.
        """
        copied: dict[Any, Any] = {}
        for key, value in item.items():
            name = clean = self.text(key) if isinstance(key, str) else key
            while name in copied:
                name = f"{clean} {len(copied) + 1}"
            copied[name] = value
        return copied

    def _is_suspect(self, text: str) -> bool:
        """
        Tell quickly if the text may hold something; never wrong when it says no.
        """
        if len(text) < SHORTEST:
            return False
        # A plain loop: any() takes twice the time on the lines of a log.
        for needle in self._needles:
            if needle in text:
                return True
        if not _has_break(text):
            return False
        squeezed = _GAP.sub("", text)
        return any(needle in squeezed for needle in self._squeezed_needles)

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """
        Yield where secrets begin and end; spans may overlap and come in any order.
        """
        yield from (match.span() for match in _SHAPES.finditer(text))
        yield from _found(self._forms, text)
        if _has_break(text):
            gaps = {at for m in _GAP.finditer(text) for at in range(*m.span())}
            kept = [at for at in range(len(text)) if at not in gaps]
            squeezed = "".join(text[at] for at in kept)
            for start, end in _found(self._squeezed, squeezed):
                yield kept[start], kept[end - 1] + 1


def _usable(forms: Iterable[Form]) -> tuple[Form, ...]:
    """
    Drop forms too short to look for, and those that the mark itself would match.
    """
    long_enough = (form for form in forms if len(form.needle) >= SHORTEST)
    return tuple(sorted({form for form in long_enough if form.needle not in MARK}))


def _needles_of(forms: Iterable[Form]) -> tuple[str, ...]:
    """
    Return what to look for, each once.
    """
    return tuple(dict.fromkeys(form.needle for form in forms))


def _found(forms: Iterable[Form], text: str) -> Iterator[tuple[int, int]]:
    """
    Yield the span of every occurrence, overlapping ones and shared characters too.
    """
    for needle, left, right in forms:
        start = text.find(needle)
        while start >= 0:
            end = start + len(needle)
            before = left and start and text[start - 1] in _BASE64_CHARS
            tail = _BASE64_TAIL.match(text, end) if right else None
            yield start - int(bool(before)), tail.end() if tail else end
            start = text.find(needle, start + 1)


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """
    Replace each stretch that sorted spans cover by one mark.
    """
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if start > done or not parts:
            parts += (text[done:start], MARK)
        done = max(done, end)
    return "".join((*parts, text[done:]))


def _has_break(text: str) -> bool:
    """
    Tell whether a line ends in the text, by a character or by the escape for one.
    """
    return "\n" in text or "\r" in text or "\\n" in text or "\\r" in text


def _strings_in(value: Any) -> list[str]:
    """
    Return every string in JSON-like data, keys included.

    Every event of a log comes through here, so the kinds that are most are asked for
    first, by their exact type where that is enough.
    """
    strings: list[str] = []
    todo = [value]
    for item in todo:  # It grows while it is walked.
        kind = type(item)
        if kind is str:
            strings.append(item)
        elif kind in _WITHOUT_STRINGS:
            continue
        elif isinstance(item, (dict, Mapping)):
            todo += item
            todo += item.values()
        elif isinstance(item, (list, tuple)):
            todo += item
        elif isinstance(item, str):
            strings.append(item)
    return strings
