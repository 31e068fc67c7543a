"""
What this project holds itself to, beside what was measured of it.

Every goal is a ratio of medians of the same measurement, or a count, so that it means
the same on another machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figures import (
    Figures,
    cpu_ms_a_call,
    group,
    mean_call_s,
    peak_rss_mib,
    ratio,
    refused,
    show,
    table,
    wall_s,
)
from .scenario import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .rows import Row

_OURS = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """
    The most that a figure of ours may be.

    Args:
        what: The figure in words.
        value_of: The figure of one row.
        base: Whose median divides it: a contender, "ideal", or empty for nobody.
        worst: It holds for every round, not for their median.
    """

    scenario: str
    what: str
    most: float
    value_of: Callable[[Row], float | None] = wall_s
    base: str = ""
    worst: bool = False

    def measured(self, rows: Sequence[Row]) -> float | None:
        """
        Return the figure; None when it was not measured.
        """
        grouped = group(rows, self.scenario)
        if _OURS not in grouped:
            return None
        ours = grouped[_OURS]
        value = (ours.worst if self.worst else ours.median)(self.value_of)
        if self.base == "ideal":
            return ratio(value, BY_NAME[self.scenario].ideal_s)
        if not self.base:
            return value
        base = grouped.get(self.base, Figures(rows=()))
        return ratio(value, base.median(self.value_of))


def _lost(row: Row) -> float | None:
    return row.counts.get("lost")


def _misjudged(row: Row) -> float:
    """
    Return by how many answers a run's own count of right ones misses the server's.
    """
    right = row.server["answered"] - row.server["wrong_answers"]
    return abs(float(right - row.counts.get("passed", 0)))


def _limited(scenario: str) -> Iterator[Goal]:
    """
    Yield the goals of one way to be limited.
    """
    yield Goal(scenario=scenario, what="wall / ideal", most=1.06, base="ideal")
    yield Goal(scenario=scenario, what="refused of 300", most=9, value_of=refused)
    yield Goal(scenario=scenario, what="lost", most=0, value_of=_lost, worst=True)


GOALS = (
    Goal(scenario="A", what="wall / ideal", most=1.15, base="ideal"),
    Goal(scenario="B", what="wall / ideal", most=1.4, base="ideal"),
    Goal(
        scenario="B",
        what="CPU a call / naive",
        most=0.2,
        value_of=cpu_ms_a_call,
        base="naive",
    ),
    Goal(scenario="B", what="peak MiB", most=40, value_of=peak_rss_mib),
    *_limited("C"),
    *_limited("C-silent"),
    *_limited("C-tokens"),
    *_limited("C-closed"),
    Goal(scenario="D", what="wall / ideal", most=2.0, base="ideal"),
    Goal(scenario="D", what="lost", most=0, value_of=_lost, worst=True),
    Goal(
        scenario="D",
        what="answers counted unlike the server",
        most=0,
        value_of=_misjudged,
        worst=True,
    ),
    Goal(scenario="claude", what="wall / pool", most=0.8, base="pool"),
    Goal(
        scenario="claude",
        what="CPU a call / pool",
        most=0.85,
        value_of=cpu_ms_a_call,
        base="pool",
    ),
    Goal(
        scenario="claude",
        what="wall a call / pool",
        most=0.45,
        value_of=mean_call_s,
        base="pool",
    ),
    Goal(scenario="claude-limit", what="wall / ideal", most=1.1, base="ideal"),
    Goal(scenario="claude-limit", what="refused of 40", most=4, value_of=refused),
    Goal(scenario="claude-limit", what="lost", most=0, value_of=_lost, worst=True),
)


def goals_table(rows: Sequence[Row]) -> str:
    """
    Return the table of the goals that were measured; empty when none was.
    """
    lines = []
    for goal in GOALS:
        value = goal.measured(rows)
        if value is not None:
            met = "yes" if value <= goal.most else "**no**"
            line = (goal.scenario, goal.what, f"{goal.most:g}", show(value), met)
            lines.append(line)
    if not lines:
        return ""
    return table(("scenario", "figure", "at most", "measured", "met"), lines)
