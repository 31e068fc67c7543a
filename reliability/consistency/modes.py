"""
Groups of answers that say nearly the same, whatever the order of the trials.

Equal texts are one from the start. Distinct texts, the most frequent first, join the
first leader whose words are alike by 0.7 or more (Jaccard), or lead a group of their
own. Which leaders are looked at is found by the smallest hashes of the texts' words,
which similar texts share (bottom-k sketches: Cohen and Kaplan, 2007), so the time grows
with the texts and not with their pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from reliability.consistency.texts import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALIKE = 0.7
_SKETCH = 8
_MOST_CANDIDATES = 64


class Mode(NamedTuple):
    """
    One group.

    Args:
        texts: Its distinct texts, the leader first.
        size: How many trials gave one of them.
    """

    texts: Sequence[str]
    size: int


def modes_of(counts: Mapping[str, int]) -> list[Mode]:
    """
    Return the groups of texts that came so often each, the largest first.
    """
    ordered = sorted(counts, key=lambda text: (-counts[text], text))
    leaders: list[frozenset[str]] = []
    members: list[list[str]] = []
    buckets: dict[int, list[int]] = {}
    for text in ordered:
        found = frozenset(words(text))
        sketch = _sketch(found)
        place = _leader(found, sketch, leaders, buckets)
        if place is None:
            place = len(leaders)
            leaders.append(found)
            members.append([])
            for value in sketch:
                buckets.setdefault(value, []).append(place)
        members[place].append(text)
    groups = [Mode(texts, sum(counts[one] for one in texts)) for texts in members]
    return sorted(groups, key=lambda mode: (-mode.size, mode.texts[0]))


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """
    Return the share of words that both have (Jaccard); 1 when neither has any.
    """
    both = len(one | other)
    return len(one & other) / both if both else 1.0


def _sketch(found: frozenset[str]) -> list[int]:
    hashes = sorted(crc32(word.encode("utf-8", "surrogatepass")) for word in found)
    return hashes[:_SKETCH]


def _leader(
    found: frozenset[str],
    sketch: Sequence[int],
    leaders: Sequence[frozenset[str]],
    buckets: Mapping[int, Sequence[int]],
) -> int | None:
    """
    Return the first leader that is alike; those that share most hashes are looked at.
    """
    if not found:
        return next((at for at, one in enumerate(leaders) if not one), None)
    shared: dict[int, int] = {}
    for value in sketch:
        for place in buckets.get(value, ())[:_MOST_CANDIDATES]:
            shared[place] = shared.get(place, 0) + 1
    ranked = sorted(shared, key=lambda place: (-shared[place], place))
    close = [
        place
        for place in ranked[:_MOST_CANDIDATES]
        if alike(found, leaders[place]) >= ALIKE
    ]
    return min(close) if close else None
