"""
A command that has been started: watched, signalled, and waited for with a deadline.

The deadline is a guard against hanging and no promise of speed.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

HANG_S = 60.0
"""Nobody is ever this late who is not hanging; it is no promise of speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    How a process ended.

    Args:
        code: Exit code; minus the signal's number when one killed it.
        peak_kib: The most memory that it was seen to have had at once.
    """

    code: int
    stdout: str
    stderr: str
    peak_kib: int

    @property
    def console(self) -> str:
        """
        Everything that it printed.
        """
        return self.stdout + self.stderr


class Running:
    """
    A command that has been started.

    Args:
        stdout, stderr: Files that its output goes to.
        logs: Tells the logs that there are, the oldest first.
    """

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        stdout: Path,
        stderr: Path,
        *,
        logs: Callable[[], list[Path]],
    ) -> None:
        self.pid = child.pid
        self._child = child
        self._outputs = (stdout, stderr)
        self._logs = logs
        self._end: Ended | None = None
        self._peak_kib = 0

    def signal(self, number: int) -> None:
        """
        Send it a signal.
        """
        os.kill(self.pid, number)

    def wait_for(self, event: str, count: int = 1) -> None:
        """
        Wait until its log has that many of *event*.
        """
        mark = f'"event":"{event}"'.encode()

        def is_there() -> bool:
            logs = self._logs()
            return bool(logs) and logs[-1].read_bytes().count(mark) >= count

        self.wait_until(is_there)

    def wait_until(self, is_true: Callable[[], bool]) -> None:
        """
        Wait for what it will bring about; it must not end before.
        """
        deadline_s = time.monotonic() + HANG_S
        while not is_true():
            late = time.monotonic() > deadline_s
            if late or self._has_ended():
                why = "hangs" if late else "ended before"
                raise AssertionError(f"{why}: {self._said()}")
            time.sleep(0.005)

    def end(self, hang_s: float = HANG_S) -> Ended:
        """
        Wait for its end; kill it and fail when it hangs (I6).
        """
        deadline_s = time.monotonic() + hang_s
        while not self._has_ended():
            if time.monotonic() > deadline_s:
                self._child.kill()
                self._child.wait()
                raise AssertionError(f"I6: no end within {hang_s:g} s: {self._said()}")
            time.sleep(0.005)
        assert self._end is not None
        return self._end

    def has_ended(self, within_s: float) -> bool:
        """
        Tell whether it ends within some seconds.
        """
        deadline_s = time.monotonic() + within_s
        while not self._has_ended() and time.monotonic() < deadline_s:
            time.sleep(0.005)
        return self._has_ended()

    def _has_ended(self) -> bool:
        if self._end is None:
            self._see_memory()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == 0:
                return False
            code = os.waitstatus_to_exitcode(status)
            self._child.returncode = code  # Reaped behind its back.
            stdout, stderr = self._said()
            self._end = Ended(
                code=code, stdout=stdout, stderr=stderr, peak_kib=self._peak_kib
            )
        return True

    def _see_memory(self) -> None:
        """
        Note its peak; what wait4(2) tells includes what we had before the exec.
        """
        with suppress(OSError, IndexError):
            text = Path(f"/proc/{self.pid}/status").read_text()
            self._peak_kib = int(text.split("VmHWM:")[1].split()[0])

    def _said(self) -> list[str]:
        return [
            path.read_text(encoding="utf-8", errors="surrogateescape")
            for path in self._outputs
        ]
