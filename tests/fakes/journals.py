"""
Logs for tests: a clock that needs no waiting, logs that are made in one call.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import reliability
from reliability.journal import Journal

BEGAN_UTC = datetime(2026, 11, 23, 17, 40, 59, 123_000, tzinfo=UTC)

WRITER = Path(__file__).with_name("journal_writer.py")


class SteppedClock:
    """
    A clock that moves one millisecond each time it is read.
    """

    def __init__(self) -> None:
        self.reads = 0

    def now_utc(self) -> datetime:
        self.reads += 1
        return BEGAN_UTC + timedelta(milliseconds=self.reads - 1)

    def monotonic_s(self) -> float:
        self.reads += 1
        return self.reads / 1000


def unredacted(value: Any) -> Any:
    """
    Hide nothing.
    """
    return value


def new_journal(directory: Path, **changes: Any) -> Journal:
    """
    Create a log with usual names; *changes* replace or add arguments.
    """
    arguments: dict[str, Any] = {
        "base_name": "chat",
        "run_id": "r1",
        "clock": SteppedClock(),
        "redact": unredacted,
    }
    return Journal.create(directory, **(arguments | changes))


def reopened(path: Path, **changes: Any) -> Journal:
    """
    Open a log again with a usual clock and no redaction.
    """
    arguments: dict[str, Any] = {"clock": SteppedClock(), "redact": unredacted}
    return Journal.reopen(path, **(arguments | changes))


def crashed_log(directory: Path, *texts: str) -> Path:
    """
    Leave an unlocked log with one event for each text.
    """
    with new_journal(directory) as journal:
        for text in texts:
            journal.append("trial_finished", {"text": text})
    return journal.path


def line_starts(content: bytes) -> list[int]:
    """
    Return the offset of each line.
    """
    return [0, *(found.end() for found in re.finditer(rb"\n", content))][:-1]


def writer_argv(*arguments: object) -> list[str]:
    """
    Return how to start `journal_writer.py`.
    """
    return [sys.executable, str(WRITER), *map(str, arguments)]


def writer_environ() -> dict[str, str]:
    """
    Return an environment in which a child finds the package and these fakes.
    """
    found = [str(Path(reliability.__file__).parents[1]), str(WRITER.parents[1])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found)}


def start_writer(*arguments: object) -> subprocess.Popen[str]:
    """
    Start `journal_writer.py` with a pipe to each of its streams.
    """
    return subprocess.Popen(
        writer_argv(*arguments),
        env=writer_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
