"""
The machine: what it is, and who used its cores.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Below this a tick of 10 ms is too coarse to tell anything.
MIN_WALL_S = 1.0


def busy_s() -> float:
    """
    Return the CPU seconds of all cores that were not idle since the machine started.

    Time that a hypervisor gave to others counts as busy: it is not ours either.
    """
    line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(
        int, line.split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / _TICKS_A_SECOND


def cpu_s_of(pid: int) -> float:
    """
    Return the CPU seconds that a living process has taken.
    """
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS_A_SECOND


def foreign_share(busy: float, own: float, wall: float) -> float | None:
    """
    Return the share of all cores that others took, from 0 to 1; None: too short.

    Args:
        busy: CPU seconds of all processes together.
        own: CPU seconds of the measured processes and their server.
        wall: Seconds that were measured.
    """
    if wall < MIN_WALL_S:
        return None
    return max(0.0, busy - own) / (wall * (os.cpu_count() or 1))


def describe() -> str:
    """
    Return the machine in a line.
    """
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}"
    )
