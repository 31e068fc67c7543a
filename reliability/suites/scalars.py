"""
What a plain scalar of YAML is: text, a number, a truth value or nothing.

The rules are those of YAML 1.2's core schema, which editors use, without what YAML 1.1
reads otherwise: that is refused, because a person may have meant either.
"""

from __future__ import annotations

import re

from reliability.suites.problems import shown

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
)
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_ODD_NUMBER = re.compile(
    r"[-+]?(?:0[0-9_]+|0o[0-7]+|0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*_[0-9_]*)"
)
_MOST_DIGITS = 18

Scalar = str | int | float | bool | None


def scalar_of(text: str) -> tuple[Scalar, str]:
    """
    Return what a plain scalar is, and what is wrong with it.
    """
    if text in _NOTHING:
        return None, ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE, ""
    if text.lower() in _SWITCHES and text in {
        text.lower(),
        text.upper(),
        text.capitalize(),
    }:
        meant = _SWITCHES[text.lower()]
        return text, f'some read {text} as {meant}; write {meant}, or "{text}" for text'
    if _ODD_NUMBER.fullmatch(text):
        short = shown(text)[1:-1]
        return text, (
            f"{short} is a number of another kind to some; write it without leading "
            f'zeros, letters and underscores, or "{short}" for text'
        )
    if _SPECIAL.fullmatch(text):
        return text, f'{text} is no number that makes sense here; write "{text}"'
    if _INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            return text, f"the number {shown(text)} is too long; quote it for text"
        return (int(text) if _INTEGER.fullmatch(text) else float(text)), ""
    return text, ""
