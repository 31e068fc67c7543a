"""
A checkout of the commit at hand, apart from the user's repository.

It is a clone that shares the user's objects and writes nothing there: `git worktree
add` would leave its administration in the user's `.git`. The clone has no remote, so
that no push finds its way back.

As root we meet repositories of others, which git refuses (CVE-2022-24765). For these
calls alone every folder is allowed, in a configuration of our own: `git clone` drops
what the environment says (`GIT_CONFIG_COUNT`) before it reads from the other
repository. A person's own configuration, with its hooks and filters, is not read.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_GIT_TIMEOUT_S = 20.0
_CONFIG = "[safe]\n\tdirectory = *\n[advice]\n\tdetachedHead = false\n"
_INSTEAD = "choose isolation: copy"
_ANSWERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """
    The commit that a workspace is at.

    Args:
        top: Top folder of the repository's work tree.
        prefix: Where the workspace is below *top*; empty at the top, else ends in `/`.
        objects: Folder of the repository's objects, which a checkout shares.
        commit: Its full hash.
    """

    top: str
    prefix: str
    objects: Path
    commit: str


def find_checkout(
    workspace: Path, environ: Mapping[str, str], *, ref: str = ""
) -> Checkout:
    """
    Look up a commit of the repository that *workspace* is in; nothing is written.

    Args:
        ref: A name of the commit; empty for HEAD.

    Raises:
        AgentSetupError: when git is not there, or no repository, or no commit.
    """
    # Git believes its own command line in this; nothing is cloned here.
    argv = ["git", "-c", "safe.directory=*", "-C", str(workspace), "rev-parse"]
    argv += ["--show-toplevel", "--show-prefix", "--git-path", "objects"]
    argv += ["--verify", "--end-of-options", f"{ref or 'HEAD'}^{{commit}}"]
    try:
        done = subprocess.run(
            argv,
            env=git_environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        text = "isolation is worktree, which needs git, and git is not on PATH."
        raise AgentSetupError(
            f"The {text}", remedy=f"Install git, or {_INSTEAD}."
        ) from None
    except (OSError, subprocess.SubprocessError) as error:
        raise AgentSetupError(
            f"The isolation is worktree, and git does not run: {error}.",
            remedy=f"Mend it, or {_INSTEAD}.",
        ) from None
    lines = os.fsdecode(done.stdout).splitlines()
    if done.returncode or len(lines) != _ANSWERS:
        said = os.fsdecode(done.stderr).strip().splitlines() or ["no commit"]
        raise AgentSetupError(
            "The isolation is worktree, which needs a repository with a commit, and "
            f"there is none at {str(workspace)!r} (git: {said[-1]}).",
            remedy=f"Check one out, or {_INSTEAD}.",
        )
    top, prefix, objects, commit = lines
    return Checkout(top=top, prefix=prefix, objects=workspace / objects, commit=commit)


def make_checkout(
    checkout: Checkout,
    target: Path,
    config: Path,
    environ: Mapping[str, str],
    run: Callable[[Sequence[str], Mapping[str, str]], None],
) -> None:
    """
    Make *target* a work tree of the commit, with a `.git` of its own.

    Args:
        config: Where our configuration may be written, for these calls.
        run: Runs a program with an environment; raises when it fails.

    Raises:
        AgentSetupError: when the workspace's own folder is not in the commit.
    """
    config.write_text(_CONFIG, encoding="ascii")
    env = {**git_environment(environ), "GIT_CONFIG_GLOBAL": str(config)}
    git = ["git", "-C", str(target)]
    clone = ["clone", "--quiet", "--shared", "--no-checkout", "--", checkout.top]
    run(["git", *clone, str(target)], env)
    run([*git, "checkout", "--quiet", "--detach", checkout.commit], env)
    run([*git, "remote", "remove", "origin"], env)
    if not (target / checkout.prefix).is_dir():
        raise AgentSetupError(
            f"The folder {checkout.prefix!r} is not in commit {checkout.commit}.",
            remedy=f"Commit it, or {_INSTEAD}.",
        )


def git_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """
    Return an environment in which git asks nobody and reads no person's settings.
    """
    return {
        "PATH": environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
