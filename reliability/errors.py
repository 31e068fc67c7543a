"""
Every error this package raises on purpose, and the exit code that each one means.

    ReliabilityError
    ├── UsageError            2   bad options or files, found before any call
    └── MeasureError          3   nothing can be concluded
        ├── JournalError      3   the log cannot be written or trusted
        ├── AgentSetupError   3   the agent cannot be started at all
        └── CheckError        3   a check cannot decide, so the trial is invalid

An infrastructure problem never maps to 0 (the verdict allows it) nor to 1 (the
agent is not reliable enough): those two codes are claims about the agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_OK = 0
EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_NOT_MEASURED = 3
EXIT_INCONCLUSIVE = 4
EXIT_SIGNAL_BASE = 128  # A shell reports "ended by signal n" as 128 + n.


class ReliabilityError(Exception):
    """
    Something that the user can act on; the text says what, where and what to do.

    Args:
        what: What happened and where, in one or two lines.
        remedy: What to do about it; empty when the first part says it already.
    """

    exit_code = EXIT_NOT_MEASURED

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}" if self.remedy else self.what


class UsageError(ReliabilityError):
    """
    Bad options or files, found before any call was made.

    Args:
        problems: Every problem found, each a whole sentence; all are shown at once.
    """

    exit_code = EXIT_USAGE

    def __init__(self, problems: Sequence[str] | str, *, remedy: str = "") -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems), remedy=remedy)


class MeasureError(ReliabilityError):
    """
    The run could not measure the agent; what was measured so far is kept.
    """


class JournalError(MeasureError):
    """
    The log cannot be written, locked, read or trusted; names path and byte offset.
    """


class AgentSetupError(MeasureError):
    """
    The agent cannot be started at all: a missing program, no key, an unknown agent.
    """


class CheckError(MeasureError):
    """
    A check cannot decide; its trial is invalid, the run goes on.
    """
