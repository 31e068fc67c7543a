"""
Reads a JSON object that somebody else wrote, and lets in only what a log can hold.

A number beyond all sense becomes None, so that the rest of the object still counts:
`1e999`, which Python reads as an infinity, and integers of hundreds of digits, which
no float can hold. NaN and Infinity as words are no JSON, nor is what holds them.
"""

from __future__ import annotations

import json
import math
from codecs import BOM_UTF8
from typing import Any, NoReturn

# As many as the largest integer of 128 bits has, and far from what overflows a float.
_MOST_DIGITS = 39
_BLANKS = " \t\n\r"  # All that JSON knows.


def read_object(data: bytes) -> dict[str, Any] | None:
    """
    Return the JSON object that *data* is, in UTF-8; None when it is anything else.
    """
    try:
        text = data.removeprefix(BOM_UTF8).decode("utf-8", "surrogatepass")
        text = text.strip(_BLANKS)
        value, end = _SCAN(text, 0)
    except (ValueError, RecursionError, StopIteration):
        return None
    return value if end == len(text) and isinstance(value, dict) else None


def _finite(text: str) -> float | None:
    """
    Return a number with a fraction or an exponent; None when it is out of range.
    """
    value = float(text)
    return value if math.isfinite(value) else None


def _sensible(text: str) -> int | None:
    """
    Return a whole number; None when it has too many digits.
    """
    if len(text) <= _MOST_DIGITS or len(text.lstrip("-")) <= _MOST_DIGITS:
        return int(text)
    return None


def _refuse_constant(name: str) -> NoReturn:
    """
    Refuse NaN and the infinities: they are no JSON, and no log can hold them.
    """
    raise ValueError(name)


# Made once: `json.loads` makes another one for every event of a stream, and the
# decoder's own `decode` looks for the blanks around a value twice.
_SCAN = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, parse_int=_sensible
).scan_once  # type: ignore[attr-defined]  # public, and not in the stubs
