"""
How much trials differ in what they took, and in the tools that they used.

Formulas as in Rabanser et al., arXiv 2602.16666: resources by exp(-mean CV), actions by
the Jensen-Shannon divergence of their frequencies and by edit distance of their order.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_PAIRS = 5_000
"""Pairs of trials beyond which a sample stands for all of them."""


class Resource(NamedTuple):
    """
    What trials took of one thing.

    Args:
        variation: Standard deviation by the mean; None for fewer than two values.
    """

    mean: float
    variation: float | None
    trials: int


class Paths(NamedTuple):
    """
    How alike the tools of trials are, 0 to 1; None for fewer than two trials.
    """

    by_frequency: float | None
    by_order: float | None
    sampled: bool


def resource(values: Sequence[float]) -> Resource:
    """
    Return mean and variation of what is above 0.
    """
    kept = [value for value in values if value > 0]
    mean = math.fsum(kept) / len(kept) if kept else 0.0
    if len(kept) < 2:
        return Resource(mean, None, len(kept))
    square = math.fsum((value - mean) ** 2 for value in kept) / (len(kept) - 1)
    return Resource(mean, math.sqrt(square) / mean, len(kept))


def evenness(resources: Mapping[str, Resource]) -> float | None:
    """
    Return exp(-mean variation), 1 when all trials took the same; None for nothing.
    """
    known = [one.variation for one in resources.values() if one.variation is not None]
    return math.exp(-math.fsum(known) / len(known)) if known else None


def paths(sequences: Sequence[tuple[str, ...]], *, seed: int = 1) -> Paths:
    """
    Return how alike tool sequences are, over all pairs or a seeded sample of them.
    """
    count = len(sequences)
    if count < 2:
        return Paths(None, None, sampled=False)
    pairs = count * (count - 1) // 2
    is_sample = pairs > MOST_PAIRS
    if is_sample:
        chance = random.Random(f"paths {seed}")  # noqa: S311 - a sample, not a secret
        # In the order of their values, so the sample is one of the trials' outcomes.
        ordered = sorted(sequences)
        chosen = [chance.sample(range(count), 2) for _ in range(MOST_PAIRS)]
        both = [(ordered[one], ordered[other]) for one, other in chosen]
    else:
        both = list(combinations(sequences, 2))
    known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[float, float]] = {}
    sums = [0.0, 0.0]
    for one, other in both:
        key = (one, other) if one <= other else (other, one)
        if key not in known:
            known[key] = 1 - divergence(*key), 1 - distance(*key)
        for at, value in enumerate(known[key]):
            sums[at] += value
    return Paths(sums[0] / len(both), sums[1] / len(both), sampled=is_sample)


def divergence(one: Sequence[str], other: Sequence[str]) -> float:
    """
    Return the Jensen-Shannon divergence of tool frequencies in bits, 0 to 1.
    """
    if not one or not other:
        return float(bool(one) != bool(other))
    first, second = Counter(one), Counter(other)
    total = 0.0
    for name in first | second:
        p, q = first[name] / len(one), second[name] / len(other)
        middle = (p + q) / 2
        total += sum(x / 2 * math.log2(x / middle) for x in (p, q) if x)
    return min(1.0, max(0.0, total))


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """
    Return the edit distance of two sequences by the longer length, 0 to 1.
    """
    longest = max(len(one), len(other))
    if not longest:
        return 0.0
    row = list(range(len(other) + 1))
    for at, name in enumerate(one, 1):
        before, row[0] = row[0], at
        for place, mine in enumerate(other, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (name != mine)),
            )
    return row[-1] / longest
