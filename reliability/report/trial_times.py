"""
The times of a run's trials that may be compared and summed up.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reliability.kinds import CUT_KINDS, ErrorKind
from reliability.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reliability.run_result import TrialResult


def times_by_case(trials: Iterable[TrialResult]) -> dict[str, list[float]]:
    """
    Return the seconds that agents worked, up to the first trial that has no end.

    Trials after one that was cut off, or that never began, are left out: those that
    had ended by then were the quicker ones. A trial that met its time limit is longer
    than all others, and one that was not measured says nothing.

    Args:
        trials: By number.
    """
    times: dict[str, list[float]] = {}
    for number, trial in enumerate(trials, 1):
        is_open = trial.kind in CUT_KINDS or trial.outcome is Outcome.UNKNOWN
        if is_open or trial.number != number:
            break
        if trial.outcome is Outcome.INVALID:
            continue
        timed_out = trial.kind == ErrorKind.TIMEOUT
        seconds = math.inf if timed_out else trial.duration_s
        times.setdefault(trial.case, []).append(seconds)
    return times
