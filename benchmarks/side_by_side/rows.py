"""
What was measured, one JSON line a run, kept as it happens.

A measurement that was interrupted goes on where it stopped: a row that is there is not
measured again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One run of one contender.

    Args:
        round: From 1; also the server's seed.
        foreign: Share of the cores that others took; None: too short to tell.
        counts: What the contender says came of it; see `adapters.job.write_counts`.
        server: What the server counted; empty when there was none.
        server_cpu_s: CPU of the server meanwhile.
        note: Why there are no figures; empty when there are.
    """

    scenario: str
    contender: str
    round: int
    calls: int
    at_utc: str
    commit: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_rss_mib: float = 0.0
    exit_code: int = 0
    foreign: float | None = None
    counts: dict[str, float] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    server_cpu_s: float = 0.0
    note: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """
        What makes a second measurement of the same unnecessary.
        """
        return self.scenario, self.contender, self.round

    @property
    def refused(self) -> int:
        """
        Calls that the server refused because of its limit.
        """
        return int(self.server.get("by_status", {}).get("429", 0))

    @property
    def answered(self) -> float | None:
        """
        Calls that the contender says were answered; None: it did not say.
        """
        if "passed" not in self.counts:
            return None
        return self.counts["passed"] + self.counts["failed"]

    @property
    def agrees(self) -> bool:
        """
        Tell whether the contender counted as many right answers as the server gave.

        Only a run that lost nothing can be compared: an answer that a client threw
        away was still given.
        """
        if not self.server or self.counts.get("lost"):
            return True
        right = self.server["answered"] - self.server["wrong_answers"]
        return bool(self.counts.get("passed") == right)


def read_rows(path: Path) -> list[Row]:
    """
    Return what was measured so far, the newest row of each key.
    """
    if not path.exists():
        return []
    rows = [Row(**json.loads(line)) for line in path.read_text().splitlines()]
    return list({row.key: row for row in rows}.values())


def add_row(path: Path, row: Row) -> None:
    """
    Keep a row.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(row)) + "\n")


def forget(path: Path, scenarios: set[str]) -> None:
    """
    Drop all rows of *scenarios*.
    """
    kept = [row for row in read_rows(path) if row.scenario not in scenarios]
    if path.exists():
        path.write_text("".join(json.dumps(asdict(row)) + "\n" for row in kept))
