"""
The commits between two of them, and a checkout of each, apart from the user's tree.

Git is asked for names and hashes alone; a checkout is a clone that shares the user's
objects. Nothing is written to the repository, its index or its work tree, not even the
administration that `git worktree add` leaves.

Commit subjects are text of whoever wrote the commit: who shows them, escapes them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.checkout import Checkout, git_environment, make_checkout
from reliability.engine.workspace import remove_tree
from reliability.errors import MeasureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reliability.engine.tools import Tools

_GIT_TIMEOUT_S = 60.0
_SHORT = 12
_PLACE = ("--show-toplevel", "--show-prefix", "--git-path", "objects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """
    One commit.

    Args:
        sha: Its full hash.
        subject: The first line of its message; untrusted, perhaps empty.
    """

    sha: str
    subject: str = ""

    @property
    def short(self) -> str:
        """
        The beginning of its hash, enough for people and for the name of a folder.
        """
        return self.sha[:_SHORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """
    A row of commits, each the first parent of the next.

    Args:
        commits: From GOOD to BAD, both included.
        top: The work tree's top folder.
        prefix: Where the workspace is below *top*; empty at the top, else ends in `/`.
        objects: The repository's folder of objects.
    """

    commits: tuple[Commit, ...]
    top: Path
    prefix: str
    objects: Path

    def checkout(self, commit: Commit) -> Checkout:
        """
        Return where and what is checked out for one of the commits.
        """
        return Checkout(
            top=str(self.top),
            prefix=self.prefix,
            objects=self.objects,
            commit=commit.sha,
        )


def read_history(
    workspace: Path, good: str, bad: str, environ: Mapping[str, str]
) -> History:
    """
    Look up the commits from *good* to *bad*, along first parents.

    Args:
        workspace: In the work tree of the repository.
        good, bad: Names of commits, such as a tag, a branch or a hash.

    Raises:
        UsageError: when there is no repository or no such commit, or when *good* is not
            met on the way from *bad* along first parents.
        MeasureError: when git does not run.
    """
    place = os.fsdecode(_git(workspace, environ, "rev-parse", *_PLACE))
    top, prefix, objects = place.split("\n")[:3]
    first = _resolve(workspace, environ, good)
    last = _resolve(workspace, environ, bad)
    if first == last:
        raise UsageError(f"{good!r} and {bad!r} are the same commit, {first[:_SHORT]}.")
    ((begin, _),) = _listed(workspace, environ, "--max-count=1", first)
    rows = _listed(
        workspace, environ, "--first-parent", "--reverse", f"{first}..{last}"
    )
    if not rows or rows[0][1][:1] != [first]:
        raise UsageError(
            f"{good!r} is not met on the way back from {bad!r} along first parents.",
            remedy="Name an older commit of the same branch as GOOD; a shallow clone "
            "needs its history first (in a workflow, fetch-depth: 0).",
        )
    return History(
        commits=(begin, *(commit for commit, _ in rows)),
        top=Path(top),
        prefix=prefix,
        objects=workspace / objects,
    )


@contextmanager
def checkouts_folder(tools: Tools) -> Iterator[Path]:
    """
    Make a temporary folder for checkouts, and remove it at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix="reliability-checkout-"))
    try:
        yield folder
    finally:
        remove_tree(folder, tools)


@contextmanager
def checked_out(checkout: Checkout, folder: Path, tools: Tools) -> Iterator[Path]:
    """
    Check a commit out below *folder*, and remove it at the end.

    Every commit comes to the same path, so that no path tells which one it is. The
    work tree's top is handed out; what corresponds to the workspace is *prefix* below.

    Raises:
        AgentSetupError: when the workspace's own folder is not in the commit.
        ToolError: when git fails.
    """
    tree = folder / (Path(checkout.top).name or "repository")
    try:
        make_checkout(
            checkout,
            tree,
            folder / "gitconfig",
            tools.environ,
            lambda argv, env: tools.do(*argv, env=env),
        )
        yield tree
    finally:
        remove_tree(tree, tools)


def _resolve(workspace: Path, environ: Mapping[str, str], name: str) -> str:
    words = ("--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    try:
        return _git(workspace, environ, "rev-parse", *words).decode("ascii").strip()
    except UsageError:
        raise UsageError(
            f"There is no commit {name!r} in the repository at {str(workspace)!r}."
        ) from None


def _listed(
    workspace: Path, environ: Mapping[str, str], *words: str
) -> list[tuple[Commit, list[str]]]:
    """
    Return commits and the hashes of their parents.
    """
    options = ("--encoding=UTF-8", "--format=%P%x00%s")
    told_all = _git(workspace, environ, "rev-list", *options, *words)
    lines = told_all.decode("utf-8", "replace").split("\n")
    found = []
    # A line `commit HASH` comes before the one of the format.
    for head, told in zip(lines[::2], lines[1::2], strict=False):
        parents, _, subject = told.partition("\0")
        sha = head.removeprefix("commit ")
        found.append((Commit(sha=sha, subject=subject), parents.split()))
    return found


def _git(workspace: Path, environ: Mapping[str, str], *words: str) -> bytes:
    """
    Return what git says.

    Raises:
        UsageError: when it says no.
        MeasureError: when it does not run.
    """
    argv = ["git", "-c", "safe.directory=*", "-C", str(workspace), *words]
    try:
        done = subprocess.run(
            argv,
            env=git_environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MeasureError(
            f"Git, which tells the commits, does not run: {error}.",
            remedy="Install git, or mend that.",
        ) from None
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines() or ["nothing"]
        raise UsageError(
            f"Git knows no history at {str(workspace)!r} (it says: {said[-1]}).",
            remedy="Run in a work tree of the repository.",
        )
    return done.stdout
