"""
Calls that a user of the library would write; mypy reads them, nothing runs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reliability.earlier import read_earlier
from reliability.engine.cancellation import Cancellation
from reliability.journal import examine, read_events
from reliability.library import measure
from reliability.merge import merge
from reliability.model import (
    Verdict,
)
from reliability.results import read_result
from reliability.run import exit_code, run
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.run_result import RunResult


def is_reliable(agent: str) -> bool:
    """
    Run an agent and ask whether it passed.
    """
    settings = Settings.from_text({"agent": agent, "backend": "simulated"})
    result: RunResult = run(settings, workspace=Path(), cancellation=Cancellation())
    code: int = exit_code(result, settings.on_inconclusive)
    return result.verdict is Verdict.PASS and code == 0


def is_polite(answer: Callable[[str], str]) -> bool:
    """
    Measure a function of Python's.
    """
    result = measure(answer, prompt="Say hello.", loops=20, parallel=True)
    return result.cases[0].verdict is Verdict.PASS


def is_whole(log: Path) -> bool:
    """
    Read a log back and ask whether it is as it was locked.
    """
    numbers: list[int] = [event.seq for event in read_events(log)]
    return examine(log).ok and len(numbers) > read_result(log).tally.planned


def finish(log: Path) -> RunResult:
    """
    Run what a log lacks, with more workers.
    """
    earlier = read_earlier(log)
    settings = Settings.from_text({**earlier.texts(), "parallel": "true"})
    return run(settings, earlier=earlier)


def join(logs: list[Path]) -> float | None:
    """
    Return the pass rate over all logs.
    """
    return merge(logs, Path("all")).tally.pass_rate
