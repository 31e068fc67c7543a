"""
Patterns for paths: `*` and `?` stop at `/`, `**` does not; `**/` is any folders.

Everything else stands for itself. Linear in the path for each piece of the pattern: an
agent chooses the paths, and no regular expression may be made to take forever over one.
"""

from __future__ import annotations

import re

_PIECES = re.compile(r"(\*\*/|\*\*|\*|\?)")


def matches(pattern: str, path: str) -> bool:
    """
    Tell whether a pattern matches a whole path.
    """
    places = {0}
    for piece in _PIECES.split(pattern):
        if piece:
            places = _after(piece, path, places)
        if not places:
            return False
    return len(path) in places


def may_match_below(pattern: str, folder: str) -> bool:
    """
    Tell whether a pattern could match a path that begins with *folder*.

    Args:
        folder: Ends in `/`.
    """
    places = {0}
    for piece in filter(None, _PIECES.split(pattern)):
        if len(folder) in places or (places and piece in {"**/", "**"}):
            return True
        if piece not in {"*", "?"} and any(
            piece.startswith(folder[at:]) and len(piece) > len(folder) - at
            for at in places
        ):
            return True
        places = _after(piece, folder, places)
    return False


def _after(piece: str, path: str, places: set[int]) -> set[int]:
    """
    Return how far a path may be matched when a piece follows what reached *places*.
    """
    match piece:
        case "**/":
            ends = (at + 1 for at, one in enumerate(path) if one == "/")
            return places | {end for end in ends if end > min(places)}
        case "**":
            return set(range(min(places), len(path) + 1))
        case "*":
            return _along(path, places)
        case "?":
            inside = (at for at in places if at < len(path))
            return {at + 1 for at in inside if path[at] != "/"}
    return {at + len(piece) for at in places if path.startswith(piece, at)}


def _along(path: str, places: set[int]) -> set[int]:
    """
    Return every place that can be reached without passing a slash.
    """
    reached = set(places)
    for at, one in enumerate(path):
        if at in reached and one != "/":
            reached.add(at + 1)
    return reached
