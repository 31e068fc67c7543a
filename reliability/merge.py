"""
Join logs of one plan: shards of a matrix job, or a killed run's log and those after it.

A trial is the same trial wherever it was taken over to: the run that measured it and
its number there say who it is, and it counts once. Only what was measured is taken
over; a log that another one went on with adds trials, and no plan of its own. So a
trial that was invalid at first and passed or failed when it was run again counts as
that.

Loops are numbered anew. The merged log is a log like any other: it is locked, reports
are computed from it, and it can be resumed.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.clock import Clock, SystemClock
from reliability.earlier import Earlier, read_earlier
from reliability.engine.recorder import Recorder
from reliability.errors import UsageError
from reliability.gate import EARLY_STOP, Gate
from reliability.model import RunStatus, Setup
from reliability.redact import Redactor, secrets_of
from reliability.run import open_log, report
from reliability.run_result import CasePlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reliability.kept import KeptTrial
    from reliability.run_result import RunResult

# The worst first.
_STATUSES = (
    RunStatus.STARTED,
    RunStatus.CANCELLED,
    RunStatus.STOPPED,
    RunStatus.COMPLETED,
)


def merge(
    paths: Sequence[Path],
    output_dir: Path,
    *,
    allow_changed: bool = False,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> RunResult:
    """
    Write a log with the trials of all logs, lock it, and write its reports.

    Args:
        paths: The logs, at least one. Under whose conditions the others must have been
            measured is the first one's.
        allow_changed: Join logs whose conditions differ, and label those trials.
        environ: Holds the secrets that are redacted; None for this process's own.
        clock: None for the machine's own.

    Raises:
        UsageError: when logs do not belong together.
        JournalError: when one cannot be read, or the new one not be written.
        ReportsError: when a report cannot be written; it carries the result.
    """
    clock = clock or SystemClock()
    redactor = Redactor(secrets_of(os.environ if environ is None else environ))
    logs = _alike(
        [read_earlier(path, allow_changed=allow_changed, clock=clock) for path in paths]
    )
    heads = _heads(logs)
    cases = _planned(heads, logs)
    worst = min(heads, key=lambda log: _STATUSES.index(log.status))
    base_name = logs[0].start["options"]["filename"]
    with open_log(output_dir, base_name, clock=clock, redactor=redactor) as journal:
        plans = [CasePlan.of(case) for case in cases]
        recorder = Recorder(journal, plans=plans, gate=_gate(logs), clock=clock)
        _begin_log(recorder, logs, cases)
        for trial in _numbered(logs):
            recorder.trial_reused(trial)
        recorder.run_finished(
            worst.status,
            signal_number=worst.finish.get("signal"),
            stopped_by=worst.finish.get("stopped_by", ""),
        )
        return report(journal.path, output_dir)


def _alike(logs: Sequence[Earlier]) -> list[Earlier]:
    """
    Return each log once, compared with the first.

    Raises:
        UsageError: when conditions differ and may not, or two logs are of one run.
    """
    found: dict[str, Earlier] = {}
    for log in logs:
        same = found.get(log.run_id)
        if same is None:
            now = logs[0].conditions
            found[log.run_id] = log.accepted(now, same_loops=False)
        elif same.sha256 != log.sha256:
            raise UsageError(
                f"{same.path} and {log.path} are two logs of run {log.run_id}, and "
                "not the same.",
                remedy="Give the one that is whole.",
            )
    return list(found.values())


def _gate(logs: Sequence[Earlier]) -> Gate:
    """
    Return the gate of the first log, for a number of trials that is fixed by now.

    Raises:
        UsageError: when a log was stopped early: what it left out depends on outcomes.
    """
    stopped = [log for log in logs if log.finish.get("stopped_by") == EARLY_STOP]
    if stopped:
        names = ", ".join(log.path.name for log in stopped)
        raise UsageError(
            f"Stopped early, so not to be counted together with others: {names}.",
            remedy="Run the shards with early-stop off, and merge those logs.",
        )
    return replace(Gate.read(logs[0].start), early_stop=False)


def _heads(logs: Sequence[Earlier]) -> list[Earlier]:
    """
    Return the logs that no other one of them went on with.
    """
    before = {one["run_id"] for log in logs for one in log.start.get("earlier", ())}
    return [log for log in logs if log.run_id not in before]


def _planned(heads: Sequence[Earlier], logs: Sequence[Earlier]) -> list[dict[str, Any]]:
    """
    Return the cases with the loops of all plans; a trial in two of them counts once.

    There are more when a trial was measured twice: a copy of a log was gone on with,
    and so was the log itself.
    """
    shared: Counter[str] = Counter()
    measured: Counter[str] = Counter()
    seen: set[tuple[str, int]] = set()
    for log in heads:
        for trial in log.trials():
            who = (trial.from_run, trial.from_trial)
            shared[trial.case] += who in seen
            seen.add(who)
    for trial in _numbered(logs):
        measured[trial.case] += 1
    cases = []
    for case in heads[0].start["cases"]:
        name = case["name"]
        loops = sum(
            one["loops"]
            for log in heads
            for one in log.start["cases"]
            if one["name"] == name
        )
        cases.append({**case, "loops": max(loops - shared[name], measured[name])})
    return cases


def _measured(logs: Sequence[Earlier]) -> int:
    return len({who for log in logs for who in log.kept.values()})


def _begin_log(
    recorder: Recorder, logs: Sequence[Earlier], cases: Sequence[Mapping[str, Any]]
) -> None:
    first = logs[0].start
    most = max(case["loops"] for case in cases)
    warnings = [text for log in logs for text in log.start["warnings"]]
    changed = [
        f"{log.path.name}: {text}" if text in log.differences else text
        for log in logs
        for text in log.changed
    ]
    lineage = {one["run_id"]: one for log in logs for one in log.lineage}
    recorder.run_started(
        Setup(
            versions=first["versions"],
            fingerprint=first["fingerprint"],
            warnings=tuple(dict.fromkeys(warnings)),
            simulated=first["simulated"],
        ),
        {
            **{name: first[name] for name in ("agent", "backend", "prompt", "suite")},
            "cases": list(cases),
            "loops": most,
            "options": {**first["options"], "loops": most},
            "earlier": list(lineage.values()),
            "changed": list(dict.fromkeys(changed)),
            "reused": _measured(logs),
        },
    )


def _numbered(logs: Sequence[Earlier]) -> Iterator[KeptTrial]:
    """
    Yield each trial once, with its number and loop in the merged log.
    """
    seen: set[tuple[str, int]] = set()
    loops: Counter[str] = Counter()
    for log in logs:
        for trial in log.trials():
            who = (trial.from_run, trial.from_trial)
            if who in seen:
                continue
            seen.add(who)
            loops[trial.case] += 1
            yield replace(trial, trial=len(seen), loop=loops[trial.case])
