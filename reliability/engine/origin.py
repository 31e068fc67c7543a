r"""
The tree from which each attempt's folder is copied: made once in a run.

It is the workspace as it was when the first attempt began, or a checkout of its commit,
so all trials find the same, whatever happens to the workspace meanwhile; and what an
agent left behind is compared with it. It belongs to the agent's user already, so that
copies need no second pass, in a folder that this user cannot enter.

What a copy lacks: the run's own output folder (earlier logs hold answers); FIFOs,
sockets and devices; in `.git/config`, the token that `actions/checkout` leaves there
and all includes, by which its newer versions lead to one. A link whose target is an
absolute path in the workspace leads to the same place of the copy.

Hard links to the user's files would be quicker and are not safe: an agent that edits a
file in place would edit the user's. Where the file system has reflinks, `cp` uses them.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.checkout import find_checkout, make_checkout
from reliability.agents.git_tokens import CONFIG_NAMES, drop_tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reliability.agents.user import User
    from reliability.engine.tools import Tools

_ARGUMENTS = 500  # At most 255 bytes each: far below what one call may have.


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    A tree to copy.

    Args:
        tree: Its top folder.
        prefix: The agent's working folder below the top; empty for the top itself.
    """

    tree: Path
    prefix: str = ""


def copy_workspace(
    workspace: Path, tree: Path, *, without: Collection[Path], user: User, tools: Tools
) -> Origin:
    """
    Copy *workspace* to *tree*, which must not be there yet.

    Args:
        without: Paths to leave out, wherever they lie below it.

    Raises:
        ToolError: when something in it cannot be copied.
    """
    left_out = {path for path in without if path.is_relative_to(workspace)}
    left_out |= set(_special_files(workspace))
    opened = {
        parent
        for path in left_out
        for parent in path.parents
        if parent.is_relative_to(workspace)
    }
    if opened:
        _copy_opened(workspace, tree, opened, left_out | opened, tools)
    else:
        copy_tree(workspace, tree, tools)
    _make_harmless(tree, workspace)
    _hand_over(tree, user, tools)
    return Origin(tree=tree)


def copy_tree(source: Path, target: Path, tools: Tools) -> None:
    """
    Copy a folder with owners, modes, times and links; *target* is made.

    Raises:
        ToolError: when something in it cannot be copied.
    """
    tools.do("cp", "-a", "--reflink=auto", "-T", "--", str(source), str(target))


def check_out(
    workspace: Path,
    tree: Path,
    *,
    ref: str = "",
    without: Collection[Path] = (),
    user: User,
    tools: Tools,
) -> Origin:
    """
    Make *tree* a checkout of the commit that *workspace* is at.

    Args:
        ref: Another commit of that repository; empty for the one at hand.
        without: Paths below *workspace* whose like the checkout shall not have; its
            history still does.

    Raises:
        AgentSetupError: when there is no such commit, or not this folder in it.
        ToolError: when git fails.
    """
    checkout = find_checkout(workspace, tools.environ, ref=ref)
    make_checkout(
        checkout,
        tree,
        tree.with_name("gitconfig"),
        tools.environ,
        lambda argv, env: tools.do(*argv, env=env),
    )
    for path in without:
        if path.is_relative_to(checkout.top):
            remove_path(tree / path.relative_to(checkout.top))
    _hand_over(tree, user, tools)
    return Origin(tree=tree, prefix=checkout.prefix)


def remove_path(path: Path) -> None:
    """
    Remove a file, a link, or a folder with all that is in it; none is fine too.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy_opened(
    workspace: Path,
    tree: Path,
    opened: Collection[Path],
    passed_over: Collection[Path],
    tools: Tools,
) -> None:
    """
    Copy what lies in each of the *opened* folders, but not what is *passed_over*.
    """
    for folder in sorted(opened):
        target = tree / folder.relative_to(workspace)
        target.mkdir()
        names = [
            os.fsdecode(entry.path)
            for entry in os.scandir(folder)
            if Path(entry.path) not in passed_over
        ]
        for first in range(0, len(names), _ARGUMENTS):
            some = names[first : first + _ARGUMENTS]
            tools.do("cp", "-a", "--reflink=auto", "-t", str(target), "--", *some)
    for folder in sorted(opened, reverse=True):
        target, status = tree / folder.relative_to(workspace), folder.stat()
        with suppress(PermissionError):
            os.chown(target, status.st_uid, status.st_gid)
        shutil.copystat(folder, target)


def _walk(top: Path) -> Iterator[os.DirEntry[str]]:
    """
    Yield every entry below a folder of ours or the user's; links are not followed.
    """
    waiting = [str(top)]
    while waiting:
        with suppress(PermissionError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _special_files(workspace: Path) -> Iterator[Path]:
    for entry in _walk(workspace):
        if not (
            entry.is_file(follow_symlinks=False)
            or entry.is_dir(follow_symlinks=False)
            or entry.is_symlink()
        ):
            yield Path(entry.path)


def _make_harmless(tree: Path, workspace: Path) -> None:
    """
    Turn links into the workspace to the copy, and take tokens out of git's files.
    """
    for entry in _walk(tree):
        path = Path(entry.path)
        if entry.is_symlink():
            _turn_link(path, tree, workspace)
        elif entry.name in CONFIG_NAMES and ".git" in path.relative_to(tree).parts:
            _drop_tokens(path)


def _turn_link(link: Path, tree: Path, workspace: Path) -> None:
    target = Path(os.readlink(link))  # noqa: PTH115 - a link may be longer than a path
    if not target.is_absolute():
        return
    normal = Path(os.path.normpath(target))
    if normal.is_relative_to(workspace):
        new = os.path.relpath(tree / normal.relative_to(workspace), link.parent)
        link.unlink()
        link.symlink_to(new)


def _drop_tokens(config: Path) -> None:
    if not config.is_file():
        return
    text = config.read_bytes()
    clean = drop_tokens(text)
    if clean != text:
        mode = config.stat().st_mode
        config.unlink()  # It may be read-only.
        config.write_bytes(clean)
        config.chmod(mode & 0o7777)


def _hand_over(tree: Path, user: User, tools: Tools) -> None:
    if user.uid is not None:
        tools.do("chown", "-R", "-h", "--", f"{user.uid}:{user.gid}", str(tree))
