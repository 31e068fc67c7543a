"""
Name what a misspelt key was probably meant to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Lower than difflib's own 0.6: for one wrong key a far guess helps more than none.
_CUTOFF = 0.5


def did_you_mean(word: str, valid: Sequence[str]) -> str:
    """
    Return a sentence with the nearest of *valid*, or with all of them if none is near.
    """
    from difflib import get_close_matches  # Only a mistake pays for it.

    near = get_close_matches(word.lower(), valid, n=1, cutoff=_CUTOFF)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Valid keys: {', '.join(valid)}."
