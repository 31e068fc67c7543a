"""
One table for each kind of scenario: a line a contender, its medians side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .contenders import CONTENDERS
from .figures import (
    cpu_ms_a_call,
    group,
    mean_call_s,
    notes,
    peak_rss_mib,
    ratio,
    refused,
    show,
    table,
    wall_s,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .figures import Figures
    from .rows import Row
    from .scenario import Scenario

_API_HEAD = (
    "contender",
    "wall s",
    "/ ideal",
    "/ naive",
    "CPU ms a call",
    "/ naive",
    "peak MiB",
    "lost",
    "refused (429)",
    "at once",
    "rounds",
)
_CAPACITY_HEAD = (
    "contender",
    "requests a second",
    "CPU ms a call, client",
    "CPU ms a call, server",
    "rounds",
)
_HELP_HEAD = ("contender", "wall s", "CPU s", "peak MiB", "rounds")
_CHILDREN_HEAD = (
    "contender",
    "wall s",
    "/ ideal",
    "/ pool",
    "CPU ms a call",
    "/ pool",
    "wall s a call",
    "/ pool",
    "peak MiB",
    "lost",
    "refused (429)",
    "rounds",
)


def table_of(scenario: Scenario, rows: Sequence[Row]) -> str:
    """
    Return the table of one scenario; empty when nothing of it was measured.
    """
    grouped = group(rows, scenario.name)
    missing = notes(rows, scenario.name)
    if not grouped and not missing:
        return ""
    head, line = _LAYOUTS[_layout(scenario)]
    base = grouped.get("naive") or grouped.get("pool")
    lines = []
    for name in scenario.contenders:
        title = CONTENDERS[name].title
        if name in grouped:
            marked = f"{title} \\*" if grouped[name].disturbed else title
            lines.append((marked, *line(scenario, grouped[name], base)))
        elif name in missing:
            gaps = ["" for _ in head[2:]]
            lines.append((title, missing[name].partition(":")[0], *gaps))
    return table(head, lines)


def _layout(scenario: Scenario) -> str:
    """
    Return which kind of table a scenario has.
    """
    if scenario.name == "capacity":
        return "capacity"
    return "children" if scenario.kind in {"commands", "claude"} else scenario.kind


def _api(scenario: Scenario, each: Figures, base: Figures | None) -> tuple[str, ...]:
    """
    Return the figures of calls of the Messages API.
    """
    wall = each.median(wall_s)
    cpu = each.median(cpu_ms_a_call)
    # Whoever gives calls up is done early, and that is no merit.
    ideal = None if each.lost else scenario.ideal_s
    return (
        show(wall),
        show(ratio(wall, ideal)),
        show(ratio(wall, base and base.median(wall_s))),
        show(cpu),
        show(ratio(cpu, base and base.median(cpu_ms_a_call))),
        show(each.median(peak_rss_mib), 0),
        show(each.median(lambda row: row.counts.get("lost")), 0),
        show(each.median(refused), 0),
        show(each.median(lambda row: row.server.get("max_in_flight")), 0),
        str(len(each.rows)),
    )


def _capacity(
    _scenario: Scenario, each: Figures, _base: Figures | None
) -> tuple[str, ...]:
    """
    Return what the server can do.
    """
    return (
        show(each.median(lambda row: row.calls / row.wall_s), 0),
        show(each.median(cpu_ms_a_call)),
        show(each.median(lambda row: row.server_cpu_s * 1000 / row.calls)),
        str(len(each.rows)),
    )


def _help(_scenario: Scenario, each: Figures, _base: Figures | None) -> tuple[str, ...]:
    """
    Return the figures of a start-up.
    """
    return (
        show(each.median(wall_s)),
        show(each.median(lambda row: row.cpu_s)),
        show(each.median(peak_rss_mib), 0),
        str(len(each.rows)),
    )


def _children(
    scenario: Scenario, each: Figures, base: Figures | None
) -> tuple[str, ...]:
    """
    Return the figures of child processes.
    """
    values = []
    for value_of, digits in ((wall_s, 2), (cpu_ms_a_call, 1), (mean_call_s, 3)):
        median = each.median(value_of)
        values.append(show(median, digits))
        if value_of is wall_s:
            ideal = None if each.lost else scenario.ideal_s
            values.append(show(ratio(median, ideal)))
        values.append(show(ratio(median, base and base.median(value_of))))
    return (
        *values,
        show(each.median(peak_rss_mib), 0),
        show(each.median(lambda row: row.counts.get("lost")), 0),
        show(each.median(refused) if scenario.server else None, 0),
        str(len(each.rows)),
    )


_LAYOUTS: dict[str, tuple[tuple[str, ...], Callable[..., tuple[str, ...]]]] = {
    "api": (_API_HEAD, _api),
    "capacity": (_CAPACITY_HEAD, _capacity),
    "help": (_HELP_HEAD, _help),
    "children": (_CHILDREN_HEAD, _children),
}
