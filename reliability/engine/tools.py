"""
The system's own tools (cp, rm, chown, git, diff) as children of ours.

Copying ten thousand files in Python would hold the interpreter's lock, and with it all
other trials; a child does not. `run_child` gives them what agents get: a time limit, an
end at a cancel, nobody left behind.
"""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import MeasureError
from reliability.process import ChildReport, last_line, run_child

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.clock import Clock

_CAP_BYTES = 64 * 1024
_SHOWN_CHARACTERS = 300
_READINGS = 3


class ToolError(MeasureError):
    """
    A tool of the system did not do its work; says which, and what it said.
    """


class ToolTimeoutError(ToolError):
    """
    A tool was ended, by its time limit or by a cancel.
    """


class Tools:
    """
    Runs the tools of one run.

    Args:
        environ: PATH comes from here; they see nothing else of it.
        name: Unique in the world; part of the cookies of their processes.
        cancel: Ends them when set.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        name: str,
        clock: Clock,
        cancel: threading.Event,
    ) -> None:
        self.environ = environ
        self.cancel = cancel
        self._name = name
        self.clock = clock
        self._numbers = itertools.count(1)
        self._never = threading.Event()

    def wall_lead_s(self) -> float:
        """
        Return how far the wall clock is ahead of the monotonic one.
        """
        # Whoever is held up between the two readings sees a smaller lead.
        return max(
            self.clock.now_utc().timestamp() - self.clock.monotonic_s()
            for _ in range(_READINGS)
        )

    def run(
        self,
        *argv: str,
        stdin: bytes = b"",
        timeout_s: float = 600.0,
        cap_bytes: int = _CAP_BYTES,
        env: Mapping[str, str] | None = None,
        must_end: bool = False,
    ) -> ChildReport:
        """
        Run a tool and return how it ended; its exit code is not judged.

        Args:
            timeout_s: Copies of large workspaces on slow disks take minutes.
            env: None for one that has PATH alone.
            must_end: A cancel does not end it.

        Raises:
            ToolError: when it is missing, was cancelled or took too long.
        """
        path = self.environ.get("PATH", os.defpath)
        try:
            report = run_child(
                argv,
                stdin=stdin,
                env={"PATH": path, "LC_ALL": "C"} if env is None else env,
                cwd=Path("/"),
                timeout_s=timeout_s,
                cap_bytes=cap_bytes,
                cancel=self._never if must_end else self.cancel,
                cookie=f"{self._name}-tool-{next(self._numbers)}",
                clock=self.clock,
            )
        except MeasureError as error:
            raise ToolError(str(error)) from None
        if report.timed_out or report.cancelled:
            raise ToolTimeoutError(f"{argv[0]}: {report.describe_exit()}.")
        return report

    def do(self, *argv: str, env: Mapping[str, str] | None = None) -> None:
        """
        Run a tool that must end well.

        Raises:
            ToolError: when it does not; with the last line that it said.
        """
        report = self.run(*argv, env=env)
        if report.exit_code != 0:
            said = last_line(report.stderr.text(str, _CAP_BYTES))
            text = said[:_SHOWN_CHARACTERS] or report.describe_exit()
            raise ToolError(f"{argv[0]} failed: {text}.")
