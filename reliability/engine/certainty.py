"""
When a run has shown what it can show, and which trials may still matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.model import Trial
    from reliability.stats import Referee


class Certainty:
    """
    Asks the referee on behalf of the scheduler.

    Args:
        referee: None for a run whose trials are all run.
        drains: What is under way when the verdict is certain may end; else it is
            cancelled.
    """

    def __init__(self, referee: Referee | None = None, *, drains: bool = False) -> None:
        self._referee = referee
        self.drains = drains

    @property
    def is_reached(self) -> bool:
        """
        Whether no other trial can change the verdict.
        """
        return self._referee is not None and self._referee.is_certain

    def first_needed(
        self, trial: Trial | None, others: Iterator[Trial]
    ) -> Trial | None:
        """
        Pass over trials of cases whose own verdict is certain; None when none is left.
        """
        while (
            trial is not None
            and self._referee is not None
            and not self._referee.needs(*_place(trial))
        ):
            trial = next(others, None)
        return trial

    def wants(self, trial: Trial | None) -> bool:
        """
        Tell whether it is worth starting *trial* now.
        """
        if trial is None or self._referee is None:
            return True
        return self._referee.wants(*_place(trial))


def _place(trial: Trial) -> tuple[int, str, int]:
    return trial.number, trial.case, trial.loop
