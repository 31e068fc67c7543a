"""
What the engine asks of a backend, whatever it drives.

An agent never raises for trouble of one attempt: it returns a `Reply` whose `trouble`
says what happened, so that every attempt keeps its evidence in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.model import Reply, Setup, Trial

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
class Call:
    """
    One attempt to make.

    Args:
        attempt: Which attempt of the trial this is, from 1.
        cookie: Unique in the world; marks every process that this attempt starts.
        room: Folder of this attempt alone, for HOME and temporary files; None when the
            agent's `needs_room` is false.
    """

    trial: Trial
    attempt: int
    prompt: str
    timeout_s: float
    cookie: str
    room: Path | None


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
