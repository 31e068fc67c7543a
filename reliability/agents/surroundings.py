"""
What an agent's processes will find: as whom they run, where, what is closed to them.

Looked at before the first call, since every later trial would fail in the same way.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.checkout import find_checkout
from reliability.agents.environment import passed_files
from reliability.agents.git_tokens import token_files
from reliability.agents.user import (
    REMEDY,
    User,
    choose_user,
    reach,
    readable,
    require_reach,
)
from reliability.choices import Backend, Isolation
from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.settings import Settings

NOT_ISOLATED = (
    "isolation is none: the agent works in the workspace itself, what it changes there "
    "stays, and the next trial finds it."
)

MANY_FILES = 50_000
MANY_BYTES = 1024**3
"""A workspace of more than this is worth a warning before it is copied."""

_SHARED_REPOSITORY = (
    "The workspace's .git is a file that names a repository elsewhere, which all "
    "copies share: what the agent does with git happens there. With isolation: "
    "worktree each attempt has a repository of its own."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    What was found out.

    Args:
        user: Who the processes run as.
        fingerprint: What must agree before two runs are compared.
        warnings: Sentences for the user.
    """

    user: User
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def examine_surroundings(
    settings: Settings, *, workspace: Path, environ: Mapping[str, str]
) -> Surroundings:
    """
    Look at the user, the workspace and the place for rooms.

    Raises:
        AgentSetupError: when no attempt could work where it is to work.
        UsageError: when `run-as` names somebody whom we cannot become.
    """
    user = choose_user(settings.run_as)
    require_reach(user, [Path(tempfile.gettempdir())], "The folder for temporary files")
    warnings = [
        *_file_warnings(settings, user, workspace, environ),
        *_token_warnings(user, workspace, environ),
    ]
    fingerprint = {"user": _rights_of(user)}
    if settings.isolation is Isolation.NONE:
        require_reach(user, [workspace], "The workspace")
        return Surroundings(
            user=user,
            fingerprint=fingerprint,
            warnings=(NOT_ISOLATED, *warnings),
        )
    if not os.access(workspace, os.R_OK | os.X_OK):
        raise AgentSetupError(
            f"The workspace {str(workspace)!r} cannot be read, so it cannot be copied.",
            remedy="Give it to this user, or run in another folder.",
        )
    if settings.isolation is Isolation.COPY:
        _require_project(workspace, environ)
        warnings += _copy_warnings(workspace)
        return Surroundings(
            user=user, fingerprint=fingerprint, warnings=tuple(warnings)
        )
    checkout = find_checkout(workspace, environ)
    if (closed := reach(user, [checkout.objects])) is not None:
        warnings.append(
            f"User {user.name}, as whom the agent runs, cannot read the repository's "
            f"objects ({str(closed)!r} is closed): git will not work for the agent."
        )
    return Surroundings(
        user=user,
        fingerprint={**fingerprint, "commit": checkout.commit},
        warnings=tuple(warnings),
    )


def _rights_of(user: User) -> str:
    """
    Name whose rights an agent has; without root it is whoever runs it, by any name.
    """
    if user.uid is None and os.geteuid() != 0:
        return "ourselves"
    return user.name


def _file_warnings(
    settings: Settings, user: User, workspace: Path, environ: Mapping[str, str]
) -> list[str]:
    """
    Look whether the agent's user can read the files that its variables name.

    One that is not there for us either is not looked at: it may be a leftover.

    Raises:
        AgentSetupError: when our environment names one that is closed to that user.
    """
    if user.uid is None:
        return []
    is_claude = settings.backend is Backend.CLAUDE_CODE
    named = passed_files(environ, settings.pass_env, claude=is_claude)
    places = {name: workspace / path for name, path in named.items()}
    places = {name: path for name, path in places.items() if os.access(path, os.F_OK)}
    open_ones = set(readable(user, list(places.values())))
    closed = {name: path for name, path in places.items() if path not in open_ones}
    for name, path in closed.items():
        if name in environ:
            raise AgentSetupError(
                f"{name} names {str(path)!r}, which user {user.name}, as whom the "
                "agent runs, cannot read.",
                remedy="Let everybody read it and enter its folders, take the variable "
                f"away, or {REMEDY}.",
            )
    return [
        f"The credentials in {str(path)!r} are of no use to the agent: user "
        f"{user.name}, as whom it runs, cannot read them."
        for path in closed.values()
    ]


def _token_warnings(
    user: User, workspace: Path, environ: Mapping[str, str]
) -> list[str]:
    """
    Warn of the job's token where the agent can read it, outside of its own folder.
    """
    found = readable(user, token_files(workspace, environ))
    if not found:
        return []
    places = ", ".join(repr(str(path)) for path in found)
    text = f"The agent can read the repository's token in {places}: write "
    return [f"{text}persist-credentials: false in the step of actions/checkout."]


def _require_project(workspace: Path, environ: Mapping[str, str]) -> None:
    """
    Refuse to copy a folder that holds everything, for whoever forgot to change to one.

    Raises:
        AgentSetupError: for the root, a home and the folder for temporary files.
    """
    everything = {Path("/"), Path(tempfile.gettempdir()).resolve()}
    if home := environ.get("HOME"):
        everything.add(Path(home).resolve())
    if workspace in everything:
        raise AgentSetupError(
            f"The workspace is {str(workspace)!r}, and each attempt would work in a "
            "copy of all of it.",
            remedy="Run in the folder of a project, or choose isolation none.",
        )


def _copy_warnings(workspace: Path) -> tuple[str, ...]:
    """
    Warn where a copy of the folder is not a copy of its repository, or is a large one.
    """
    warnings = []
    if (workspace / ".git").is_file():
        warnings.append(_SHARED_REPOSITORY)
    files, size_bytes = _measure(workspace)
    if files > MANY_FILES or size_bytes > MANY_BYTES:
        more = "more than " if files > MANY_FILES else ""
        warnings.append(
            f"The workspace has {more}{files} files and {more}{size_bytes >> 20} MiB, "
            "of which each worker has a copy. With isolation: worktree it is the "
            "commit's files alone."
        )
    return tuple(warnings)


def _measure(workspace: Path) -> tuple[int, int]:
    """
    Return how many files a folder holds and their bytes, or a little beyond the most.
    """
    files = size_bytes = 0
    waiting = [str(workspace)]
    while waiting and files <= MANY_FILES and size_bytes <= MANY_BYTES:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    files += 1
                    size_bytes += entry.stat(follow_symlinks=False).st_size
    return files, size_bytes
