"""
Evidence of trials that never took place, and folders that an agent might have left.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakes.runs import ENVIRON, a_room

from reliability.clock import SystemClock
from reliability.engine.leavings import RoomLeavings
from reliability.engine.scene import Scene
from reliability.engine.tools import Tools
from reliability.grades import Evidence
from reliability.redact import Redactor
from reliability.transcript import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reliability.grades import Ended


WORKSPACE = {
    "added": ["b.txt"],
    "changed": ["a.txt"],
    "removed": [],
    "left_out": 0,
    "diff": "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+new\n",
}
"""What a log keeps of a folder in which one line was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """
    A folder alone: nothing can be run in it.
    """

    folder: Path

    def changes(self) -> Mapping[str, Any]:
        return {}

    def run(self, argv: Sequence[str], **_: Any) -> Ended:
        raise NotImplementedError(argv)


def evidence(answer: str = "", **given: Any) -> Evidence:
    """
    Return what is known of a trial.
    """
    usual: dict[str, Any] = {"case": "one", "prompt": "Say hello.", "answer": answer}
    return Evidence(**usual | given)


def left_in(folder: Path, **given: Any) -> Evidence:
    """
    Return the evidence of a trial whose agent left a folder.
    """
    return evidence(leavings=Left(folder=folder), **given)


def left_room(home: Path, *, secrets: Sequence[str] = ()) -> RoomLeavings:
    """
    Return what an agent left in a room, in which programs can be run as we do.
    """
    workspace = home / "workspace"
    home.mkdir(exist_ok=True)
    workspace.mkdir(exist_ok=True)
    clock = SystemClock()
    return RoomLeavings(
        room=a_room(home, workspace),
        evidence={},
        cookie="test-evidence",
        pass_env=(),
        scene=Scene(
            environ=ENVIRON,
            workspace=home,
            redactor=Redactor(secrets),
            clock=clock,
        ),
        tools=Tools(
            ENVIRON, name="test-evidence", clock=clock, cancel=threading.Event()
        ),
    )


def called(tool: str, *, by: str = "", call_id: str = "", **asked: Any) -> Step:
    """
    Return the call of a tool.
    """
    return Step(kind=StepKind.CALL, tool=tool, by=by, call_id=call_id, input=asked)


def delegated(agent: str, returned: str, **changes: Any) -> tuple[Step, ...]:
    """
    Return the call of a subagent and what it returned.
    """
    back: dict[str, Any] = {"kind": StepKind.RETURN, "call_id": "c1", "text": returned}
    return (
        called("Agent", call_id="c1", subagent_type=agent),
        Step(**back | changes),
    )
