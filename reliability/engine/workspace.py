"""
A room for each attempt: a folder to work in, HOME, TMPDIR, and nothing of another's.

What one attempt leaves there cannot help the next to pass, and the user's workspace
stays as it was, since the agent works in a copy. Rooms are outside the workspace and
are gone when the attempt has been read, also when it took its own right to write there.

The copy itself is used again: when an attempt has ended, what it touched is undone,
and only where that is not possible for sure the next one gets a fresh copy.

Rooms are named by the lowest number that is free: trials that follow each other all
work in the same place. Claude Code writes the path into its prompt, so with a path of
its own each trial would pay for a prompt that no cache has seen.

As root, the room itself belongs to us, only the folders in it to the agent's user, and
it is closed while we copy, look or remove: a process of that user in another room
cannot put a link where we are about to write. It is no fence between rooms that are
open at the same time: their processes are of one user.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents import Room
from reliability.choices import Isolation
from reliability.engine.origin import Origin, check_out, copy_tree, copy_workspace
from reliability.engine.stay import CLOSED, PASSABLE, Stay
from reliability.engine.tools import ToolError, ToolTimeoutError
from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reliability.agents.user import User
    from reliability.engine.tools import Tools

_POLL_S = 0.2
_REMOVE_S = 120.0
_REMOVE_AFTER_CANCEL_S = 2.0
# A cancelled run has little time, and a container takes its temporary files with it.


class Rooms:
    """
    The rooms of one run, below one temporary folder; made when first asked for.

    Args:
        output_dir: The run's own output, which no copy has.
        hidden: Other files and folders that no copy has.
        ref: The commit of a worktree; empty for the one at hand.
    """

    def __init__(
        self,
        *,
        workspace: Path,
        isolation: Isolation,
        user: User,
        tools: Tools,
        output_dir: Path,
        hidden: Collection[Path] = (),
        ref: str = "",
    ) -> None:
        self._workspace = workspace
        self._isolation = isolation
        self._user = user
        self._tools = tools
        self._left_out = (output_dir, *hidden)
        self._ref = ref
        self._lock = threading.Lock()
        self._origin_lock = threading.Lock()
        self._base: Path | None = None
        self._is_closed = False
        self._origin: Origin | None = None
        self._has_failed = False
        self._taken: set[int] = set()
        self._spares: list[Path] = []
        self._spare_numbers = itertools.count(1)

    @contextmanager
    def open_room(self) -> Iterator[Stay]:
        """
        Make a room, with a fresh copy in it, and remove it at the end.

        Raises:
            AgentSetupError: when no room can ever be made.
            ToolError: when this one cannot.
        """
        origin = self._find_origin()
        number = self._take_number()
        home = self._base_folder() / str(number)
        try:
            tree = home / "work" / (self._workspace.name or "workspace")
            home.mkdir(mode=CLOSED)
            workspace = self._workspace
            if origin is not None:
                self._furnish(tree, origin)
                workspace = tree / origin.prefix
            room = Room(
                home=home, workspace=workspace, uid=self._user.uid, gid=self._user.gid
            )
            stay = Stay(room, tree, origin, self._tools)
            yield stay
            with suppress(OSError):
                self._keep(stay, tree)
        finally:
            with suppress(OSError):
                home.chmod(CLOSED)
            self._remove(home)
            with self._lock:
                self._taken.discard(number)

    def _furnish(self, tree: Path, origin: Origin) -> None:
        """
        Make *tree* a copy of the origin: one that was used and tidied, or a fresh one.
        """
        with self._lock:
            spare = self._spares.pop() if self._spares else None
        if spare is not None:
            spare.rename(tree.parent)
            return
        tree.parent.mkdir(mode=0o755)
        copy_tree(origin.tree, tree, self._tools)

    def _keep(self, stay: Stay, tree: Path) -> None:
        """
        Take the copy out of the room and tidy it, for an attempt to come.
        """
        if stay.origin is None:
            return
        folder = stay.origin.tree.parent
        spare = folder / f"spare-{next(self._spare_numbers)}"
        tree.parent.rename(spare)
        if stay.tidy(spare / tree.name):
            with self._lock:
                self._spares.append(spare)
        else:
            self._remove(spare)

    def close(self) -> None:
        """
        Remove whatever is left; there are no rooms after it.
        """
        with self._lock:
            base, self._base = self._base, None
            self._is_closed = True
        if base is not None:
            self._remove(base)

    def _take_number(self) -> int:
        """
        Return the lowest number that has no room, nor what is left of one.
        """
        base = self._base_folder()
        with self._lock:
            number = 1
            while number in self._taken or (base / str(number)).exists():
                number += 1
            self._taken.add(number)
            return number

    def _base_folder(self) -> Path:
        with self._lock:
            if self._is_closed:
                raise ToolError("The run has ended.")
            if self._base is None:
                self._base = Path(tempfile.mkdtemp(prefix="reliability-"))
                self._base.chmod(CLOSED if self._user.uid is None else PASSABLE)
            return self._base

    def _find_origin(self) -> Origin | None:
        """
        Return what rooms are copied from; made by whoever comes first.
        """
        if self._isolation is Isolation.NONE:
            return None
        while not self._origin_lock.acquire(timeout=_POLL_S):
            if self._tools.cancel.is_set():
                raise ToolError("The run was cancelled.")
        try:
            self._origin = self._origin or self._make_origin()
        except (OSError, ToolError) as error:
            # Once it may have been a file that came or went while we copied.
            if self._has_failed and not self._tools.cancel.is_set():
                raise AgentSetupError(
                    f"The workspace cannot be copied: {error}",
                    remedy="Mend that, or choose another isolation.",
                ) from None
            self._has_failed = True
            raise
        else:
            return self._origin
        finally:
            self._origin_lock.release()

    def _make_origin(self) -> Origin:
        base = self._base_folder()
        folder = base / "origin"
        self._remove(folder)
        folder.mkdir(mode=CLOSED)
        tree = folder / "tree"
        if self._isolation is Isolation.WORKTREE:
            return check_out(
                self._workspace,
                tree,
                ref=self._ref,
                without=self._left_out,
                user=self._user,
                tools=self._tools,
            )
        return copy_workspace(
            self._workspace,
            tree,
            without=[base, *self._left_out],
            user=self._user,
            tools=self._tools,
        )

    def _remove(self, folder: Path) -> None:
        cancelled = self._tools.cancel.is_set()
        limit_s = _REMOVE_AFTER_CANCEL_S if cancelled else _REMOVE_S
        remove_tree(folder, self._tools, limit_s=limit_s)


def remove_tree(folder: Path, tools: Tools, *, limit_s: float = _REMOVE_S) -> None:
    """
    Remove *folder* as far as we may; folders that forbid it are opened up first.

    What cannot be removed stays, without an error: it is a temporary folder.

    Args:
        limit_s: For each of at most two tries.
    """
    for _ in range(2):
        if not folder.exists():
            return
        try:
            # rm(1) goes as deep as there are folders, and follows no link on the way.
            tools.run("rm", "-rf", "--", str(folder), timeout_s=limit_s, must_end=True)
        except ToolTimeoutError:
            pass
        except ToolError:
            # No process can be started just now; this needs none.
            shutil.rmtree(folder, ignore_errors=True)
        if os.geteuid() != 0 and folder.exists():
            _open_up(folder)


def _open_up(folder: Path) -> None:
    """
    Give ourselves all rights to the folders below; a link to one is left alone.
    """
    for parent, names, _ in os.walk(folder):
        for name in names:
            with suppress(OSError):
                # Linux cannot chmod without following links, but can open without.
                flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
                fd = os.open(Path(parent, name), flags)
                try:
                    os.chmod(f"/proc/self/fd/{fd}", 0o700)  # noqa: PTH101 - no path
                finally:
                    os.close(fd)
