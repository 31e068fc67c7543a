"""
What is known of a child after its end: a value, no I/O.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reliability.process.capture import Capture

_SHELL_SIGNAL_BASE = 128  # A shell reports "ended by signal n" as 128 + n.


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReport:
    """
    How one child ended and what it printed.

    Args:
        pid: Its process id, which is its group's and its session's too.
        exit_code: 0 to 255; negative: ended by that signal; None: it could not be
            reaped (unkillable, or the host program ignores or reaps SIGCHLD).
        stdout: What it wrote to standard output.
        stderr: What it wrote to standard error.
        duration_s: From just before its start to its own end, without the sweep.
        timed_out: It was ended at its deadline.
        cancelled: It was ended by a cancel.
        swept: Processes that were still there after its end and were killed; one that
            was just ending may be among them.
        dropped_lines: Lines of stdout too long to be handed on one by one.
    """

    pid: int
    exit_code: int | None
    stdout: Capture
    stderr: Capture
    duration_s: float
    timed_out: bool
    cancelled: bool
    swept: int
    dropped_lines: int = 0

    @property
    def was_killed(self) -> bool:
        """
        Tell whether a SIGKILL ended it, or its own child, that was not ours.

        The kernel sends one when memory runs out, and leaves no other trace that a
        container could see; somebody else may have sent it too.
        """
        codes = {-signal.SIGKILL, _SHELL_SIGNAL_BASE + signal.SIGKILL}
        return self.exit_code in codes and not (self.timed_out or self.cancelled)

    def describe_exit(self) -> str:
        """
        Say in a few words how it ended, and who ended it where that was us.
        """
        how = self._describe_code()
        if self.timed_out:
            return f"stopped at the time limit ({how})"
        if self.cancelled:
            return f"stopped by a cancel ({how})"
        return how

    def _describe_code(self) -> str:
        """
        Name the exit code or the signal.
        """
        code = self.exit_code
        if self.was_killed:
            return "killed (SIGKILL), perhaps because memory ran out"
        if code is None:
            return "end unknown: the process could not be reaped"
        if code < 0:
            return f"killed by {self._signal_name(-code)}"
        if code - _SHELL_SIGNAL_BASE in signal.valid_signals():
            name = self._signal_name(code - _SHELL_SIGNAL_BASE)
            return f"exit code {code} (what a shell says for {name})"
        return f"exit code {code}"

    def _signal_name(self, number: int) -> str:
        """
        Name a signal.
        """
        try:
            return signal.Signals(number).name
        except ValueError:
            return f"signal {number}"


def last_line(said: str) -> str:
    """
    Return the last line that says anything, which is where a traceback has its error.
    """
    lines = [line for line in map(str.strip, said.splitlines()) if line]
    return lines[-1] if lines else ""
