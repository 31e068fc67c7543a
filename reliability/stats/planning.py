"""
What so many trials can show: the chance of each verdict, and how many trials it takes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reliability.stats.course import Chances, course_of
from reliability.stats.design import MOST_SEQUENTIAL, design_of, fixed_design
from reliability.stats.interval import tail

if TYPE_CHECKING:
    from reliability.gate import Gate

_LASTING = 10
"""How many numbers of trials in a row must do, before the first of them is named."""


def chances_of(trials: int, rate: float, true_rate: float, *, gate: Gate) -> Chances:
    """
    Return how a run of one claim ends.

    Args:
        rate: What is asked, above 0 to 1.
        true_rate: What the agent has, from 0 to 1.
        gate: For its confidence and for whether it stops early; the tests of runs
            too long for a sequential design are those of a fixed number of trials.
    """
    if rate >= 1:
        return _plain(trials, true_rate, stops=gate.early_stop)
    alpha = gate.alpha
    if gate.early_stop and trials <= MOST_SEQUENTIAL:
        design = design_of(trials, rate, alpha_pass=alpha, alpha_fail=alpha)
        return course_of(design, rate).chances(true_rate)
    design = fixed_design(trials, rate, alpha, alpha)
    fewest, most = design.uppers[trials], design.lowers[trials]
    passes = tail(fewest, trials, true_rate)
    fails = tail(trials - most, trials, 1 - true_rate)
    return Chances(passes, fails, float(trials))


def trials_for(
    rate: float, true_rate: float, *, gate: Gate, power: float, most: int
) -> int | None:
    """
    Return the fewest trials that pass an agent of *true_rate* with the chance *power*.

    The chance does not rise evenly with the trials; from the number returned on the
    next ten have it too.

    Args:
        most: Beyond this, None is returned.
    """
    if true_rate <= rate or rate >= 1:
        return None
    trials = math.ceil(math.log(gate.alpha) / math.log(rate))
    step = 1
    good: list[int] = []
    while trials <= most:
        if chances_of(trials, rate, true_rate, gate=gate).passes >= power:
            good.append(trials)
            if len(good) > _LASTING or trials + step > most:
                return good[0]
        else:
            good.clear()
            step = max(1, trials // 50)
        trials += 1 if good else step
    return None


def _plain(trials: int, true_rate: float, *, stops: bool) -> Chances:
    """
    Return how a run ends by the rule that every trial must pass.
    """
    passes = true_rate**trials
    mean = float(trials)
    if stops and true_rate < 1:
        mean = (1 - passes) / (1 - true_rate)
    return Chances(passes, 1 - passes, mean)
