"""
Follows the trials of a run and says when its verdict is certain.

Every trial has its index before it starts, and the design is applied in that order,
whatever order the trials end in: the first ones to end are not like the others, since
failures may be slower or quicker than successes. A verdict is certain when filling all
trials that are not known with failures gives the same one as filling them with
successes; as one more success never makes it worse, every other filling gives it too.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.model import Verdict

if TYPE_CHECKING:
    from reliability.stats.design import Design

_UNKNOWN, _PASSED, _FAILED, _LOST = range(4)


@dataclass(frozen=True, slots=True)
class Stop:
    """
    Where a design ends, for one filling of what is not known.

    Args:
        trials, passes: Counts at that point, fillings included.
    """

    verdict: Verdict
    trials: int
    passes: int


class Watch:
    """
    The state of one design.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        size = design.trials + 1
        self._states = bytearray(size)
        self._prefix = 0  # All trials up to it are known, and none of them ended it.
        self._prefix_passes = 0
        self._last = 0
        self._ended: Stop | None = None
        # Place 0 is no trial; what is searched must not fall.
        self._spare = [n - upper for n, upper in enumerate(design.uppers)]
        self._stops: tuple[Stop, Stop] | None = None

    def settle(self, index: int, *, passed: bool | None) -> None:
        """
        Note what came of a trial.

        Args:
            index: From 1; beyond the design it is passed over.
            passed: None when it could not be measured, and so stays unknown.
        """
        if not 0 < index < len(self._states):
            return
        if not self.design.has_order:
            if passed is None or self._last == self.design.trials:
                return
            index = self._last + 1
        if passed is None:
            self._states[index] = _LOST
        else:
            self._states[index] = _PASSED if passed else _FAILED
        self._last = max(self._last, index)
        self._stops = None
        self._advance()

    @property
    def stops(self) -> tuple[Stop, Stop]:
        """
        Where it ends if all that is unknown failed, and if all of it passed.
        """
        if self._stops is None:
            self._stops = (self._stop(0, 0), self._stop(1, 1))
        return self._stops

    @property
    def verdict(self) -> Verdict | None:
        """
        The verdict, once nothing unknown can change it; else None.
        """
        worst, best = self.stops
        return worst.verdict if worst.verdict is best.verdict else None

    @property
    def frontier(self) -> int:
        """
        The last index worth starting now.

        No decision can come before the earlier of the two extreme stops. Beyond that,
        trials are started as far as the run would need them if they all passed.
        """
        if not self.design.has_order:
            return self.design.trials
        worst, best = self.stops
        cautious = self._stop(1, 0)  # What runs passes; what was lost failed.
        gloomy = self._stop(0, 1)
        needed = max(
            min(worst.trials, best.trials), min(cautious.trials, gloomy.trials)
        )
        if cautious.verdict is Verdict.PASS:
            needed = max(needed, cautious.trials)
        return needed

    def _advance(self) -> None:
        """
        Move the known prefix on, until something is not known or the design ends.
        """
        uppers, lowers = self.design.uppers, self.design.lowers
        while self._ended is None and self._prefix < self._last:
            n = self._prefix + 1
            state = self._states[n]
            if state not in {_PASSED, _FAILED}:
                return
            passes = self._prefix_passes + (state == _PASSED)
            self._prefix, self._prefix_passes = n, passes
            if passes >= uppers[n]:
                self._ended = Stop(Verdict.PASS, n, passes)
            elif passes <= lowers[n]:
                self._ended = Stop(Verdict.FAIL, n, passes)

    def _stop(self, unknown: int, lost: int) -> Stop:
        """
        Return where the design ends with these fillings, each 0 or 1.
        """
        if self._ended is not None:
            return self._ended
        uppers, lowers = self.design.uppers, self.design.lowers
        gains = (unknown, 1, 0, lost)
        passes = self._prefix_passes
        for n in range(self._prefix + 1, self._last + 1):
            passes += gains[self._states[n]]
            if passes >= uppers[n]:
                return Stop(Verdict.PASS, n, passes)
            if passes <= lowers[n]:
                return Stop(Verdict.FAIL, n, passes)
        return self._beyond(unknown, passes)

    def _beyond(self, unknown: int, passes: int) -> Stop:
        """
        Return where the design ends when all trials beyond the last known are alike.
        """
        first, end = self._last + 1, self.design.trials + 1
        if unknown:
            failed = self._last - passes
            n = bisect_left(self._spare, failed, first, end)
            stop = Stop(Verdict.PASS, n, passes + n - self._last)
        else:
            n = bisect_left(self.design.lowers, passes, first, end)
            stop = Stop(Verdict.FAIL, n, passes)
        if n < end:
            return stop
        last = passes + unknown * (end - first)
        return Stop(Verdict.INCONCLUSIVE, self.design.trials, last)
