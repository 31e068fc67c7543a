"""
Run one child from start to sweep, in the calling thread.

One loop moves its pipes, watches the clock and the cancel, and sees its end; no thread
is started and nothing blocks, but `on_stdout_line`, which runs inside it. The loop
sleeps in poll(2) until a pipe or the child's pidfd stirs, at most `TICK_S`.

An end has one order: SIGTERM to the group, grace (the pipes go on being read), SIGKILL
to the group, sweep of everything left, last bytes out of the pipes, reap. A child that
ends by itself skips to the sweep, after at most `PIPE_END_LIMIT_S` for
processes that still hold its pipes.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, Self

from reliability.process.family import Family, close_family, sweep
from reliability.process.launch import launch
from reliability.process.pipes import Pipes
from reliability.process.report import ChildReport

if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reliability.clock import Clock

GRACE_S = 2.5
# Between SIGTERM and SIGKILL: a CLI that ends its own tools needs up to 1.6 s, and the
# GitHub runner leaves 7.5 s after SIGINT for this and for everything after it.

TICK_S = 0.05  # How late a cancel may be noticed: an Event cannot be polled with pipes.

PIPE_END_LIMIT_S = 1.0
# What outlives a child with its pipe in hand may be the end of a pipeline, such as
# `tee`, and gets this long to finish; a daemon never would.

REAP_LIMIT_S = 1.0  # SIGKILL works at once, or (state D) for none of our waiting.

_LAST_READS = 32  # Empty the largest pipe an ordinary user can make (1 MiB) twice.

_Ending = Literal["itself", "deadline", "cancel"]


def run_child(
    argv: Sequence[str],
    *,
    stdin: bytes,
    env: Mapping[str, str],
    cwd: Path,
    timeout_s: float,
    cap_bytes: int,
    cancel: threading.Event,
    cookie: str,
    clock: Clock,
    on_stdout_line: Callable[[bytes], None] | None = None,
    on_started: Callable[[], None] | None = None,
    grace_s: float = GRACE_S,
    uid: int | None = None,
    gid: int | None = None,
) -> ChildReport:
    r"""
    Run a program to its end, ours or its own, and leave nothing of it behind.

    Args:
        argv: Never a shell's text; a bare name is looked up in the PATH of *env*.
        stdin: What it reads, then end of file; it may leave it unread.
        env: Its whole environment, but for the cookie.
        cap_bytes: How much of each output can be shown later; memory stays near it.
        cancel: Ends the child when set.
        cookie: Its `RELIABILITY_TRIAL_ID`, by which orphans are found; unique
            among calls that go on at the same time.
        on_stdout_line: Gets each complete line without its `\n`, up to
            `LINE_CAP_BYTES` (longer ones are counted in the report). Must be quick.
            What it raises ends the child and goes on from here.
        on_started: Called once the program runs; may raise likewise.
        grace_s: Seconds between SIGTERM and SIGKILL.
        uid: User to run it as; None: as we do.
        gid: Group to run it as; with either, all other groups are dropped.

    Raises:
        ProgramError: when the program is missing or cannot be executed.
        MeasureError: when a limit of the machine, or the folder, is in the way.
    """
    began_mono_s = clock.monotonic_s()
    popen, family = launch(
        argv, has_stdin=bool(stdin), env=env, cwd=cwd, cookie=cookie, uid=uid, gid=gid
    )
    pipes = Pipes(
        popen, stdin=stdin, cap_bytes=cap_bytes, on_stdout_line=on_stdout_line
    )
    with _Child(popen, family, pipes, clock) as child:
        ending = child.live(on_started, began_mono_s + timeout_s, cancel, grace_s)
        return child.report(ending, began_mono_s)


class _Child:
    """
    A running child; left as a context manager it is gone, with all its kin.
    """

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        family: Family,
        pipes: Pipes,
        clock: Clock,
    ) -> None:
        self._popen = popen
        self._family = family
        self._pipes = pipes
        self._clock = clock
        self._has_pidfd = False
        self._has_exited = False
        self._exit_code: int | None = None
        self._ended_mono_s = clock.monotonic_s()
        self._swept: int | None = None

    def __enter__(self) -> Self:
        # Without a pidfd (old kernel, no file left) each tick looks for the end.
        with suppress(OSError, AttributeError):
            self._pipes.add_waker(os.pidfd_open(self._popen.pid), self._see_exit)
            self._has_pidfd = True
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._finish()
        finally:
            self._pipes.close()

    def live(
        self,
        on_started: Callable[[], None] | None,
        deadline_mono_s: float,
        cancel: threading.Event,
        grace_s: float,
    ) -> _Ending:
        """
        Serve it until it ends or has to; an exception on the way ends it too.
        """
        try:
            if on_started:
                on_started()
            ending = self._serve(deadline_mono_s, cancel)
            if ending == "itself":
                self._step_until(lambda: not self._pipes.are_open, PIPE_END_LIMIT_S)
            else:
                self._stop(grace_s)
        except BaseException:
            self._pipes.silence()
            self._stop(grace_s)
            raise
        return ending

    def report(self, ending: _Ending, began_mono_s: float) -> ChildReport:
        """
        Sweep what it left behind and tell how it was.
        """
        swept = self._finish()
        lines = self._pipes.lines
        is_stopped = self._family.is_stopped and self._exit_code == -signal.SIGKILL
        return ChildReport(
            pid=self._popen.pid,
            exit_code=self._exit_code,
            stdout=self._pipes.stdout.capture(),
            stderr=self._pipes.stderr.capture(),
            duration_s=self._ended_mono_s - began_mono_s,
            timed_out=ending == "deadline",
            cancelled=ending == "cancel" or (ending == "itself" and is_stopped),
            swept=swept,
            dropped_lines=lines.dropped_lines if lines else 0,
        )

    def _serve(self, deadline_mono_s: float, cancel: threading.Event) -> _Ending:
        """
        Move its pipes until it ends, or until it has to.
        """
        while not self._has_exited:
            if cancel.is_set():
                return "cancel"
            left_s = deadline_mono_s - self._clock.monotonic_s()
            if left_s <= 0:
                return "deadline"
            self._step(min(left_s, TICK_S))
        return "itself"

    def _stop(self, grace_s: float) -> None:
        """
        End the group: SIGTERM, grace, SIGKILL. The pipes go on being read.
        """
        for number, limit_s in (
            (signal.SIGTERM, grace_s),
            (signal.SIGKILL, REAP_LIMIT_S),
        ):
            if not self._has_exited:
                self._signal_group(number)
                self._step_until(lambda: self._has_exited, limit_s)

    def _step_until(self, is_done: Callable[[], bool], limit_s: float) -> None:
        """
        Move its pipes until *is_done*, for at most *limit_s* seconds.
        """
        deadline_mono_s = self._clock.monotonic_s() + limit_s
        while not is_done():
            left_s = deadline_mono_s - self._clock.monotonic_s()
            if left_s <= 0:
                return
            self._step(min(left_s, TICK_S))

    def _step(self, wait_s: float) -> bool:
        """
        Wait until a pipe or the child stirs; False when neither did.
        """
        has_stirred = self._pipes.step(wait_s)
        if not self._has_pidfd:
            self._see_exit()
        return has_stirred

    def _finish(self) -> int:
        """
        Kill what is left, sweep, read what the pipes still hold, reap; only once.

        Returns:
            How many processes outlived the child and were killed.
        """
        if self._swept is not None:
            return self._swept
        self._swept = 0
        try:
            if not self._has_exited:
                self._signal_group(signal.SIGKILL)
            self._swept = sweep(self._family, self._clock)
            # Bounded, since whoever resisted the sweep may still be writing.
            for _ in range(_LAST_READS):
                if not self._pipes.are_open or not self._step(0):
                    break
        finally:
            self._see_exit()
            close_family(self._family)
            # Reaped behind its back; None would make it warn and try again.
            self._popen.returncode = self._exit_code or 0
        return self._swept

    def _signal_group(self, number: int) -> None:
        """
        Signal the group of the child, which is not reaped yet.
        """
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    def _see_exit(self) -> None:
        """
        Note the child's end without reaping it: its id must stay its own.
        """
        if self._has_exited:
            return
        try:
            end = os.waitid(
                os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
            )
        except ChildProcessError:
            self._has_exited = True  # Somebody else reaped it: its code is lost.
        else:
            if end is None:
                return
            self._has_exited = True
            is_exit = end.si_code == os.CLD_EXITED
            self._exit_code = end.si_status if is_exit else -end.si_status
        self._ended_mono_s = self._clock.monotonic_s()
