"""
What ended a run before all of its trials had run, in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.gate import EARLY_STOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.run_result import RunResult


def stop_row(
    result: RunResult, duration: Callable[[float], str]
) -> list[tuple[str, str]]:
    """
    Return label and text of what stopped a run; nothing when nothing did.

    Args:
        duration: Says seconds as a person would.
    """
    if result.stopped_by != EARLY_STOP:
        return [("Stopped by", result.stopped_by)] if result.stopped_by else []
    tally = result.tally
    saved = tally.not_run + tally.cut
    ran = tally.planned - saved
    text = f"after {ran} of {tally.planned} trials: the verdict is certain"
    if ran and saved:
        spared = [duration(result.duration_s * saved / ran)]
        if result.cost_usd and not result.simulated:
            spared.insert(0, f"${result.cost_usd * saved / ran:.2f}")
        text += f"; about {' and '.join(spared)} not spent"
    return [("Stopped early", text)]
