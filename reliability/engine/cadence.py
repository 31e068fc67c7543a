"""
A rate learnt from refusals alone, for agents whose limits cannot be seen.

A child process or a gateway tells no allowance, only "too many" now and then. What is
known then: at a refusal the service's bucket was empty. So between two refusals it let
through just what was filled in, and their number over the time is the rate. Starts are
counted and not ends, as an answer may take minutes. A long pause is no part of that
time: what was filled in meanwhile is not known.

The first refusal tells less: a short `retry-after` is about the time that one request
takes to be filled in, or more, as it is rounded up; otherwise half of what went through
so far is a beginning. Such a guess is soon doubted.

The rate grows again with every attempt that goes through, in larger steps the longer
nothing is refused: a limit may have been shared with somebody who has gone. A service
that refuses by chance does so at any rate: where few are refused and cuts have not
helped, there are no more cuts and the rate grows quickly.
"""

from __future__ import annotations

import math
from collections import deque

SHORT_PAUSE_S = 2.0
"""In a longer one more may be filled in than the bucket holds."""

_LEAST_PER_S = (
    1 / 60
)  # To start less often is a pause, and a pause has to be asked for.
_CAUTION = 0.97  # A little below what is known, so that a stock builds up.
_WILD_STEP = 0.05
_FIRST_STEP = 0.0025
_STEP_GROWS_AFTER = 20
_MOST_STEP = 0.1
_ENOUGH = 3  # Fewer that went through tell of bad luck, not of a rate.
_FEW_FACTOR = 0.7
_EARLY = 16  # A measured rate lasts for more than so many, unless chance refuses.
_IN_VAIN = 3  # So many cuts that did not last are no accident.
_SIGHT = 32  # Recent attempts that say how many are refused.
_RARE = 0.25


class Cadence:
    """
    Spaces the starts; until the first refusal not at all.
    """

    def __init__(self) -> None:
        self.per_s = math.inf
        self._worked_per_s = math.inf
        self._is_wild = self._is_measured = self._was_cut = False
        self._starts = self._cut_number = 0
        self._last_start_mono_s = -math.inf
        self._since_number = self._refused_since = 0
        self._since_mono_s = math.inf
        self._passed_since_cut = self._passed_in_a_row = self._in_vain = 0
        self._recent: deque[bool] = deque(maxlen=_SIGHT)

    @property
    def is_rarely_refused(self) -> bool:
        """
        Tell whether most of the last attempts went through.
        """
        return sum(self._recent) <= _RARE * len(self._recent)

    def wait_s(self, now_mono_s: float) -> float:
        """
        Return seconds until the next attempt may start, at most a minute.
        """
        return max(0.0, self._last_start_mono_s + 1 / self.per_s - now_mono_s)

    def started(self, now_mono_s: float) -> None:
        """
        Note a start.
        """
        self._starts += 1
        self._last_start_mono_s = now_mono_s
        self._since_mono_s = min(self._since_mono_s, now_mono_s)

    def paused(self, now_mono_s: float, until_mono_s: float) -> None:
        """
        Note that nobody starts until then; what is under way then is old news.
        """
        if until_mono_s - now_mono_s > SHORT_PAUSE_S:
            self._cut_number = self._starts
            self._count_from(self._starts, until_mono_s)

    def passed(self, number: int) -> None:
        """
        Note that an attempt was let through.

        Args:
            number: Its place in the order of starts, from 1.
        """
        self._recent.append(False)
        if number <= self._cut_number:
            return
        self._passed_since_cut += 1
        self._passed_in_a_row += 1
        if self.per_s < self._worked_per_s / 2:
            self.per_s *= 2
        else:
            self.per_s *= 1 + self._step()

    def refused(
        self, number: int, sent_mono_s: float, retry_after_s: float | None
    ) -> bool:
        """
        Learn from a refusal, and tell whether the rate was cut.

        Attempts that were under way at the last cut say nothing new.

        Args:
            number: Its place in the order of starts, from 1.
        """
        self._recent.append(True)
        if number <= self._cut_number:
            return False
        passed = max(0, number - 1 - self._since_number - self._refused_since)
        took_s = max(0.001, sent_mono_s - self._since_mono_s)
        if self._was_cut and self._is_chance(passed):
            self._refused_since += 1
            if self._in_vain >= _IN_VAIN:
                self._count_from(number, sent_mono_s)
            return False
        if not self._was_cut:
            known = self._guess(passed, took_s, retry_after_s)
        elif passed < _ENOUGH:
            hint_per_s = 1 / retry_after_s if retry_after_s else math.inf
            known = min(hint_per_s, _FEW_FACTOR * self.per_s)
            self._worked_per_s = min(self._worked_per_s, known)
        else:
            known = self._measure(passed, took_s)
        self.per_s = max(_LEAST_PER_S, min(self.per_s, known) * _CAUTION)
        self._count_from(self._starts, self._last_start_mono_s)
        self._cut_number = self._starts
        self._was_cut = True
        self._passed_since_cut = self._passed_in_a_row = 0
        return True

    def _step(self) -> float:
        """
        Return by which part the rate grows with an attempt that was let through.
        """
        if self._in_vain >= _IN_VAIN:
            return _MOST_STEP
        if self._is_wild:
            return _WILD_STEP
        grown = min(9, self._passed_since_cut // _STEP_GROWS_AFTER)
        factor = 2 if self._is_measured else 8
        return min(_MOST_STEP, _FIRST_STEP * float(factor**grown))

    def _is_chance(self, passed: int) -> bool:
        """
        Tell whether a refusal, the second or a later one, says nothing of the rate.
        """
        is_early = self._is_measured and self._passed_in_a_row < _EARLY
        self._passed_in_a_row = 0
        if not self.is_rarely_refused:
            self._in_vain = 0
            return False
        more = 1 if is_early else -1
        self._in_vain = min(_IN_VAIN + 2, max(0, self._in_vain + more))
        return passed < _ENOUGH or self._in_vain >= _IN_VAIN

    def _guess(self, passed: int, took_s: float, retry_after_s: float | None) -> float:
        """
        Return what the first refusal tells of the rate.
        """
        seen = passed / max(1.0, took_s)
        if passed >= _ENOUGH and took_s > SHORT_PAUSE_S:
            known = seen
        elif retry_after_s and retry_after_s <= SHORT_PAUSE_S:
            known = 1 / retry_after_s
        else:
            known = max(1.0, seen) / 2
            self._is_wild = True
        is_long = retry_after_s is not None and retry_after_s > SHORT_PAUSE_S
        # After a pause the pace doubles until it is refused: nothing is known of it.
        self._worked_per_s = math.inf if is_long else known
        return known

    def _measure(self, passed: int, took_s: float) -> float:
        """
        Return the rate that fits what was let through, nearest to the last one known.
        """
        least, most = passed / took_s, (passed + 1) / took_s
        self._worked_per_s = min(max(self._worked_per_s, least), most)
        self._is_measured, self._is_wild = True, False
        return self._worked_per_s

    def _count_from(self, number: int, mono_s: float) -> None:
        self._since_number = number
        self._since_mono_s = mono_s
        self._refused_since = 0
