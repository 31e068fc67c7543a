"""
The user's own commands before and after an attempt: `setup` and `teardown`.

They run in the agent's folder, as the agent's user, with the attempt's HOME and TMPDIR.
They see what is harmless and what `pass-env` names, and no credentials of the model:
what a checkout's scripts install has no use for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reliability.agents.environment import command_environment
from reliability.errors import MeasureError
from reliability.kinds import ErrorKind
from reliability.model import Trouble
from reliability.process import ChildReport, last_line, run_child

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from reliability.agents import Room
    from reliability.engine.scene import Scene
    from reliability.settings import Settings

_CAP_BYTES = 16 * 1024
_SHOWN_CHARACTERS = 300


class Chores:
    """
    Runs them for the attempts of one run.

    Args:
        cancel: Ends the one under way; later ones end at once.
    """

    def __init__(
        self, settings: Settings, scene: Scene, cancel: threading.Event
    ) -> None:
        self._settings = settings
        self._scene = scene
        self._cancel = cancel

    def set_up(self, room: Room, cookie: str) -> Trouble | None:
        """
        Run `setup`, if there is one; return why the attempt cannot be made.
        """
        argv = self._settings.setup
        if not argv:
            return None
        said = self._run(argv, room, f"{cookie}-setup")
        if isinstance(said, ChildReport):
            if said.exit_code == 0:
                return None
            kind = ErrorKind.CANCELLED if said.cancelled else ErrorKind.SETUP_FAILED
            return Trouble(kind=kind, text=f"setup: {self._explain(said)}")
        return Trouble(kind=ErrorKind.SETUP_FAILED, text=f"setup: {said}")

    def tear_down(self, room: Room, cookie: str) -> Mapping[str, Any]:
        """
        Run `teardown`, if there is one; return evidence of its failure.
        """
        argv = self._settings.teardown
        if not argv or self._cancel.is_set():
            return {}
        said = self._run(argv, room, f"{cookie}-teardown")
        if isinstance(said, ChildReport):
            if said.exit_code == 0:
                return {}
            return {
                "teardown": {
                    "end": said.describe_exit(),
                    "errors": said.stderr.text(self._scene.redactor.text, _CAP_BYTES),
                }
            }
        return {"teardown": {"end": said, "errors": ""}}

    def _run(self, argv: Sequence[str], room: Room, cookie: str) -> ChildReport | str:
        """
        Run one; return its report, or why it could not be started.
        """
        scene = self._scene
        try:
            return run_child(
                argv,
                stdin=b"",
                env=command_environment(scene.environ, room, self._settings.pass_env),
                cwd=room.workspace,
                timeout_s=self._settings.timeout,
                cap_bytes=_CAP_BYTES,
                cancel=self._cancel,
                cookie=cookie,
                clock=scene.clock,
                uid=room.uid,
                gid=room.gid,
            )
        except (MeasureError, OSError) as error:
            return str(error)

    def _explain(self, report: ChildReport) -> str:
        """
        Say how it ended, with the last line that it wrote to standard error.
        """
        errors = report.stderr.text(self._scene.redactor.text, _CAP_BYTES)
        said = last_line(errors)[:_SHOWN_CHARACTERS]
        return f"{report.describe_exit()}: {said}" if said else report.describe_exit()
