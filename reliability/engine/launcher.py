"""
Hands attempts and questions to the pool, and what comes of them to the inbox.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from reliability.engine.ends import broken, not_begun, taken
from reliability.engine.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.engine.task import Attempted, Inbox, Judged, Message, Task
    from reliability.model import Trial


def open_pool(workers: int) -> Executor:
    """
    Return the executor of a run: the one seam for other kinds.
    """
    return ThreadPoolExecutor(workers, thread_name_prefix="trial")


class Launcher:
    """
    Launches what a task does next.

    Args:
        ask: Makes one attempt and grades it; called in the pool; must not raise.
        judge: Asks a model one question about a graded attempt; as *ask*.
        inbox: Gets what each brings, with its task.
    """

    def __init__(
        self,
        *,
        ask: Callable[[Trial, int], Attempted],
        judge: Callable[[Trial, int, Attempted], Judged],
        pool: Executor,
        inbox: Inbox,
    ) -> None:
        self._ask = ask
        self._judge = judge
        self._pool = pool
        self._inbox = inbox

    def launch(self, task: Task) -> None:
        """
        Start the next attempt of *task*, or the next question about it.
        """
        task.tries += 1
        errand = Errand(
            self._work_of(task), lambda message: self._inbox.put((task, message))
        )
        try:
            future = self._pool.submit(errand)
        except RuntimeError as error:  # The machine has no thread left to give.
            if errand.take_back():
                self._inbox.put((task, not_begun(str(error))))
            return
        future.add_done_callback(lambda done: self._inbox.put((task, taken(done))))

    def _work_of(self, task: Task) -> Callable[[], Message]:
        if task.graded is not None:
            return partial(_caught, self._judge, task.trial, task.tries, task.graded)
        task.attempt += 1
        return partial(_caught, self._ask, task.trial, task.attempt)


def _caught(work: Callable[..., Message], *given: object) -> Message:
    try:
        return work(*given)
    except BaseException as error:  # noqa: BLE001 - also one that ends interpreters
        return broken(error)
