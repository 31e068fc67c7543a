"""
The agent's folder after the agent has ended, for the checks that look into it.

A check's command runs there as the agent's user, with the agent's limits and without
its credentials. Its own files lie in a folder beside, made when the agent had ended
and gone before anybody else comes; so do its HOME and TMPDIR, since programs obey what
they find in them: the agent could leave there what makes a check say anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from reliability.agents.environment import command_environment
from reliability.engine.workspace import remove_tree
from reliability.errors import CheckError, MeasureError
from reliability.grades import Ended
from reliability.process import run_child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reliability.agents import Room
    from reliability.engine.scene import Scene
    from reliability.engine.tools import Tools

_CAP_BYTES = 64 * 1024
_HIDDEN = "{hidden}"
_FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLeavings:
    """
    What one attempt left in its room.

    Args:
        evidence: What changed there, as the log has it.
        pass_env: Variables that the check's command may see besides the harmless ones.
    """

    room: Room
    evidence: Mapping[str, Any]
    cookie: str
    pass_env: tuple[str, ...]
    scene: Scene
    tools: Tools

    @property
    def folder(self) -> Path:
        """
        Where the agent worked.
        """
        return self.room.workspace

    def changes(self) -> Mapping[str, Any]:
        """
        Return what the agent changed.
        """
        return self.evidence

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes,
        hidden: Mapping[str, bytes],
        env: Mapping[str, str],
        timeout_s: float,
    ) -> Ended:
        """
        Run a check's command; see `reliability.grades.Leavings`.

        Raises:
            CheckError: when it cannot be started, or the run is cancelled meanwhile.
        """
        name = f"check-{token_hex(8)}"
        folder = self.room.home / name
        hidden_folder = str(folder / _FILES)
        try:
            self._hide(folder / _FILES, hidden)
            report = run_child(
                [word.replace(_HIDDEN, hidden_folder) for word in argv],
                stdin=stdin,
                env={
                    **command_environment(
                        self.scene.environ,
                        replace(self.room, home=folder),
                        self.pass_env,
                    ),
                    **{
                        variable: value.replace(_HIDDEN, hidden_folder)
                        for variable, value in env.items()
                    },
                },
                cwd=self.room.workspace,
                timeout_s=timeout_s,
                cap_bytes=_CAP_BYTES,
                cancel=self.tools.cancel,
                cookie=f"{self.cookie}-{name}",
                clock=self.scene.clock,
                uid=self.room.uid,
                gid=self.room.gid,
            )
        except (MeasureError, OSError, ValueError) as error:
            raise CheckError(f"the check's command cannot be run: {error}") from None
        finally:
            remove_tree(folder, self.tools)
        if report.cancelled:
            raise CheckError("the check's command was ended: the run was cancelled")
        redact = self.scene.redactor.text
        return Ended(
            exit_code=None if report.timed_out else report.exit_code,
            output=report.stdout.text(redact, _CAP_BYTES),
            errors=report.stderr.text(redact, _CAP_BYTES),
            duration_s=report.duration_s,
        )

    def _hide(self, folder: Path, hidden: Mapping[str, bytes]) -> None:
        for one in (folder.parent, folder):
            one.mkdir(mode=0o755)
            one.chmod(0o755)
        for name, content in hidden.items():
            path = folder / name
            self.room.write_file(path, content)
            path.chmod(0o700)
