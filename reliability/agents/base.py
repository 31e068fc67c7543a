"""
What the engine asks of a backend, whatever it drives.

An agent never raises for trouble of one attempt: it returns a `Reply` whose `trouble`
says what happened, so that every attempt keeps its evidence in the log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reliability.model import Reply, Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.kinds import ErrorKind
    from reliability.model import Setup, Trial

CAP_BYTES = 256 * 1024
"""Most bytes that are kept of what an attempt says beside its answer, such as standard
error: enough for a person, little enough that hundreds of trials stay small."""

ANSWER_CAP_BYTES = 1024 * 1024
"""Most bytes that are kept of an answer. A longer one is not graded, since what a check
looks for may stand in the part that is gone."""

CLASSIC_WARNING = (
    "The built-in prompt is sent, which makes sense for claude-code only. Give a "
    "prompt."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """
    Where the processes of one attempt live, and as whom.

    Args:
        home: Folder of this attempt alone, which belongs to us: its processes can
            pass through it and change nothing in it. HOME, TMPDIR and whatever else
            an agent needs are made below it.
        workspace: Where the agent works: the current folder of its processes.
        uid: User of the processes; None: as we are.
        gid: Group of the processes; None: as we are.
    """

    home: Path
    workspace: Path
    uid: int | None = None
    gid: int | None = None

    def make_folder(self, path: Path) -> None:
        """
        Make a folder below `home` that only the attempt's processes can enter.

        One that is there already stays as it is.
        """
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return
        self.give(path)

    def write_file(self, path: Path, content: bytes) -> None:
        """
        Write a file that only the attempt's processes, and we, can read.

        Args:
            path: In a folder that is ours still: as root we would write anywhere,
                should a process put a link to a folder in its place.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123 - flags
            if self.uid is not None and self.gid is not None:
                os.fchown(file.fileno(), self.uid, self.gid)
            file.write(content)

    def give(self, path: Path) -> None:
        """
        Let *path* belong to the attempt's processes.
        """
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One attempt to make.

    Args:
        attempt: Which attempt of the trial this is, from 1.
        cookie: Unique in the world; marks every process that this attempt starts.
        room: Where its processes live; None when the agent's `needs_room` is false.
    """

    trial: Trial
    attempt: int
    prompt: str
    timeout_s: float
    cookie: str
    room: Room | None


class Agent(Protocol):
    """
    A way to reach what is tested; used by many threads at once after `prepare`.
    """

    needs_room: bool

    def prepare(self) -> Setup:
        """
        Look at everything that can be looked at before the first call.

        Raises:
            AgentSetupError: when no call can succeed.
            UsageError: when an option names something that is not there.
        """

    def attempt(self, call: Call) -> Reply:
        """
        Ask once and return what came, trouble included.
        """

    def cancel(self) -> None:
        """
        End every attempt under way soon; later ones end at once. Any thread.
        """

    def close(self) -> None:
        """
        Give back what `prepare` took.
        """


def trouble_reply(kind: ErrorKind, text: str) -> Reply:
    """
    Return what an attempt brings that came to nothing but trouble.
    """
    return Reply(trouble=Trouble(kind=kind, text=text))
