"""
A piece of work for the pool that is done once or not at all, and never lost.

`ThreadPoolExecutor.submit` queues its work before it starts a thread; where the machine
has no thread left to give it raises, and a thread that is there already may do the work
all the same. Whoever submitted then takes the errand back, or learns that it is under
way and that its result comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Errand(Generic[T]):
    """
    Does *work* when called, unless it was taken back.

    Args:
        work: Must not raise.
        late: Is given the result when nobody waits for the call's own.
    """

    __slots__ = ("_is_late", "_late", "_results", "_turn", "_work")

    def __init__(self, work: Callable[[], T], late: Callable[[T], object]) -> None:
        self._work = work
        self._late = late
        # Of two threads that pop one entry, one gets it: no lock is needed.
        self._turn = [None]
        self._results: list[T] = []
        self._is_late = False

    def __call__(self) -> T | None:
        """
        Do the work and return its result; None when it was taken back.
        """
        if not self._has_turn():
            return None
        result = self._work()
        self._results.append(result)
        if self._is_late:
            self._hand_over()
        return result

    def take_back(self) -> bool:
        """
        Keep the work from being done; False when it has begun and its result comes.
        """
        if self._has_turn():
            return True
        self._is_late = True
        self._hand_over()
        return False

    def _has_turn(self) -> bool:
        try:
            self._turn.pop()
        except IndexError:
            return False
        return True

    def _hand_over(self) -> None:
        """
        Bring the result, if it is there and was not brought yet.
        """
        try:
            result = self._results.pop()
        except IndexError:
            return
        self._late(result)
