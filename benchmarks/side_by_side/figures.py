"""
From rows to figures: medians, ratios, and tables in Markdown. Pure functions.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .rows import Row

# Above this share of foreign CPU a row is marked.
MAX_FOREIGN = 0.08
_GAP = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    The rounds of one contender in one scenario.
    """

    rows: tuple[Row, ...]

    def median(self, value_of: Callable[[Row], float | None]) -> float | None:
        """
        Return the median of a value over the rounds; None when no round has it.
        """
        values = [value for row in self.rows if (value := value_of(row)) is not None]
        return statistics.median(values) if values else None

    def worst(self, value_of: Callable[[Row], float | None]) -> float | None:
        """
        Return the largest value over the rounds; None when no round has it.
        """
        values = [value for row in self.rows if (value := value_of(row)) is not None]
        return max(values, default=None)

    @property
    def disturbed(self) -> bool:
        """
        Tell whether another process took part of the cores in any of the rounds.
        """
        return any((row.foreign or 0.0) > MAX_FOREIGN for row in self.rows)

    @property
    def lost(self) -> float:
        """
        The calls that were given up, in all rounds together.
        """
        return sum(row.counts.get("lost", 0) for row in self.rows)


def group(rows: Iterable[Row], scenario: str) -> dict[str, Figures]:
    """
    Return the figures of each contender that was measured in *scenario*.
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.scenario == scenario and not row.note:
            found.setdefault(row.contender, []).append(row)
    return {name: Figures(rows=tuple(each)) for name, each in found.items()}


def notes(rows: Iterable[Row], scenario: str) -> dict[str, str]:
    """
    Return why contenders have no figures in *scenario*; one that has some is left out.
    """
    listed = [row for row in rows if row.scenario == scenario]
    measured = {row.contender for row in listed if not row.note}
    return {row.contender: row.note for row in listed if row.contender not in measured}


def ratio(value: float | None, base: float | None) -> float | None:
    """
    Return how often *base* goes into *value*; None when either is not there or 0.
    """
    if value is None or not base:
        return None
    return value / base


def show(value: float | None, digits: int = 2) -> str:
    """
    Return a number for a table, with thousands apart; a dash for None.
    """
    return _GAP if value is None else f"{value:,.{digits}f}"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """
    Return a Markdown table whose first column is text and whose others are numbers.
    """
    rule = ["---", *["--:" for _ in head[1:]]]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *lines))


def wall_s(row: Row) -> float:
    """
    Return a row's wall time.
    """
    return row.wall_s


def cpu_ms_a_call(row: Row) -> float:
    """
    Return a row's CPU for each call.
    """
    return row.cpu_s * 1000 / max(1, row.calls)


def peak_rss_mib(row: Row) -> float:
    """
    Return a row's peak memory.
    """
    return row.peak_rss_mib


def mean_call_s(row: Row) -> float | None:
    """
    Return how long a call took in the mean; None: the contender does not say.
    """
    return row.counts.get("mean_call_s")


def refused(row: Row) -> float:
    """
    Return how many calls the server refused.
    """
    return row.refused
