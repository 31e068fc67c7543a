"""
How attempts and trials end that no agent ended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.engine.task import Attempted
from reliability.kinds import ErrorKind
from reliability.model import Reply, Trouble

if TYPE_CHECKING:
    from concurrent.futures import Future


def taken(future: Future[Attempted]) -> Attempted:
    """
    Return what the future holds; an error in it is our own, and no trial's fault.
    """
    if future.cancelled():
        text = "the pool gave the attempt back"
    elif (error := future.exception()) is None:
        return future.result()
    else:
        text = f"{type(error).__name__}: {error}"
    return of_our_own(text)


def of_our_own(text: str) -> Attempted:
    """
    Return an attempt that came to nothing because of an error of this program.
    """
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.INTERNAL, text=text)))


def given_up(text: str) -> Attempted:
    """
    Return how a trial ends that got no other attempt because the run stops.
    """
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.CANCELLED, text=text)))


def cut_off(attempted: Attempted) -> Attempted:
    """
    Tell an end by the run's deadline from an end by a signal.
    """
    trouble = attempted.reply.trouble
    if trouble is None or trouble.kind is not ErrorKind.CANCELLED:
        return attempted
    text = "cut off when max-minutes was reached"
    cut = Trouble(kind=ErrorKind.DEADLINE, text=text)
    return replace(attempted, reply=replace(attempted.reply, trouble=cut))
