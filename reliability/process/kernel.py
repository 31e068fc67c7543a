"""
Three things that only Linux offers, each with a plain answer where it does not.

Adopting orphans, telling kin by a scheduling policy that is handed down through fork
and exec, and the clock on which the kernel notes when a process started.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def become_subreaper() -> bool:
    """
    Ask Linux to make us the parent of our orphans; False where it will not.
    """
    if sys.platform != "linux":
        return False
    # Imported here: only what starts children pays its 10 ms.
    import ctypes

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def ticks_since_boot() -> int:
    """
    Return now on the kernel's clock for process starts, one tick early for rounding.

    Not from a `Clock`: it is only ever compared with what /proc says.
    """
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return int(now_s * os.sysconf("SC_CLK_TCK")) - 1


@contextmanager
def kin_mark() -> Iterator[None]:
    """
    Give what this thread starts inside the block the policy that marks kin.

    Scheduling policies belong to threads, so no other thread's children get it.
    """
    if not hasattr(os, "SCHED_BATCH") or not has_plain_policy():
        yield
        return
    plain = os.sched_param(0)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, plain)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, plain)


def has_plain_policy() -> bool:
    """
    Tell whether the calling thread runs under the normal policy, SCHED_OTHER.
    """
    return hasattr(os, "sched_getscheduler") and is_plain_policy(
        os.sched_getscheduler(0)
    )


def is_plain_policy(policy: int) -> bool:
    """
    Tell whether a policy of /proc/PID/stat is the normal one.
    """
    return policy == getattr(os, "SCHED_OTHER", 0)
