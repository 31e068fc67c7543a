"""
A strict `{{name}}` template: replaced once, never twice, never evaluated.

`str.format` would give a prompt file access to attributes, and a template language to
more than that. A name without a value and a value without a name are both errors: a
typing mistake must not become N paid trials of the wrong prompt.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}")

CLASSIC_PROMPT = (
    "Ask the {{agent}} agent to say hello, then tell me what it replied, word for word."
)

DIRECT_PROMPT = "Say hello."
"""What the classic prompt becomes when the named agent itself reads it."""


def fill(
    template: str, values: Mapping[str, str], *, optional: Collection[str] = ()
) -> str:
    """
    Replace every `{{name}}` of *template* by its value, in one pass.

    Args:
        optional: Names that the template may leave out.

    Raises:
        ValueError: naming every name that is missing or was not used.
    """
    used = {found[1] for found in _PLACE.finditer(template)}
    missing = sorted(used - {name for name, value in values.items() if value})
    unused = sorted(set(values) - used - set(optional))
    problems = [f"{{{{{name}}}}} has no value" for name in missing]
    problems += [
        f"{name!r} is given but {{{{{name}}}}} is not there" for name in unused
    ]
    if problems:
        raise ValueError("; ".join(problems))
    return _PLACE.sub(lambda found: values[found[1]], template)
