"""
Answers as normalised texts and as vectors of word counts.

The mean similarity of all pairs needs no pairs: with unit vectors and their sum S it is
(|S|^2 - n) / (n (n - 1)), and that of one text to the others is (v . S - 1) / (n - 1).
Both are exact and take time linear in the texts, whatever their number.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WORD = re.compile(r"\w+|[^\w\s]")


def normalised(answer: str) -> str:
    """
    Return an answer without what people do not see as a difference.

    Compatible characters, letter case and white space are made alike.
    """
    return " ".join(unicodedata.normalize("NFKC", answer).casefold().split())


def words(text: str) -> tuple[str, ...]:
    """
    Return the words and signs of a normalised text.
    """
    return tuple(_WORD.findall(text))


class Similarity(NamedTuple):
    """
    How alike texts are, by the cosine of their word counts.

    Args:
        mean: Of all pairs; None for fewer than two texts.
        to_others: Mean of each text with the others, in their order.
    """

    mean: float | None
    to_others: Sequence[float]


def similarity(vectors: Sequence[Mapping[str, float]]) -> Similarity:
    """
    Return the mean cosine of unit vectors, all pairs and each with the others.

    Texts without a word have the empty vector: alike among each other by nothing.
    """
    count = len(vectors)
    if count < 2:
        return Similarity(None, [1.0] * count)
    total: dict[str, float] = {}
    for vector in vectors:
        for word, weight in vector.items():
            total[word] = total.get(word, 0.0) + weight
    own = [sum(weight * weight for weight in one.values()) for one in vectors]
    square = math.fsum(weight * weight for weight in total.values())
    mean = (square - math.fsum(own)) / (count * (count - 1))
    others = [
        (sum(weight * total[word] for word, weight in vector.items()) - one)
        / (count - 1)
        for vector, one in zip(vectors, own, strict=True)
    ]
    return Similarity(mean, others)


def unit_vector(found: Sequence[str]) -> dict[str, float]:
    """
    Return word counts scaled to length 1; empty for no words.
    """
    counts = Counter(found)
    length = math.sqrt(sum(count * count for count in counts.values()))
    return {word: count / length for word, count in counts.items()}
