"""
How attempts and trials end that no agent ended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.engine.grading import not_judged
from reliability.engine.task import Attempted, Judged
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
    is_cut: bool,
) -> Attempted:
    """
    Tell what came of an attempt, or of a question about it; return how its trial is.

    Args:
        wait_s: Until the next try; None when there is none.
        is_cut: The run's deadline has passed.
    """
    if task.graded is None:
        attempted = message if isinstance(message, Attempted) else message.attempted
        attempted = _cut_off(attempted) if is_cut else attempted
        observer.attempt_finished(task, attempted, wait_s)
        return attempted
    if isinstance(message, Attempted):  # The worker came to nothing but trouble.
        message = Judged(message.reply, not_judged(task.graded, message.reply))
    question = first_question(task.graded)
    observer.question_finished(task, question, message.reply, wait_s)
    return _cut_off(message.attempted) if is_cut else message.attempted


def first_question(graded: Attempted) -> Question:
    """
    Return what a model is to be asked next about an attempt that waits for it.
    """
    assert graded.pending is not None, "only what is pending waits"  # noqa: S101
    return graded.pending.questions[0]


def given_up(text: str, *, is_cut: bool) -> Attempted:
    """
    Return how a trial ends that got no other attempt because the run stops.

    Args:
        is_cut: It stops because its time is up.
    """
    end = Attempted(Reply(trouble=Trouble(kind=ErrorKind.CANCELLED, text=text)))
    return _cut_off(end) if is_cut else end


def unasked(graded: Attempted, *, is_cut: bool) -> Attempted:
    """
    Return how a trial ends whose answer is there when the run stops, but no judge's.
    """
    end = given_up("the run stopped before a model was asked", is_cut=is_cut)
    return not_judged(graded, end.reply)


def _cut_off(attempted: Attempted) -> Attempted:
    """
    Tell an end by the run's deadline from an end by a signal.
    """
    trouble = attempted.reply.trouble
    if trouble is None or trouble.kind is not ErrorKind.CANCELLED:
        return attempted
    text = "cut off when max-minutes was reached"
    cut = Trouble(kind=ErrorKind.DEADLINE, text=text)
    return replace(attempted, reply=replace(attempted.reply, trouble=cut))


def _of_our_own(text: str) -> Attempted:
    return Attempted(Reply(trouble=Trouble(kind=ErrorKind.INTERNAL, text=text)))
