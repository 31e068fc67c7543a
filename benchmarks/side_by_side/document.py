"""
docs/benchmarks.md, written from the rows that there are and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import MAX_FOREIGN, show
from .goals import goals_table
from .scenario import SCENARIOS
from .tables import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import Row
    from .scenario import Scenario

_HOW = f"""\
## How it was measured

- `make bench` installs the peers at the versions above, measures, and writes this
  page. `benchmarks/peers.py --help` says how to measure a part of it.
- Every figure is of a whole process tree, from start to end, in an empty folder and a
  clean environment: wall time around one blocking wait; CPU and peak memory as the
  kernel counted them for the process and its children (memory: of the largest single
  process, and not below the 9 MiB of what starts it).
- Figures are medians of the rounds in the last column. Rounds are interleaved: everyone
  runs once before anyone runs again. Runs that consist of waiting have one round.
- Compare the ratios within one table; absolute times move with the machine.
- Every run has a fresh server on loopback, seeded by its round. Whoever lost no call
  was checked to count as many right answers as the server gave; a run where the two
  differ is listed at the end.
- **ideal** is what no runner can beat, computed from latency, concurrency and limit,
  without any start-up. A run that gave calls up has no ratio to it: it ended early by
  giving up.
- **naive** is a `ThreadPoolExecutor`, one shared SDK client without its own retries,
  and tenacity with `wait_random_exponential(min=1, max=60)` and 6 attempts.
- **floor** rows are no products: bare HTTP without grading, log or retries, to show
  what machine and server allow.
- **pool** is a `ThreadPoolExecutor` with `subprocess.run`, and an empty HOME for each
  child.
- **refused** is counted by the server: every 429, whoever asked. **lost** is what the
  runner itself did not get an answer for. **wall s a call** is the mean from a child's
  start to its end, as its runner saw it.
- A row marked \\* had other processes on more than {MAX_FOREIGN:.0%} of the cores.
- The peers do more with a run than this project's log does: transcripts, viewers, a
  database. The ratios say what that costs, not that it is waste. agentrial runs trials
  one by one.
"""


def write(rows: Sequence[Row], *, machine: str, versions: str) -> str:
    """
    Return the page.
    """
    dates = sorted(row.at_utc[:10] for row in rows)
    commits = sorted({row.commit for row in rows if not row.note})
    span = " to ".join(sorted({dates[0], dates[-1]})) if dates else "never"
    parts = [
        "# Benchmarks\n\nWritten by `make bench`; not edited by hand.\n\n",
        f"- Machine: {machine}.\n- Measured: {span}, at {', '.join(commits)}.\n",
        f"- Versions: {versions}.\n\n",
        _HOW,
        _goals(rows),
        *(_section(scenario, rows) for scenario in SCENARIOS),
        _disagreements(rows),
    ]
    return "".join(parts)


def _goals(rows: Sequence[Row]) -> str:
    """
    Return the section with what this project holds itself to.
    """
    text = goals_table(rows)
    if not text:
        return ""
    return f"\n## What reliability holds itself to\n\n{text}"


def _section(scenario: Scenario, rows: Sequence[Row]) -> str:
    """
    Return a scenario's heading and table; empty when nothing of it was measured.
    """
    text = table_of(scenario, rows)
    if not text:
        return ""
    ideal = scenario.ideal_s
    line = f"Ideal: {show(ideal)} s.\n\n" if ideal else ""
    return f"\n## {scenario.name}: {scenario.title}\n\n{line}{text}"


def _disagreements(rows: Sequence[Row]) -> str:
    """
    Return the runs whose own count of right answers is not the server's.
    """
    found = [row for row in rows if not row.note and not row.agrees]
    if not found:
        return ""
    lines = [
        f"- {row.scenario}, {row.contender}, round {row.round}: "
        f"counted {row.counts.get('passed', 0):.0f}, the server gave "
        f"{row.server['answered'] - row.server['wrong_answers']}\n"
        for row in found
    ]
    return "\n## Counts that differ from the server's\n\n" + "".join(lines)
