"""
Start a child, or say in the user's words why it cannot be started.

It promises an argv list and never a shell, a session of the child's own, no open file
of ours but the three pipes, and an error that tells a program that will never start
(`ProgramError`: missing, not executable, of another format) from a machine that is
full just now (`MeasureError`: processes, open files, memory).
"""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import AgentSetupError, MeasureError
from reliability.process.family import (
    COOKIE_NAME,
    Family,
    close_family,
    open_family,
)
from reliability.process.kernel import kin_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PIDS_MAX_FILES = ("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max")


class ProgramError(AgentSetupError):
    """
    A program is missing, not executable, of a wrong format, or its argv cannot be.
    """


def launch(
    argv: Sequence[str],
    *,
    has_stdin: bool,
    env: Mapping[str, str],
    cwd: Path,
    cookie: str,
    uid: int | None,
    gid: int | None,
) -> tuple[subprocess.Popen[bytes], Family]:
    """
    Start one child in a session of its own, with unbuffered pipes.

    Returns:
        The child and its open family, which the caller closes.

    Args:
        has_stdin: False gives it `/dev/null` to read.
        env: The whole environment, but for the cookie; its PATH finds the program.
        uid: User to run as; needs rights. None: as we do.
        gid: Group to run as; with either of them all other groups are dropped.

    Raises:
        ProgramError: when the program can never start.
        MeasureError: when a limit of the machine, or the folder, is in the way.
    """
    if not argv:
        raise ProgramError("The command to run is empty.", remedy="Name a program.")
    family = open_family(cookie)
    try:
        with kin_mark():
            popen = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE if has_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                close_fds=True,
                start_new_session=True,
                cwd=cwd,
                env={**env, COOKIE_NAME: cookie},
                user=uid,
                group=gid,
                extra_groups=None if uid is None and gid is None else [],
            )
    except BaseException as error:
        close_family(family)
        if isinstance(error, (OSError, ValueError)):
            raise _explained(error, argv[0], env, cwd) from error
        raise
    family.leader_pid = popen.pid
    return popen, family


def _explained(
    error: OSError | ValueError, program: str, env: Mapping[str, str], cwd: Path
) -> MeasureError:
    """
    Turn what the system said into what happened, where, and what to do.
    """
    if isinstance(error, ValueError):
        return ProgramError(
            f"Cannot start {program!r}: an argument or variable cannot be handed to"
            f" a program ({error}).",
            remedy="Arguments hold no NUL and no lone surrogates.",
        )
    if error.errno in {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}:
        return MeasureError(
            f"Cannot start {program!r}: {_describe_limit(error.errno)}.",
            remedy="Lower max-workers or raise the limit.",
        )
    if error.errno == errno.E2BIG:
        return MeasureError(
            f"Cannot start {program!r}: arguments and environment are too long.",
            remedy="Give long text on stdin or in a file.",
        )
    # subprocess names the folder for whatever fails before the exec.
    if error.filename != program:
        return MeasureError(
            f"Cannot start {program!r} in folder {str(cwd)!r}: {error.strerror}.",
            remedy="The folder must be there, and the user must be one we may become.",
        )
    return ProgramError(
        _describe_program(error, program, env, cwd),
        remedy="Install it, or correct its name.",
    )


def _describe_limit(number: int) -> str:
    """
    Name the limit of the machine that was met, with its value.
    """
    if number == errno.EMFILE:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"all {soft} open files of this process are in use (RLIMIT_NOFILE)"
    if number == errno.ENFILE:
        return "all open files of this machine are in use (fs.file-max)"
    if number == errno.ENOMEM:
        return "there is no memory left for another process (ENOMEM)"
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    most = "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
    return (
        "no more processes may be started"
        f" (EAGAIN: RLIMIT_NPROC {most}, pids.max {_read_pids_max()})"
    )


def _read_pids_max() -> str:
    """
    Read how many processes the control group allows, as containers limit them.
    """
    for name in _PIDS_MAX_FILES:
        try:
            return Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
    return "unknown"


def _describe_program(
    error: OSError, program: str, env: Mapping[str, str], cwd: Path
) -> str:
    """
    Say what is wrong with the program itself.
    """
    is_path = os.sep in program
    where = f"in {cwd}" if is_path else f"PATH is {env.get('PATH', os.defpath)!r}"
    if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
        reasons = {
            errno.EACCES: "it is not executable, or a folder above it is closed",
            errno.ENOEXEC: "it is neither a program of this machine's kind nor a"
            " script that begins with #!",
        }
        reason = reasons.get(error.errno or 0, error.strerror)
        return f"Cannot start {program!r} ({where}): {reason}."
    if is_path and (cwd / program).exists():
        return (
            f"Cannot start {program!r}: the file is there, but the interpreter in its"
            " first line, or its loader, is missing."
        )
    return f"Command not found: {program!r} ({where})."
