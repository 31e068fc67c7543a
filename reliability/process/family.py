"""
A family: one child and everything that it starts, found and ended to the last.

How kin that left the group and the session is found. This process is a subreaper
(prctl(2), PR_SET_CHILD_SUBREAPER): whoever loses its parent becomes our child, so our
children hold every orphan. An orphan is of this family by its session or by the cookie
in its environment. One with neither (a cleaned environment, another user's process)
is ended as soon as no living family is older than it. That it is kin at all and not
the host program's own child tells a session that it did not open itself, a
cookie, or the scheduling policy SCHED_BATCH, which children get at their start and
hand down through fork and exec.

It never signals a process that is not our unreaped child, so no reused id is hit, and
never one of a family that still lives, nor a child of the host program.

Known limits: kin that cleans its environment, opens a session of its own *and* resets
its policy is taken for the host's. Without a subreaper (not Linux, a strict seccomp
filter) only holders of the cookie are found.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reliability.clock import Clock, SystemClock
from reliability.process.kernel import (
    become_subreaper,
    has_plain_policy,
    is_plain_policy,
    ticks_since_boot,
)
from reliability.process.procfs import (
    Process,
    all_pids,
    child_pids,
    read_process,
    read_variable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

COOKIE_NAME = "RELIABILITY_TRIAL_ID"

SWEEP_LIMIT_S = 2.5
# A sweep takes milliseconds; a process that resists longer (state D) is left, so that
# a cancelled run still ends within what a GitHub runner grants.

_PAUSES_S = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, *(0.05,) * 20)
# Waits for killed processes to vanish, from the first look that finds nobody new.


@dataclass(slots=True, eq=False, kw_only=True)
class Family:
    """
    One child, from just before its start until all of its kin is gone.

    Args:
        cookie: Value of `RELIABILITY_TRIAL_ID` in its environment.
        began_ticks: No kin of its started earlier; clock ticks since boot.
        leader_pid: The child itself; 0 until it is known.
        is_stopped: `stop_everything` has sent it a SIGKILL.
    """

    cookie: str
    began_ticks: int
    leader_pid: int = 0
    is_stopped: bool = False


@dataclass(slots=True, kw_only=True)
class _House:
    """
    What this process knows of all families.

    Args:
        lock: Guards the rest. A signal handler that calls `stop_everything` may find
            it held by its own thread, so it can be taken twice.
        is_subreaper: None until the first family asked for it.
        is_mark_telling: Whether SCHED_BATCH tells kin from the host's children: it
            does unless the host itself runs under it.
        cookies: Of past families; kept only where orphans are not adopted.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    living: set[Family] = field(default_factory=set)
    cookies: set[str] = field(default_factory=set)
    is_subreaper: bool | None = None
    is_mark_telling: bool = False


_house = _House()


def _move_out() -> None:
    """
    Start anew after a fork: neither families nor the subreaper's office go with it.
    """
    _house.lock = threading.RLock()
    _house.living.clear()
    _house.cookies.clear()
    _house.is_subreaper = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_move_out)


def open_family(cookie: str) -> Family:
    """
    Announce a child before it starts, so that no sweep takes it for an orphan.
    """
    family = Family(cookie=cookie, began_ticks=ticks_since_boot())
    with _house.lock:
        if _house.is_subreaper is None:
            _house.is_subreaper = become_subreaper()
            _house.is_mark_telling = has_plain_policy()
        if not _house.is_subreaper:
            _house.cookies.add(cookie)
        _house.living.add(family)
    return family


def close_family(family: Family) -> None:
    """
    Forget a family and reap its leader, in one step for all other sweeps.

    A leader that cannot be reaped yet is an orphan like others from here on.
    """
    with _house.lock:
        _house.living.discard(family)
        if family.leader_pid:
            with suppress(ChildProcessError):
                os.waitpid(family.leader_pid, os.WNOHANG)


def sweep(family: Family, clock: Clock) -> int:
    """
    End and reap everything that outlived the family's leader.

    The leader must be dead and not reaped: so its group's number cannot be another's.

    Returns:
        How many processes were killed.
    """
    return _sweep(family, clock)


def stop_everything() -> int:
    """
    Kill whatever children of this process, and their kin, are still there.

    The last sweep of a run. A `run_child` still going on in another thread loses its
    child at once and reports it as cancelled.

    Returns:
        How many processes were killed.
    """
    with _house.lock:
        leaders = [living for living in _house.living if living.leader_pid]
        for family in leaders:
            # Told first: its thread may see the end before it sees a cancel.
            family.is_stopped = True
            _signal_group(family.leader_pid)
    return len(leaders) + _sweep(None, SystemClock())


def _sweep(family: Family | None, clock: Clock) -> int:
    """
    Look, kill and reap until nobody is found; None sweeps for all families.
    """
    deadline_s = clock.monotonic_s() + SWEEP_LIMIT_S
    seen: set[int] = set()
    killed = stale_looks = looks = 0
    while clock.monotonic_s() < deadline_s and stale_looks < len(_PAUSES_S):
        with _house.lock:
            kin = list(_find_kin(family))
            fresh = [process for process in kin if process.pid not in seen]
            # Who is dead at the first look ended by itself; later ones we killed.
            killed += sum(process.state != "Z" or looks > 0 for process in fresh)
            if not looks and family and family.leader_pid:
                _signal_group(family.leader_pid)
            for process in kin:
                _kill_and_reap(process.pid)
        if not kin:
            break
        looks += 1
        seen.update(process.pid for process in fresh)
        stale_looks = 0 if fresh else stale_looks + 1
        time.sleep(_PAUSES_S[min(stale_looks, len(_PAUSES_S) - 1)])
    return killed


def _find_kin(family: Family | None) -> Iterator[Process]:
    """
    Yield the processes that the sweep of *family* (None: of all) has to end.
    """
    leader_pids = {living.leader_pid for living in _house.living}
    others = [
        living
        for living in _house.living
        if living is not family and (family or not living.leader_pid)
    ]
    if _house.is_subreaper:
        for pid in child_pids(every_thread=family is None):
            process = None if pid in leader_pids else read_process(pid)
            if process and _is_kin(process, family, others):
                yield process
    else:
        cookies = {family.cookie} if family else _house.cookies
        yield from _find_holders(cookies, leader_pids)


def _find_holders(
    cookies: Collection[str], leader_pids: Collection[int]
) -> Iterator[Process]:
    """
    Yield every process of the machine that carries one of the cookies.
    """
    for pid in all_pids():
        if pid not in leader_pids and read_variable(pid, COOKIE_NAME) in cookies:
            process = read_process(pid)
            if process and process.state != "Z":
                yield process


def _is_kin(
    process: Process, family: Family | None, others: Collection[Family]
) -> bool:
    """
    Tell whether an unknown child of ours is an orphan that this sweep has to end.
    """
    if process.session == os.getsid(0):
        return False  # All kin left our session for good: this is the host's.
    if family and process.session == family.leader_pid:
        return True
    cookie = read_variable(process.pid, COOKIE_NAME)
    if family and cookie == family.cookie:
        return True
    is_ours = (
        process.session != process.pid
        or cookie not in {None, os.environ.get(COOKIE_NAME)}
        or (_house.is_mark_telling and not is_plain_policy(process.policy))
    )
    return is_ours and all(process.start_ticks < other.began_ticks for other in others)


def _kill_and_reap(pid: int) -> None:
    """
    Send SIGKILL; reap what is dead already, the rest at the next look.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _signal_group(leader_pid: int) -> None:
    """
    Send SIGKILL to a group whose leader is not reaped.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader_pid, signal.SIGKILL)
