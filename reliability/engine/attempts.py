"""
One attempt, from the agent's call to the grade: what a worker of the pool does.

An agent with processes of its own gets a room. Making it, the user's `setup`, looking
at what the agent left behind and `teardown` all happen here, in the worker, and do not
count as the agent's time.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from reliability.agents import Agent, Call, Room
from reliability.agents.user import choose_user
from reliability.checks import open_checks
from reliability.engine.chores import Chores
from reliability.engine.leftovers import describe_leftovers
from reliability.engine.task import Attempted
from reliability.engine.tools import ToolError, Tools
from reliability.engine.workspace import Rooms
from reliability.errors import AgentSetupError, CheckError, MeasureError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Trial, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from reliability.engine.scene import Scene
    from reliability.engine.stay import Stay
    from reliability.settings import Settings


class Attempts:
    """
    Makes the attempts of one run.

    Args:
        run_id: Part of the cookie that marks an attempt's processes.

    Raises:
        UsageError: when `run-as` names somebody whom we cannot become.
    """

    def __init__(
        self, agent: Agent, settings: Settings, run_id: str, scene: Scene
    ) -> None:
        self._agent = agent
        self._settings = settings
        self._run_id = run_id
        self._scene = scene
        self._checks = open_checks(settings)
        self._cancel = threading.Event()
        self._tools = Tools(
            scene.environ, name=run_id, clock=scene.clock, cancel=self._cancel
        )
        self._chores = Chores(settings, scene, self._cancel)
        self._rooms = self._open_rooms() if agent.needs_room else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._rooms is not None:
            self._rooms.close()

    def stop(self) -> None:
        """
        End the attempts under way soon, and whatever is done for them. Any thread.
        """
        self._cancel.set()
        self._agent.cancel()

    def ask(self, trial: Trial, attempt: int) -> Attempted:
        """
        Ask the agent once and grade its answer, if there is one.
        """
        call = Call(
            trial=trial,
            attempt=attempt,
            prompt=self._settings.prompt,
            timeout_s=self._settings.timeout,
            cookie=f"{self._run_id}-{trial.number}-{attempt}",
            room=None,
        )
        if self._rooms is None:
            return self._grade(self._call(call))
        with ExitStack() as stack:
            try:
                stay = stack.enter_context(self._rooms.open_room())
                stay.open_door()
            except (MeasureError, OSError) as error:
                return Attempted(Reply(trouble=self._no_room(error)))
            reply = self._visit(stay, replace(call, room=stay.room), stay.room)
        return self._grade(reply)

    def _visit(self, stay: Stay, call: Call, room: Room) -> Reply:
        """
        Make one attempt in its room, with the user's commands around it.
        """
        trouble = self._chores.set_up(room, call.cookie)
        if trouble is None:
            stay.begin(after_setup=bool(self._settings.setup))
            reply = self._call(call)
            evidence = self._leftovers(stay)
            stay.open_door()
        else:
            reply, evidence = Reply(trouble=trouble), {}
        evidence = {**evidence, **self._chores.tear_down(room, call.cookie)}
        if not evidence:
            return reply
        return replace(reply, evidence={**reply.evidence, **evidence})

    def _call(self, call: Call) -> Reply:
        try:
            return self._agent.attempt(call)
        except MeasureError as error:
            return Reply(trouble=Trouble(kind=ErrorKind.CRASHED, text=str(error)))

    def _leftovers(self, stay: Stay) -> Mapping[str, Any]:
        """
        Return evidence of what the agent changed in its folder; empty when nothing.
        """
        if self._cancel.is_set() or stay.origin is None:
            return {}
        try:
            found = describe_leftovers(
                stay.leftovers(),
                stay.origin.tree,
                tools=self._tools,
                redact=self._scene.redactor.text,
            )
        except (OSError, ToolError) as error:
            return {"workspace": {"unknown": f"it could not be looked at: {error}"}}
        return {"workspace": found} if found else {}

    def _open_rooms(self) -> Rooms:
        return Rooms(
            workspace=self._scene.workspace,
            isolation=self._settings.isolation,
            user=choose_user(self._settings.run_as),
            tools=self._tools,
            output_dir=self._scene.workspace / self._settings.output_dir,
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

    def _grade(self, reply: Reply) -> Attempted:
        if reply.trouble is not None:
            return Attempted(reply)
        try:
            return Attempted(
                reply, tuple(check(reply.answer) for check in self._checks)
            )
        except CheckError as error:
            trouble = Trouble(kind=ErrorKind.CHECK_ERROR, text=str(error))
            return Attempted(replace(reply, trouble=trouble))
