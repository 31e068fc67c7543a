"""
The user that an agent's processes run as.

As root we can become anybody, and an agent that stays root owns the machine: the job's
tokens in our environment, the runner's files, the engine's socket. So its processes
run as `nobody`, unless `run-as` says otherwise. Without root there is no choice.

What another user can reach is asked of the kernel: a shell of that user looks, since
rights are more than mode bits (lists, mounts, namespaces).
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import AgentSetupError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

UNPRIVILEGED = "nobody"
"""Who the processes run as when we are root and nothing is said."""

NOBODY_ID = 65534
"""Its number where no user of that name is known (Linux, `overflowuid`)."""

REMEDY = "write run-as: root, if the agent may have all the rights that we have"
_LOOK_TIMEOUT_S = 5.0
_HEAD_BYTES = 256  # What the kernel reads of a script's first line (BINPRM_BUF_SIZE).
_LOOK = 'for place; do test -x "$place" || { printf %s "$place"; exit 1; }; done'
_READ = 'for place; do if test -r "$place"; then printf 1; else printf 0; fi; done'


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """
    Who an agent's processes run as.

    Args:
        name: For messages.
        uid: None: as we are; then *gid* is None too.
    """

    name: str
    uid: int | None = None
    gid: int | None = None


def choose_user(run_as: str) -> User:
    """
    Return who the processes run as.

    Args:
        run_as: A name or a number; `root` keeps our rights, whatever they are; empty
            leaves the choice to us.

    Raises:
        UsageError: when there is no such user, or when we cannot become that one.
    """
    ourselves = User(name=_name_of(os.geteuid()))
    if os.geteuid() != 0:
        wanted = _find(run_as) if run_as not in {"", "root", "0"} else None
        if wanted is not None and wanted.uid != os.geteuid():
            raise UsageError(
                f"run-as is {run_as!r}, but only root can become another user, and "
                f"this is {ourselves.name}.",
                remedy="Leave run-as out.",
            )
        return ourselves
    found = _find(run_as or UNPRIVILEGED)
    return ourselves if found.uid == 0 else found


def reach(user: User, paths: Sequence[Path]) -> Path | None:
    """
    Return the first path, or folder above one, that *user* cannot execute or enter.

    Returns:
        None when all can be reached.

    Raises:
        AgentSetupError: when no process can be started as that user at all.
    """
    if user.uid is None:
        return None
    steps: dict[Path, None] = {}
    for path in paths:
        real = path.resolve()
        steps |= dict.fromkeys([*reversed(real.parents), real, path.absolute()])
    done = _look(user, _LOOK, list(steps))
    return Path(os.fsdecode(done.stdout)) if done.returncode else None


def readable(user: User, paths: Sequence[Path]) -> list[Path]:
    """
    Return those of *paths* that *user* can read, with all folders above them.

    Raises:
        AgentSetupError: when no process can be started as that user at all.
    """
    if user.uid is None:
        return [path for path in paths if os.access(path, os.R_OK)]
    answers = _look(user, _READ, paths).stdout if paths else b""
    pairs = zip(paths, answers.decode("ascii"), strict=False)
    return [path for path, answer in pairs if answer == "1"]


def _look(
    user: User, script: str, paths: Sequence[Path]
) -> subprocess.CompletedProcess[bytes]:
    """
    Let a shell of *user* look at *paths*.
    """
    try:
        return subprocess.run(
            ["/bin/sh", "-c", script, "sh", *map(str, paths)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env={},
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            timeout=_LOOK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise AgentSetupError(
            f"Cannot start a process as user {user.name}: {error}.",
            remedy=f"{REMEDY[0].upper()}{REMEDY[1:]}.",
        ) from None


def require_reach(user: User, paths: Sequence[Path], what: str) -> None:
    """
    Refuse to go on when *user* cannot reach all of *paths*.

    Args:
        what: What needs them, as the beginning of a sentence.

    Raises:
        AgentSetupError: naming the place that is closed.
    """
    closed = reach(user, paths)
    if closed is not None:
        raise AgentSetupError(
            f"{what} cannot be used by user {user.name}, as whom the agent runs: "
            f"{str(closed)!r} is closed to that user.",
            remedy=f"Open it to everybody, or {REMEDY}.",
        )


def parts_of_program(program: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """
    Yield what must be executable for a program to run: itself, its interpreter.
    """
    yield program
    try:
        with program.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return
    if not head.startswith(b"#!"):
        return
    words = os.fsdecode(head[2:].split(b"\n", 1)[0]).split(maxsplit=1)
    if not words:
        return
    yield Path(words[0])
    if Path(words[0]).name == "env" and len(words) > 1:
        asked = [word for word in _words(words[1]) if not word.startswith("-")]
        found = shutil.which(asked[0], path=environ.get("PATH", "")) if asked else None
        if found is not None:
            yield Path(found)


def _words(text: str) -> list[str]:
    try:
        return [word for word in shlex.split(text) if "=" not in word]
    except ValueError:
        return []


def _find(run_as: str) -> User:
    """
    Look a user up by name or number.
    """
    try:
        entry = pwd.getpwnam(run_as)
    except KeyError:
        if run_as == UNPRIVILEGED:
            return User(name=run_as, uid=NOBODY_ID, gid=NOBODY_ID)
        if not run_as.isdecimal() or not run_as.isascii() or int(run_as) >= 2**32 - 1:
            raise UsageError(
                f"run-as is {run_as!r}, but there is no user of that name here.",
                remedy="Give the name or the number of a user.",
            ) from None
        number = int(run_as)
        return User(name=_name_of(number), uid=number, gid=_group_of(number))
    return User(name=run_as, uid=entry.pw_uid, gid=entry.pw_gid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid
