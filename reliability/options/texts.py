"""
From values back to texts: the inverse of the parsers, for options that a log keeps.

What `Settings.from_text` makes of these texts is what the values were, so a run can be
gone on with from its log alone. Files that an option names are read again.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from reliability.options import OPTIONS, Option
from reliability.parsers import argv, path, variables

if TYPE_CHECKING:
    from collections.abc import Mapping


def texts_of(public: Mapping[str, Any]) -> dict[str, str]:
    """
    Return each option's text by its name; what was not given is left out.

    Args:
        public: What `Settings.public` returned, also after JSON; names that are not
            known are passed over.

    Raises:
        LookupError, TypeError, ValueError: when a value has not the form it should.
    """
    texts = {
        option.name: _text(option, public[option.field])
        for option in OPTIONS
        if public.get(option.field) is not None
    }
    if public.get("classic") or public.get("prompt_file"):
        # The prompt was made, of the agent's name or of the file.
        texts.pop("prompt", None)
    return texts


def _text(option: Option, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        from decimal import Decimal

        # Not str: the parsers take no exponent.
        return format(Decimal(repr(value)), "f")
    if isinstance(value, list):
        return _joined(option, value)
    return _path(str(value)) if option.parse is path else str(value)


def _joined(option: Option, items: list[Any]) -> str:
    if option.parse is argv:
        return shlex.join(items)
    if option.parse is variables:
        return "\n".join(f"{name}={value}" for name, value in items)
    return "\n".join(items)


def _path(text: str) -> str:
    """
    Write a path so that blanks at its ends are not taken for blanks around it.
    """
    begin = "./" if text != text.lstrip() else ""
    return f"{begin}{text}{'/' if text != text.rstrip() else ''}"
