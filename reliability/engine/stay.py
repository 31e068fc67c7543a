"""
One attempt's time in its room: when the door is open, what is new, what is undone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reliability.engine.restore import restore_tree
from reliability.engine.survey import Survey, survey_tree

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.agents import Room
    from reliability.engine.origin import Origin
    from reliability.engine.tools import Tools

CLOSED, PASSABLE = 0o700, 0o711
"""Modes of a room's folder: for us alone, and for whoever knows what is in it."""

_SETTLED_S = 0.001
"""A wall clock that is only slowed down never goes back; one that is set does."""


class Stay:
    """
    One attempt's time in its room.

    Args:
        origin: What its folder was copied from; None when it works in the workspace.
    """

    def __init__(
        self, room: Room, tree: Path, origin: Origin | None, tools: Tools
    ) -> None:
        self.room = room
        self.origin = origin
        self._tree = tree
        self._after_setup = Survey()
        self._began_ns = 0
        self._copied_ns = 0
        self._wall_lead_s = tools.wall_lead_s()
        self._tools = tools

    def open_door(self) -> None:
        """
        Let the processes of the agent's user in.
        """
        self.room.home.chmod(CLOSED if self.room.uid is None else PASSABLE)
        # The clock of ctimes is the file system's own, and this has just set one.
        self._began_ns = self.room.home.stat().st_ctime_ns
        self._copied_ns = self._copied_ns or self._began_ns

    def begin(self, *, after_setup: bool) -> None:
        """
        Remember how things are: whatever is newer will be the agent's doing.

        Args:
            after_setup: Other files than the origin's may be there already.
        """
        if self.origin is not None and after_setup:
            self._after_setup = self._look()
        self.open_door()

    def leftovers(self) -> Survey:
        """
        Close the room and see what is different; nothing when nothing was copied.
        """
        self.room.home.chmod(CLOSED)
        if self.origin is None:
            return Survey()
        found = self._look()
        found.removed -= self._after_setup.removed
        return found

    def tidy(self, tree: Path) -> bool:
        """
        Undo all that was done to the copy, which is at *tree* now.

        Returns:
            False when it is to be thrown away.
        """
        if self.origin is None or self._tools.cancel.is_set():
            return False
        # A clock that was set back makes what was touched look older than the copy.
        if self._tools.wall_lead_s() < self._wall_lead_s - _SETTLED_S:
            return False
        return restore_tree(tree, self.origin.tree, since_ns=self._copied_ns)

    def _look(self) -> Survey:
        assert self.origin is not None, "the caller has looked"  # noqa: S101
        owner = os.geteuid() if self.room.uid is None else self.room.uid
        return survey_tree(
            self._tree,
            self.origin.tree,
            owner_uid=owner,
            began_ns=self._began_ns,
            known=self._after_setup.ctimes_ns,
        )
