"""
What a design does at any true rate: its verdicts' chances, its length, its interval.

One pass over the design finds the probability of ending in each of its states at one
rate. At another rate the probability of a state differs by a factor that only its
counts decide, so everything else here is a sum over states, some two a trial.

The interval after a stop orders the ends of a run: passes, the earlier the better; then
what was inconclusive, by its successes; then fails, the later the better (the
stage-wise ordering: Armitage, 1957; Jennison and Turnbull, 2000, chapter 8). Its
bounds are the rates at which an end as good, or as bad, is as rare as 1 - confidence,
so it never contradicts the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from reliability.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reliability.stats.design import Design
    from reliability.stats.watch import Stop

_HALVINGS = 60
_RANK = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


class _State(NamedTuple):
    """
    An end of a run, with the logarithm of its probability at the course's own rate.
    """

    verdict: Verdict
    trials: int
    passes: int
    log_weight: float


@dataclass(frozen=True, slots=True)
class Chances:
    """
    How a run would end.

    Args:
        mean_trials: Used on average; stopping once nothing can be shown any more, too.
    """

    passes: float
    fails: float
    mean_trials: float

    @property
    def inconclusive(self) -> float:
        """
        The chance that nothing is shown.
        """
        return max(0.0, 1 - self.passes - self.fails)


class Course:
    """
    All ends of a design.

    Args:
        rate: Where probabilities are summed up, between 0 and 1; results do not depend
            on it but for rounding.
    """

    def __init__(self, design: Design, rate: float) -> None:
        self.design = design
        self._rate = rate
        self._ends, self._given_up = _ends(design, rate)

    def chances(self, true_rate: float) -> Chances:
        """
        Return how a run ends when the agent's rate is *true_rate*, from 0 to 1.
        """
        passes = fails = mean = 0.0
        for state in self._given_up:
            weight = self._weight(state, true_rate)
            mean += weight * state.trials
            passes += weight * (state.verdict is Verdict.PASS)
            fails += weight * (state.verdict is Verdict.FAIL)
        return Chances(passes, fails, mean)

    def bounds(self, worst: Stop, best: Stop, confidence: float) -> tuple[float, float]:
        """
        Return the exact one-sided bounds of the rate after a run.

        Args:
            worst, best: Its end if what is not known had failed, and if it had passed;
                one and the same when all is known.
            confidence: Of each bound, between 0 and 1.
        """
        alpha = 1 - confidence
        at_least = [one for one in self._ends if _key(one) >= _key(worst)]
        at_most = [one for one in self._ends if _key(one) <= _key(best)]
        everything = len(self._ends)
        lower = 0.0 if len(at_least) == everything else self._solve(at_least, alpha)
        upper = (
            1.0
            if len(at_most) == everything
            else 1 - self._solve(at_most, alpha, falling=True)
        )
        return lower, upper

    def _solve(
        self, states: list[_State], alpha: float, *, falling: bool = False
    ) -> float:
        """
        Return the rate (of failures when *falling*) at which *states* have *alpha*.
        """
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            rate = 1 - middle if falling else middle
            if math.fsum(self._weight(one, rate) for one in states) < alpha:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def _weight(self, state: _State, rate: float) -> float:
        failures = state.trials - state.passes
        if (rate <= 0 and state.passes) or (rate >= 1 and failures):
            return 0.0
        log = state.log_weight
        if state.passes:
            log += state.passes * math.log(rate / self._rate)
        if failures:
            log += failures * math.log((1 - rate) / (1 - self._rate))
        return math.exp(log)


@lru_cache(maxsize=16)
def course_of(design: Design, rate: float) -> Course:
    """
    Return the course of a design, made once.
    """
    return Course(design, rate)


def _key(end: Stop | _State) -> tuple[int, int, int]:
    """
    Return what orders ends, the best last.
    """
    rank = _RANK[end.verdict]
    if end.verdict is Verdict.INCONCLUSIVE:
        return rank, end.passes, 0
    stage = -end.trials if end.verdict is Verdict.PASS else end.trials
    return rank, stage, end.passes


def _ends(design: Design, rate: float) -> tuple[list[_State], list[_State]]:
    """
    Return all ends of a design, and those of a run that also gives up in time.
    """
    whole = [*_walk(design, rate, gives_up=False)]
    return whole, [*_walk(design, rate, gives_up=True)]


def _walk(design: Design, rate: float, *, gives_up: bool) -> Iterable[_State]:
    """
    Yield each end with its probability at *rate*.

    Args:
        gives_up: End also where neither verdict can be reached any more.
    """
    uppers, lowers, trials = design.uppers, design.lowers, design.trials
    # Of n trials with s passes, pass is still possible while s - n >= spare, and fail
    # while s <= most: what all successes, or all failures, would reach in the end.
    spare = min(upper - n for n, upper in enumerate(uppers) if n)
    most = lowers[trials]
    alive = {0: 1.0}
    lose = 1 - rate
    for n in range(1, trials + 1):
        grown: dict[int, float] = {}
        for passes, weight in alive.items():
            grown[passes] = grown.get(passes, 0.0) + weight * lose
            grown[passes + 1] = grown.get(passes + 1, 0.0) + weight * rate
        alive = {}
        for passes, weight in grown.items():
            verdict = None
            if passes >= uppers[n]:
                verdict = Verdict.PASS
            elif passes <= lowers[n]:
                verdict = Verdict.FAIL
            elif n == trials or (gives_up and passes > most and passes - n < spare):
                verdict = Verdict.INCONCLUSIVE
            if verdict is None:
                alive[passes] = weight
            elif weight > 0:
                yield _State(verdict, n, passes, math.log(weight))
