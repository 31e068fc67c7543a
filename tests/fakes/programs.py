"""
Run real programs through the process door with defaults, and look for who is left.
"""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.clock import SystemClock
from reliability.process import ChildReport, run_child

if TYPE_CHECKING:
    from collections.abc import Callable

_numbers = itertools.count(1)

PATH = "/usr/local/bin:/usr/bin:/bin"


def run(*argv: str, **changes: Any) -> ChildReport:
    """
    Run *argv* with a cookie of its own; *changes* replace the other defaults.
    """
    settings: dict[str, Any] = {
        "stdin": b"",
        "env": {"PATH": PATH},
        "cwd": Path("/"),
        "timeout_s": 30,
        "cap_bytes": 100_000,
        "cancel": threading.Event(),
        "cookie": f"test-{next(_numbers)}",
        "clock": SystemClock(),
    }
    return run_child(argv, **settings | changes)


def run_sh(script: str, **changes: Any) -> ChildReport:
    """
    Run a shell script through `run`.
    """
    return run("sh", "-c", script, **changes)


def unique_sleep() -> str:
    """
    Return a `sleep` of a minute whose argument no other process has.
    """
    return f"sleep 60.{time.monotonic_ns()}"


def is_running(command: str) -> bool:
    """
    Tell whether a process with exactly this command line is alive.
    """
    wanted = command.replace(" ", "\0").encode() + b"\0"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


def wait_until(is_true: Callable[[], bool]) -> None:
    """
    Wait for something that real processes bring about; give up after 20 s.
    """
    deadline_s = time.monotonic() + 20
    while not is_true():
        if time.monotonic() > deadline_s:
            raise TimeoutError("what the test waits for did not happen")
        time.sleep(0.005)
