"""
How many workers a parallel run gets when the user does not say.

The least of: the loops; what the backend bears; what memory allows. A Claude Code
process takes about 200 MB, and its start costs a core for half a second, so more than a
few for each core only stand in each other's way; a Messages API call takes next to
nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reliability.choices import Backend

if TYPE_CHECKING:
    from reliability.settings import Settings
    from reliability.suite import Suite

CLAUDE_PROCESS_BYTES = 300 * 1024 * 1024
_CALLS_AT_ONCE = 50
_CLAUDE_PER_CORE = 8


def choose_workers(
    settings: Settings, suite: Suite, *, cores: int, memory_bytes: int
) -> int:
    """
    Return how many attempts may be in flight; 1 unless the run is parallel.

    Args:
        memory_bytes: What is available now.
    """
    if not settings.parallel:
        return 1
    wanted = settings.max_workers
    if wanted is None:
        backends = {case.settings.backend for case in suite.cases}
        wanted = min(_bearable(one, cores, memory_bytes) for one in backends)
    return max(1, min(wanted, suite.trials))


def _bearable(backend: Backend, cores: int, memory_bytes: int) -> int:
    match backend:
        case Backend.MESSAGES | Backend.SIMULATED | Backend.FUNCTION:
            return _CALLS_AT_ONCE
        case Backend.COMMAND:
            return cores
        case Backend.CLAUDE_CODE:
            by_memory = memory_bytes // CLAUDE_PROCESS_BYTES
            return min(_CLAUDE_PER_CORE * cores, max(1, by_memory))


def available_cores() -> int:
    """
    Return the cores that this process may use.
    """
    return len(os.sched_getaffinity(0))


def available_memory_bytes() -> int:
    """
    Return memory that can be taken without swapping, the container's limit included.
    """
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123 - not a path
            fields = dict(line.split(":", 1) for line in file)
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:  # noqa: PTH123
            free = min(free, int(file.read()))
    except (OSError, ValueError):
        pass
    return free
