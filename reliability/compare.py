"""
Two logs: is the agent of the second one worse than that of the first?

What is asked and how it is graded must be the same in both; agent, model and everything
else may differ, that is what is compared. A log that was stopped early is refused: how
many trials it has depends on how they came out, so its rate is no fair one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.errors import MeasureError, UsageError
from reliability.gate import EARLY_STOP
from reliability.journal.schema import read_run_events
from reliability.model import RunStatus
from reliability.results import read_result
from reliability.stats.comparison import Comparison, Pair, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reliability.run_result import CaseResult, RunResult
    from reliability.suite import Suite

_SAME = ("prompt", "variables", "checks", "pass_mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """
    Two runs and what their difference shows.

    Args:
        notes: What a reader must know besides the numbers, as sentences.
    """

    base: RunResult
    head: RunResult
    comparison: Comparison
    notes: tuple[str, ...]


def compare_logs(
    base: Path,
    head: Path,
    *,
    margin: float | None = None,
    confidence: float = 0.95,
    allow_changed: bool = False,
) -> Compared:
    """
    Compare the run of *head* with that of *base*.

    Args:
        base, head: Logs, or the `results.json` that lies beside one.
        margin, confidence: As for `stats.comparison.compare`.
        allow_changed: Compare cases whose prompt or checks differ, and say so.

    Raises:
        UsageError: when the logs ask or check different things, or one was stopped
            early.
        JournalError: when a log cannot be read.
        MeasureError: when no case was measured in both.
    """
    paths = [_log(path) for path in (base, head)]
    runs = [read_result(path) for path in paths]
    _refuse_early_stopped(runs)
    before, after = ({case.plan.name: case for case in run.cases} for run in runs)
    shared = [name for name in after if name in before]
    changed = list(_changed(_asked(paths[0]), _asked(paths[1]), shared))
    if changed and not allow_changed:
        raise UsageError(
            changed,
            remedy="Compare runs of the same cases, or give --allow-changed.",
        )
    notes = [*changed, *_notes(runs, before, after)]
    pairs = [Pair.of(name, before[name].tally, after[name].tally) for name in shared]
    try:
        found = compare(pairs, margin=margin, confidence=confidence)
    except ValueError as error:
        raise MeasureError(
            f"{paths[0].name} and {paths[1].name} cannot be compared: {error}.",
            remedy="Give two logs that have a case in common.",
        ) from None
    return Compared(base=runs[0], head=runs[1], comparison=found, notes=tuple(notes))


def baseline_of(path: Path, suite: Suite) -> dict[str, tuple[int, int, int]]:
    """
    Return what a run of the same cases measured: passed, measured and lost of each.

    Raises:
        UsageError: when it asks or checks something else, or was stopped early.
        JournalError: when the log cannot be read.
    """
    log = _log(path)
    result = read_result(log)
    _refuse_early_stopped([result])
    now = {case.name: json.loads(json.dumps(case.as_json())) for case in suite.cases}
    before = _asked(log)
    shared = [name for name in now if name in before]
    problems = list(_changed(before, now, shared))
    if not shared:
        problems.append(f"No case of this run is in {log.name}.")
    if problems:
        raise UsageError(problems, remedy="Give a log of the same cases.")
    return {
        case.plan.name: (case.tally.passed, case.tally.measured, case.tally.lost)
        for case in result.cases
        if case.plan.name in now
    }


def _log(path: Path) -> Path:
    """
    Return the log that *path* is, or that a `results.json` names.
    """
    if path.suffix != ".json":
        return path
    try:
        named = json.loads(path.read_bytes())["log"]
        return path.parent / Path(str(named)).name
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{path} is no results.json: {error}.", remedy="Give the log, a .jsonl."
        ) from None


def _refuse_early_stopped(runs: list[RunResult]) -> None:
    stopped = [run.log for run in runs if run.stopped_by == EARLY_STOP]
    if stopped:
        raise UsageError(
            f"Stopped early, so its rate is no fair one: {', '.join(stopped)}.",
            remedy="Measure with early-stop off what you want to compare, or use "
            "'reliability run --against'.",
        )


def _asked(path: Path) -> dict[str, Mapping[str, Any]]:
    """
    Return what each case asks and checks, by its name.
    """
    start = next(iter(read_run_events(path)))
    return {case["name"]: case for case in start.fields["cases"]}


def _changed(
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    shared: list[str],
) -> Iterator[str]:
    for name in shared:
        for field in _SAME:
            if before[name].get(field) != after[name].get(field):
                word = field.replace("_", " ")
                yield f"The {word} of case {name} differs between the logs."


def _notes(
    runs: list[RunResult],
    before: Mapping[str, CaseResult],
    after: Mapping[str, CaseResult],
) -> Iterator[str]:
    for name in before.keys() ^ after.keys():
        yield f"Case {name} is in one of the logs alone, and is not compared."
    for run in runs:
        if run.status in {RunStatus.STARTED, RunStatus.CANCELLED}:
            yield f"The run of {Path(run.log).name} did not come to its end."
    if runs[0].simulated != runs[1].simulated:
        yield "One of the runs was simulated, and the other was not."
