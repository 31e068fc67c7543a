"""
Trials for tests: one with usual values, and several as a log's reader keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reliability.model import Outcome
from reliability.run_result import TrialResult
from reliability.trials import TrialStore

if TYPE_CHECKING:
    from reliability.trials import Trials


def a_trial(number: int, **changes: Any) -> TrialResult:
    """
    Return a trial that passed; *changes* replace or add fields.
    """
    usual = {
        "number": number,
        "case": "prompt",
        "loop": number,
        "outcome": Outcome.PASS,
        "answer": f"Hello {number}",
    }
    return TrialResult(**usual | changes)


def stored(*trials: TrialResult) -> Trials:
    """
    Return the trials as they are kept out of memory.
    """
    store = TrialStore()
    for trial in trials:
        store.add(trial)
    return store.trials()
