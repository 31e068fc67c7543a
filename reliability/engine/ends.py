"""
How attempts and trials end that no agent ended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.engine.grading import not_judged
from reliability.engine.task import Attempted, Judged
from reliability.gate import EARLY_STOP
from reliability.kinds import ErrorKind
from reliability.model import Reply, Trouble

if TYPE_CHECKING:
    from concurrent.futures import Future

    from reliability.engine.task import Message, Observer, Task
    from reliability.grades import Question


def taken(future: Future[Message | None]) -> Message:
    """
    Return what the future holds; an error in it is our own, and no trial's fault.
    """
    if future.cancelled():
        return _of_our_own("the pool gave the attempt back")
    if (error := future.exception()) is not None:
        return broken(error)
    return future.result() or _of_our_own("the attempt was taken back")


def broken(error: BaseException) -> Attempted:
    """
    Return an attempt that came to nothing because of an error of this program.
    """
    return _of_our_own(f"{type(error).__name__}: {error}")


def not_begun(text: str) -> Attempted:
    """
    Return an attempt that no thread could be had for.
    """
    text = f"no thread can be started: {text}"
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.SETUP_FAILED, text=text)))


def tell(
    observer: Observer,
    task: Task,
    message: Message,
    wait_s: float | None,
    *,
    cut_by: str,
) -> Attempted:
    """
    Tell what came of an attempt, or of a question about it; return how its trial is.

    Args:
        wait_s: Until the next try; None when there is none.
        cut_by: What ended the run's attempts, `max-minutes` or `early-stop`; empty
            when nothing of the kind did.
    """
    if task.graded is None:
        attempted = message if isinstance(message, Attempted) else message.attempted
        attempted = _cut_off(attempted, cut_by)
        observer.attempt_finished(task, attempted, wait_s)
        return attempted
    if isinstance(message, Attempted):  # The worker came to nothing but trouble.
        message = Judged(message.reply, not_judged(task.graded, message.reply))
    question = first_question(task.graded)
    observer.question_finished(task, question, message.reply, wait_s)
    return _cut_off(message.attempted, cut_by)


def first_question(graded: Attempted) -> Question:
    """
    Return what a model is to be asked next about an attempt that waits for it.
    """
    assert graded.pending is not None, "only what is pending waits"  # noqa: S101
    return graded.pending.questions[0]


def given_up(text: str, *, cut_by: str) -> Attempted:
    """
    Return how a trial ends that got no other attempt because the run stops.

    Args:
        cut_by: As for `tell`.
    """
    end = Attempted(Reply(trouble=Trouble(kind=ErrorKind.CANCELLED, text=text)))
    return _cut_off(end, cut_by)


def unasked(graded: Attempted, *, cut_by: str) -> Attempted:
    """
    Return how a trial ends whose answer is there when the run stops, but no judge's.
    """
    end = given_up("the run stopped before a model was asked", cut_by=cut_by)
    return not_judged(graded, end.reply)


def _cut_off(attempted: Attempted, cut_by: str) -> Attempted:
    """
    Tell an end by the run's own end from an end by a signal.
    """
    trouble = attempted.reply.trouble
    cut = _CUTS.get(cut_by)
    if cut is None or trouble is None or trouble.kind is not ErrorKind.CANCELLED:
        return attempted
    return replace(attempted, reply=replace(attempted.reply, trouble=cut))


_CUTS = {
    "max-minutes": Trouble(
        kind=ErrorKind.DEADLINE, text="cut off when max-minutes was reached"
    ),
    EARLY_STOP: Trouble(
        kind=ErrorKind.CANCELLED, text="cut off: the verdict was certain"
    ),
}


def _of_our_own(text: str) -> Attempted:
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.INTERNAL, text=text)))
