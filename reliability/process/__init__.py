"""
The one door through which children are started, capped and stopped.

It promises: no shell; an environment of exactly what was given plus the cookie;
memory that stays flat whatever the child prints; an end at the deadline or at a
cancel (SIGTERM to the group, grace, SIGKILL); and nobody left behind: processes that
left the group, the session and even their environment are found and ended, since this
process adopts them (`family` tells how).

It does not promise a sandbox: a child runs with the rights it is given (`uid`, `gid`).

Trade-offs: this process becomes a subreaper at the first child, for good, so orphans of
a host program's own children come to it too and are left alone, dead or alive.
Children run under SCHED_BATCH, which yields to this process and marks their kin.
Where Linux's /proc or prctl is missing, less is found, silently.
"""

from __future__ import annotations

from reliability.process.capture import Capture
from reliability.process.child import GRACE_S, run_child
from reliability.process.family import COOKIE_NAME, stop_everything
from reliability.process.launch import ProgramError
from reliability.process.report import ChildReport, last_line

__all__ = [
    "COOKIE_NAME",
    "GRACE_S",
    "Capture",
    "ChildReport",
    "ProgramError",
    "last_line",
    "run_child",
    "stop_everything",
]
