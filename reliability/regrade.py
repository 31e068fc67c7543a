"""
Grade the trials of a log again, without a call, and say what changed.

The log tells what was answered and done; checks of today, from a suite or from the log
itself, say what that is worth. What they find stands in a new log, which names the old
one and is labelled; the old one is not touched. Where nothing changes, no log is made.

What a log does not hold cannot be graded anew: the agent's folder, and the answer of a
judge that was never asked. A check that needs it keeps what it said, if it is the same
check; else its trial is invalid. A trial that ended in trouble stays as it is, but for
a check's own, and so does one that was taken over from another log.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.clock import Clock, SystemClock
from reliability.earlier import Earlier, read_earlier
from reliability.engine.recorder import Recorder
from reliability.engine.regrading import Change, StoredTrials
from reliability.errors import UsageError
from reliability.gate import Gate
from reliability.model import Setup
from reliability.redact import Redactor, secrets_of
from reliability.run import open_log, report
from reliability.run_result import CasePlan
from reliability.suite import Case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.kept import KeptTrial
    from reliability.run_result import RunResult
    from reliability.settings import Settings
    from reliability.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Regraded:
    """
    What came of grading again.

    Args:
        graded: Trials that were graded again.
        notes: What was not, and why, as sentences.
        result: Of the new log; None when nothing changed, and there is none.
    """

    graded: int
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    result: RunResult | None


def regrade(
    log: Path,
    output_dir: Path,
    *,
    suite: Suite | None = None,
    allow_changed: bool = False,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> Regraded:
    """
    Grade a log again and, if that changes anything, write what it says now.

    Args:
        suite: Has the checks, by the names of its cases; None for the log's own.
        allow_changed: Grade answers to another prompt than the suite's, too.
        environ: Holds the secrets that are redacted; None for this process's own.
        clock: None for the machine's own.

    Raises:
        UsageError: when a case's prompt is another one, or a check cannot be made.
        JournalError: when the log cannot be read, or the new one not be written.
        ReportsError: when a report cannot be written; it carries the result.
    """
    clock = clock or SystemClock()
    earlier = read_earlier(log, clock=clock)
    cases, notes = _cases(earlier, suite, allow_changed=allow_changed)
    trials = StoredTrials(earlier, cases)
    found = list(trials.graded())
    notes += trials.notes()
    if not trials.changes:
        return Regraded(
            graded=trials.count, changes=(), notes=tuple(notes), result=None
        )
    redactor = Redactor(secrets_of(os.environ if environ is None else environ))
    base_name = earlier.start["options"]["filename"]
    with open_log(output_dir, base_name, clock=clock, redactor=redactor) as journal:
        plans = [CasePlan.of(case) for case in earlier.start["cases"]]
        gate = Gate.read(earlier.start)
        recorder = Recorder(journal, plans=plans, gate=gate, clock=clock)
        _begin_log(recorder, earlier, cases, trials.changes, found)
        for trial in found:
            recorder.trial_reused(trial)
        recorder.run_finished(
            earlier.status,
            signal_number=earlier.finish.get("signal"),
            stopped_by=earlier.finish.get("stopped_by", ""),
        )
        result = report(journal.path, output_dir)
    return Regraded(
        graded=trials.count,
        changes=tuple(trials.changes),
        notes=tuple(notes),
        result=result,
    )


def _cases(
    earlier: Earlier, suite: Suite | None, *, allow_changed: bool
) -> tuple[dict[str, Case], list[str]]:
    """
    Return the cases to grade by, and sentences on those that are not there.
    """
    logged = {case["name"]: case for case in earlier.start["cases"]}
    if suite is None:
        return {name: _of_log(case) for name, case in logged.items()}, []
    there = {case.name: case for case in suite.cases}
    other = [
        f"The prompt of case {name!r} is another one than in the log."
        for name, case in there.items()
        if name in logged and case.settings.prompt != logged[name]["prompt"]
    ]
    if other and not allow_changed:
        raise UsageError(
            other, remedy="Run again, or give --allow-changed to grade them even so."
        )
    missing = [name for name in logged if name not in there]
    notes = [f"The suite has no case {name!r}: it stays as it was." for name in missing]
    cases = {name: _of_log(logged[name]) for name in missing}
    return {**{name: there[name] for name in logged if name in there}, **cases}, notes


def _of_log(logged: Mapping[str, Any]) -> Case:
    """
    Return a case as the log describes it.
    """
    from reliability.checks.registry import check_classes
    from reliability.suites.statics import checks_of

    checks: Sequence[Any] = ()
    if logged["checks"]:
        text = json.dumps(logged["checks"], ensure_ascii=False)
        classes = check_classes()
        checks = checks_of(text, classes, folder=Path(), may_ask=True)
    return Case(
        name=logged["name"],
        settings=_settings_of(logged),
        checks=tuple(checks),
        pass_mark=logged["pass_mark"],
        variables=logged["variables"],
        tags=tuple(logged["tags"]),
    )


def _settings_of(logged: Mapping[str, Any]) -> Settings:
    from reliability.settings import Settings

    known = Settings.from_text({"agent": "any", "prompt": "any"})
    return replace(known, prompt=logged["prompt"])


def _begin_log(
    recorder: Recorder,
    earlier: Earlier,
    cases: Mapping[str, Case],
    changes: Sequence[Change],
    found: Sequence[KeptTrial],
) -> None:
    start = earlier.start
    label = (
        f"{earlier.path.name} was graded again: {len(changes)} of {len(found)} trials "
        "end otherwise now."
    )
    logged = [
        {
            **case,
            "checks": [weighed.spec() for weighed in cases[case["name"]].checks],
            "pass_mark": cases[case["name"]].pass_mark,
        }
        for case in start["cases"]
    ]
    names = ("agent", "backend", "prompt", "suite", "loops", "options")
    recorder.run_started(
        Setup(
            versions=start["versions"],
            fingerprint=start["fingerprint"],
            warnings=(*start["warnings"], label),
            simulated=start["simulated"],
        ),
        {
            **{name: start[name] for name in names},
            "cases": logged,
            "earlier": earlier.lineage,
            "changed": [*earlier.changed, label],
            "reused": len(found),
        },
    )
