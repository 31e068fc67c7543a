"""
One attempt, from the agent's call to the grade: what a worker of the pool does.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from reliability.agents import Agent, Call
from reliability.checks import open_checks
from reliability.engine.task import Attempted
from reliability.engine.workspace import Rooms
from reliability.errors import CheckError, MeasureError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Trial, Trouble

if TYPE_CHECKING:
    from types import TracebackType

    from reliability.settings import Settings


class Attempts:
    """
    Makes the attempts of one run.

    Args:
        run_id: Part of the cookie that marks an attempt's processes.
    """

    def __init__(self, agent: Agent, settings: Settings, run_id: str) -> None:
        self._agent = agent
        self._settings = settings
        self._run_id = run_id
        self._checks = open_checks(settings)
        self._rooms = Rooms()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._rooms.close()

    def ask(self, trial: Trial, attempt: int) -> Attempted:
        """
        Ask the agent once and grade its answer, if there is one.
        """
        cookie = f"{self._run_id}-{trial.number}-{attempt}"
        with ExitStack() as stack:
            room = None
            if self._agent.needs_room:
                room = stack.enter_context(self._rooms.open_room(cookie))
            call = Call(
                trial=trial,
                attempt=attempt,
                prompt=self._settings.prompt,
                timeout_s=self._settings.timeout,
                cookie=cookie,
                room=room,
            )
            try:
                reply = self._agent.attempt(call)
            except MeasureError as error:
                trouble = Trouble(kind=ErrorKind.CRASHED, text=str(error))
                return Attempted(Reply(trouble=trouble))
        return self._grade(reply)

    def _grade(self, reply: Reply) -> Attempted:
        if reply.trouble is not None:
            return Attempted(reply)
        try:
            return Attempted(
                reply, tuple(check(reply.answer) for check in self._checks)
            )
        except CheckError as error:
            from dataclasses import replace

            trouble = Trouble(kind=ErrorKind.CHECK_ERROR, text=str(error))
            return Attempted(replace(reply, trouble=trouble))
