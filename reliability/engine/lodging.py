"""
An attempt whose agent has processes: its room, what is done around it, its grade.

Making the room, the user's `setup`, looking at what the agent left behind, the checks
that look there too, and `teardown`: all of it happens here, in the worker, and does not
count as the agent's time. Once the agent has answered, trouble with the room costs the
evidence or a check, and never the answer.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.agents.user import choose_user
from reliability.choices import Isolation
from reliability.engine.chores import Chores
from reliability.engine.grading import grade_reply, needs_folder
from reliability.engine.leavings import RoomLeavings
from reliability.engine.leftovers import MAX_NAMES, describe_leftovers
from reliability.engine.removals import name_removed
from reliability.engine.task import Attempted
from reliability.engine.tools import ToolError, Tools
from reliability.engine.workspace import Rooms
from reliability.errors import AgentSetupError, MeasureError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Trouble

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.agents import Call, Room
    from reliability.engine.scene import Scene
    from reliability.engine.stay import Stay
    from reliability.engine.targets import Targets
    from reliability.suite import Case, Suite

CANCELLED = "the run was cancelled before anybody could look"
NOT_COMPARED = (
    "there is nothing to compare with: with isolation none the agent works in the "
    "workspace itself, of which there is no copy"
)


class Lodgings:
    """
    The rooms of a run's cases: one origin for all that begin with the same files.

    Args:
        cancel: Ends what is done for an attempt.

    Raises:
        UsageError: when `run-as` names somebody whom we cannot become.
    """

    def __init__(
        self,
        suite: Suite,
        targets: Targets,
        scene: Scene,
        run_id: str,
        cancel: threading.Event,
    ) -> None:
        self._scene = scene
        self._cancel = cancel
        self._tools = Tools(
            scene.environ, name=run_id, clock=scene.clock, cancel=cancel
        )
        hidden = {path for case in suite.cases for path in case.hidden}
        self._rooms: dict[object, Rooms] = {}
        for case in suite.cases:
            if targets.agent_of(case).needs_room and _place(case) not in self._rooms:
                commit = targets.commit_of(case)
                self._rooms[_place(case)] = self._open_rooms(case, hidden, commit)

    def close(self) -> None:
        """
        Remove all rooms.
        """
        for rooms in self._rooms.values():
            rooms.close()

    def lodge(self, case: Case, call: Call, ask: Callable[[Room], Reply]) -> Attempted:
        """
        Make one attempt in a room of its own and grade it.

        Args:
            ask: Calls the agent.
        """
        with ExitStack() as stack:
            try:
                stay = stack.enter_context(self._rooms[_place(case)].open_room())
                stay.open_door()
                chores = Chores(case.settings, self._scene, self._cancel)
                trouble = chores.set_up(stay.room, call.cookie)
                if trouble is None:
                    stay.begin(after_setup=bool(case.settings.setup))
            except (MeasureError, OSError) as error:
                return Attempted(Reply(trouble=self._no_room(error)))
            if trouble is not None:
                attempted = Attempted(Reply(trouble=trouble))
            else:
                attempted = self._visit(stay, case, call, ask)
            evidence = chores.tear_down(stay.room, call.cookie)
        return _with_evidence(attempted, evidence)

    def _visit(
        self, stay: Stay, case: Case, call: Call, ask: Callable[[Room], Reply]
    ) -> Attempted:
        try:
            reply = ask(stay.room)
        except OSError as error:
            # It could not be handed its files: nothing was called.
            return Attempted(Reply(trouble=self._no_room(error)))
        evidence = self._leftovers(stay, is_asked=needs_folder(case))
        leavings: RoomLeavings | None = None
        try:
            stay.open_door()
        except OSError as error:
            evidence = evidence or {"unknown": f"the room cannot be opened: {error}"}
        else:
            leavings = RoomLeavings(
                room=stay.room,
                evidence=evidence,
                cookie=call.cookie,
                pass_env=case.settings.pass_env,
                scene=self._scene,
                tools=self._tools,
            )
        if evidence:
            known = {**reply.evidence, "workspace": evidence}
            reply = replace(reply, evidence=known)
        return grade_reply(case, reply, leavings, self._scene.redactor.value)

    def _leftovers(self, stay: Stay, *, is_asked: bool) -> Mapping[str, Any]:
        """
        Return evidence of what the agent changed in its folder; empty when nothing.

        Args:
            is_asked: A check may want to know: also that nobody can, and what was in
                folders that are gone.
        """
        if self._cancel.is_set() or stay.origin is None:
            why = NOT_COMPARED if stay.origin is None else CANCELLED
            return {"unknown": why} if is_asked else {}
        try:
            survey = stay.leftovers()
            if is_asked:
                name_removed(survey, stay.origin.tree, most=MAX_NAMES)
            evidence = describe_leftovers(
                survey,
                stay.origin.tree,
                tools=self._tools,
                redact=self._scene.redactor.text,
            )
        except (OSError, ToolError) as error:
            return {"unknown": f"it could not be looked at: {error}"}
        if evidence and stay.origin.prefix:
            return {**evidence, "folder": stay.origin.prefix}
        return evidence

    def _open_rooms(self, case: Case, hidden: set[Path], commit: str) -> Rooms:
        folder, ref, isolation = _place(case)
        if folder is None and isolation is Isolation.WORKTREE:
            # What is logged is measured, also when the branch has moved meanwhile.
            ref = ref or commit
        settings = case.settings
        return Rooms(
            workspace=folder or self._scene.workspace,
            isolation=isolation,
            user=choose_user(settings.run_as),
            tools=self._tools,
            output_dir=self._scene.workspace / settings.output_dir,
            hidden=hidden,
            ref=ref,
        )

    def _no_room(self, error: MeasureError | OSError) -> Trouble:
        """
        Say why there is no room for an attempt.
        """
        kind = ErrorKind.SETUP_FAILED
        if isinstance(error, AgentSetupError):
            kind = ErrorKind.CONFIGURATION
        if self._cancel.is_set():
            kind = ErrorKind.CANCELLED
        return Trouble(kind=kind, text=f"no room for the attempt: {error}")


def _place(case: Case) -> tuple[Path | None, str, Isolation]:
    """
    Return what a case's rooms are made from: folder, commit, and how.
    """
    folder, ref = case.workspace.folder, case.workspace.ref
    isolation = case.settings.isolation
    if ref:
        isolation = Isolation.WORKTREE
    elif folder is not None and isolation is Isolation.NONE:
        isolation = Isolation.COPY
    return folder, ref, isolation


def _with_evidence(attempted: Attempted, evidence: Mapping[str, Any]) -> Attempted:
    if not evidence:
        return attempted
    reply = attempted.reply
    known = {**reply.evidence, **evidence}
    return replace(attempted, reply=replace(reply, evidence=known))
