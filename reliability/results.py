"""
From a log to a `RunResult`: reports are computed from the log and from nothing else.

A log without an end is read too: trials that started and never ended are `unknown`, and
the verdict is `invalid`. Memory grows with the number of trials, not with their output:
of each answer only the beginning is kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reliability.errors import JournalError
from reliability.journal import examine, read_whole_events
from reliability.journal.schema import (
    FIELD_ERRORS,
    malformed_error,
    no_beginning_error,
    require_known_schema,
)
from reliability.kinds import KIND_RULES, ErrorKind
from reliability.model import (
    CheckResult,
    Outcome,
    RunStatus,
    Usage,
)
from reliability.run_result import RunResult, Tally, TrialResult
from reliability.stats import CONFIDENCE, decide, lower_bound, upper_bound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reliability.journal import Event

ANSWER_CHARACTERS = 2_000
"""How much of an answer a report shows; the whole of it is in the log."""


@dataclass(slots=True)
class _Open:
    """
    A trial while its events are read.
    """

    case: str = ""
    loop: int = 0
    started_utc: str = ""
    attempts: int = 0
    cost_usd: float | None = None
    turns: int | None = None
    answer: str = ""
    answer_cut: bool = False


@dataclass(slots=True)
class _Reading:
    """
    A run while its events are read.
    """

    start: Mapping[str, Any] = field(default_factory=dict)
    start_event: Event | None = None
    finish: Mapping[str, Any] = field(default_factory=dict)
    trials: dict[int, TrialResult] = field(default_factory=dict)
    open: dict[int, _Open] = field(default_factory=dict)
    last_time: str = ""
    attempts: int = 0
    priced: int = 0
    cost_usd: float = 0.0
    usage: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)

    def take(self, event: Event) -> None:
        """
        Read one event; kinds that are not known are passed over.
        """
        fields = event.fields
        self.last_time = event.time
        match event.event:
            case "run_started":
                self.start, self.start_event = fields, event
            case "trial_started":
                self.open[fields["trial"]] = _Open(
                    fields["case"], fields["loop"], event.time
                )
            case "attempt_finished":
                self._take_attempt(fields)
            case "trial_finished":
                self._take_trial(fields)
            case "run_finished":
                self.finish = fields

    def _take_attempt(self, fields: Mapping[str, Any]) -> None:
        trial = self.open.setdefault(fields["trial"], _Open())
        trial.attempts += 1
        answer = str(fields["answer"])
        trial.answer = answer[:ANSWER_CHARACTERS]
        trial.answer_cut = len(answer) > ANSWER_CHARACTERS
        trial.turns = fields["turns"]
        self.attempts += 1
        self.usage.update(fields["usage"])
        if fields["kind"]:
            self.troubles[fields["kind"]] += 1
        if fields["cost_usd"] is not None:
            self.priced += 1
            self.cost_usd += fields["cost_usd"]
            trial.cost_usd = (trial.cost_usd or 0.0) + fields["cost_usd"]

    def _take_trial(self, fields: Mapping[str, Any]) -> None:
        trial = self.open.pop(fields["trial"], _Open())
        self.trials[fields["trial"]] = TrialResult(
            number=fields["trial"],
            case=fields["case"],
            loop=fields["loop"],
            outcome=Outcome(fields["outcome"]),
            reason=fields["reason"],
            kind=fields["kind"],
            attempts=trial.attempts,
            duration_s=fields["duration_s"],
            waited_s=fields["waited_s"],
            cost_usd=trial.cost_usd,
            turns=trial.turns,
            started_utc=trial.started_utc,
            answer=trial.answer,
            answer_cut=trial.answer_cut,
            checks=tuple(CheckResult(**check) for check in fields["checks"]),
        )

    def close_unknown(self) -> None:
        """
        Turn the trials that never ended into unknown ones.
        """
        for number, trial in self.open.items():
            self.trials[number] = TrialResult(
                number=number,
                case=trial.case,
                loop=trial.loop,
                outcome=Outcome.UNKNOWN,
                reason="started and never ended: the run was killed",
                attempts=trial.attempts,
                cost_usd=trial.cost_usd,
                started_utc=trial.started_utc,
                answer=trial.answer,
                answer_cut=trial.answer_cut,
            )


def read_result(path: Path) -> RunResult:
    """
    Compute everything that is reported of a run from its log.

    Raises:
        JournalError: when the log is damaged, not one of ours, or of a later schema.
    """
    reading = _Reading()
    try:
        for event in read_whole_events(path):
            if event.event == "run_started":
                require_known_schema(path, event.fields["schema"])
            reading.take(event)
        if reading.start_event is None:
            raise no_beginning_error(path)
        reading.close_unknown()
        return _result(path, reading, reading.start_event)
    except FIELD_ERRORS as error:
        raise malformed_error(path, error) from None


def _is_fatal(kind: str) -> bool:
    return KIND_RULES[ErrorKind(kind)].fatal


def _duration_s(reading: _Reading, start_event: Event) -> float:
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


def _result(path: Path, reading: _Reading, start_event: Event) -> RunResult:
    """
    Put together what the events said.
    """
    start, finish = reading.start, reading.finish
    counts = Counter(trial.outcome for trial in reading.trials.values())
    tally = Tally(
        planned=start["loops"] * len(start["cases"]),
        passed=counts[Outcome.PASS],
        failed=counts[Outcome.FAIL],
        invalid=counts[Outcome.INVALID],
        unknown=counts[Outcome.UNKNOWN],
    )
    status = RunStatus(finish.get("status", RunStatus.STARTED))
    fatal = [t.kind for t in reading.trials.values() if t.kind and _is_fatal(t.kind)]
    verdict, reason = decide(tally, status, fatal_kind=fatal[0] if fatal else "")
    examination = examine(path)
    if examination.locked and examination.sha256 != examination.recorded_sha256:
        raise JournalError(
            f"{path} was changed after it was locked: its SHA-256 is "
            f"{examination.sha256}, not {examination.recorded_sha256}.",
            remedy="Use the log as it was in the artifact.",
        )
    return RunResult(
        run_id=start_event.run_id,
        agent=start["agent"],
        backend=start["backend"],
        model=start["options"]["model"],
        context=start["options"]["context"],
        prompt=start["prompt"],
        simulated=start["simulated"],
        status=status,
        verdict=verdict,
        reason=reason,
        tally=tally,
        lower=lower_bound(tally.passed, tally.measured, CONFIDENCE),
        upper=upper_bound(tally.passed, tally.measured, CONFIDENCE),
        confidence=CONFIDENCE,
        started_utc=start_event.time,
        duration_s=_duration_s(reading, start_event),
        attempts=reading.attempts,
        priced=reading.priced,
        cost_usd=reading.cost_usd if reading.priced else None,
        usage=Usage(**reading.usage),
        troubles=dict(reading.troubles),
        warnings=tuple(start["warnings"]),
        trials=tuple(reading.trials[number] for number in sorted(reading.trials)),
        options=start["options"],
        versions=start["versions"],
        fingerprint=start["fingerprint"],
        log=str(path),
        log_sha256=examination.sha256 if examination.locked else "",
        signal_number=finish.get("signal"),
    )
