"""
A fresh server for one run, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .machine import cpu_s_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scenario import Scenario

ROOT = Path(__file__).parents[2]
LEAN = Path(__file__).with_name("lean_server.py")


@dataclass(slots=True, kw_only=True)
class Served:
    """
    A server that runs, and after its end what it counted.

    Args:
        pid: Of its process; 0: there is none.
        stats: As the simulator names its counters.
    """

    base_url: str = ""
    pid: int = 0
    stats: dict[str, Any] = field(default_factory=dict)

    def cpu_so_far_s(self) -> float:
        """
        Return the CPU seconds that it has taken while it runs.
        """
        return cpu_s_of(self.pid) if self.pid else 0.0


@contextmanager
def serving(scenario: Scenario, *, seed: int, python: Path) -> Iterator[Served]:
    """
    Serve a scenario; the counters are there when the block is left.

    Args:
        python: The interpreter of the lean server; it may have uvloop.
    """
    if not scenario.server:
        yield Served()
        return
    child = subprocess.Popen(
        _argv(scenario, seed, python),
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    try:
        line = child.stdout.readline()
        url = line[line.index("http") :].split()[0]
        served = Served(base_url=url, pid=child.pid)
        yield served
        served.stats = _stats(url.removeprefix("http://"))
    finally:
        child.terminate()
        child.communicate()


def _stats(address: str) -> dict[str, Any]:
    """
    Ask a server what it counted.
    """
    connection = HTTPConnection(address, timeout=30)
    connection.request("GET", "/")
    stats: dict[str, Any] = json.load(connection.getresponse())["stats"]
    connection.close()
    return stats


def _argv(scenario: Scenario, seed: int, python: Path) -> list[str]:
    """
    Return the command line of the scenario's server.
    """
    profile = scenario.profile_text(seed)
    if scenario.server == "full":
        command = [sys.executable, "-m", "reliability", "simulate", profile]
        return [*command, "--port", "0"]
    argv = [str(python if python.exists() else sys.executable), str(LEAN), profile]
    if scenario.closed_s:
        argv += ["--close-after", str(scenario.calls // 2)]
        argv += ["--closed-s", f"{scenario.closed_s:g}"]
    return argv
