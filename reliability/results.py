"""
From a log to a `RunResult`: reports are computed from the log and from nothing else.

A log without an end is read too: trials that started and never ended are `unknown`, and
the verdict is `invalid`. Neither log nor trials are held in memory: see `trials`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reliability.gate import Gate
from reliability.journal import present_sha256, recorded_sha256
from reliability.journal.schema import (
    FIELD_ERRORS,
    changed_error,
    malformed_error,
    no_beginning_error,
    read_run_events,
)
from reliability.model import Outcome, RunStatus, Usage
from reliability.reading import CaseSums, Reading
from reliability.run_result import CasePlan, CaseResult, RunResult, Tally
from reliability.stats import Referee, total

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.journal import Event
    from reliability.stats import Judged


def read_result(path: Path) -> RunResult:
    """
    Compute everything that is reported of a run from its log.

    Raises:
        JournalError: when the log is damaged, not one of ours, or of a later schema.
    """
    reading = Reading()
    try:
        for event in read_run_events(path):
            reading.take(event)
        if reading.start_event is None:
            raise no_beginning_error(path)
        reading.close_unknown()
        return _result(path, reading, reading.start_event)
    except FIELD_ERRORS as error:
        raise malformed_error(path, error) from None


def _duration_s(reading: Reading, start_event: Event) -> float:
    """
    Return how long the run took; of a killed one, until its last event.
    """
    if reading.finish:
        return float(reading.finish["duration_s"])
    began, ended = (
        datetime.fromisoformat(moment)
        for moment in (start_event.time, reading.last_time or start_event.time)
    )
    return max(0.0, (ended - began).total_seconds())


def _locked_sha256(path: Path) -> str:
    """
    Return the hash that a log was locked with; empty when it was not.

    Raises:
        JournalError: when the log is no longer the one that was locked.
    """
    recorded = recorded_sha256(path)
    if recorded is None:
        return ""
    present = present_sha256(path)
    if present != recorded:
        raise changed_error(path, present=present, recorded=recorded)
    return present


def _cases(
    reading: Reading, gate: Gate, status: RunStatus, stopped_by: str
) -> tuple[tuple[CaseResult, ...], Judged]:
    """
    Return what came of each case, and the verdict of them all.
    """
    plans = [CasePlan.of(case) for case in reading.start["cases"]]
    sums = [reading.cases.get(plan.name, CaseSums()) for plan in plans]
    outcomes = reading.store.outcomes()
    tallies = [
        Tally(
            planned=plan.planned,
            passed=outcomes[plan.name, Outcome.PASS],
            failed=outcomes[plan.name, Outcome.FAIL],
            invalid=outcomes[plan.name, Outcome.INVALID],
            unknown=outcomes[plan.name, Outcome.UNKNOWN],
            cut=one.cut,
        )
        for plan, one in zip(plans, sums, strict=True)
    ]
    referee = Referee(gate, plans)
    if gate.early_stop:
        for trial in reading.store.ends():
            referee.settle(*trial)
    judged, each = referee.judge(tallies, status, stopped_by)
    cases = (
        CaseResult(
            plan=plan,
            tally=tally,
            verdict=of_case.verdict,
            reason=of_case.reason,
            lower=of_case.lower,
            upper=of_case.upper,
            mean_score=one.score / one.scored if one.scored else None,
            cost_usd=one.cost_usd if one.priced else None,
            worked_s=round(one.worked_s, 6),
        )
        for plan, one, tally, of_case in zip(plans, sums, tallies, each, strict=True)
    )
    return tuple(cases), judged


def _result(path: Path, reading: Reading, start_event: Event) -> RunResult:
    """
    Put together what the events said.
    """
    start, finish = reading.start, reading.finish
    trials = reading.store.trials()
    status = RunStatus(finish.get("status", RunStatus.STARTED))
    stopped_by = str(finish.get("stopped_by", ""))
    gate = Gate.read(start)
    cases, judged = _cases(reading, gate, status, stopped_by)
    tally = total(case.tally for case in cases)
    return RunResult(
        run_id=start_event.run_id,
        agent=start["agent"],
        backend=start["backend"],
        model=start["options"]["model"],
        context=start["options"]["context"],
        prompt=start["prompt"],
        simulated=start["simulated"],
        status=status,
        verdict=judged.verdict,
        reason=judged.reason,
        tally=tally,
        lower=judged.lower,
        upper=judged.upper,
        confidence=gate.confidence,
        started_utc=start_event.time,
        duration_s=_duration_s(reading, start_event),
        attempts=reading.attempts,
        priced=reading.priced,
        cost_usd=reading.cost_usd if reading.priced else None,
        usage=Usage(**reading.usage),
        troubles=dict(reading.troubles),
        warnings=tuple(start["warnings"]),
        cases=cases,
        trials=trials,
        options=start["options"],
        versions=start["versions"],
        fingerprint=start["fingerprint"],
        log=str(path),
        log_sha256=_locked_sha256(path) if reading.ended else "",
        signal_number=finish.get("signal"),
        stopped_by=stopped_by,
        worked_s=round(reading.worked_s, 6),
        waited_s=round(reading.waited_s, 6),
        retried=reading.retried,
        reused=reading.reused,
        reused_changed=reading.reused_changed,
        earlier=tuple(str(one["run_id"]) for one in start.get("earlier", ())),
        changed=tuple(map(str, start.get("changed", ()))),
        comparison=judged.comparison.as_json() if judged.comparison else None,
    )
