"""
Writes a run's events to its log as they happen, and counts them.

Nothing that is reported later comes from here: results are read from the log again. The
counts serve the verdict line that ends the log, and the progress display.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from reliability.engine.grading import outcome_of
from reliability.errors import JournalError
from reliability.kept import KEPT_FIELDS, KeptTrial
from reliability.model import (
    SCHEMA_VERSION,
    CheckResult,
    Outcome,
    Reply,
    RunStatus,
    Setup,
    Trial,
    Usage,
)
from reliability.run_result import Tally
from reliability.stats import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.clock import Clock
    from reliability.engine.governor import Change
    from reliability.engine.task import Attempted, Task
    from reliability.journal import Journal
    from reliability.limits import Hold

# Names that hold one of a few words of ours, which the log is read back by.
_OWN_WORDS = frozenset({"backend", "kind", "outcome", "status", "troubles", "verdict"})

_ROUND = 6  # Microseconds and millionths of a dollar: more digits are noise.


class Display(Protocol):
    """
    Whoever shows a person how far the run is.
    """

    def begin(self, *, simulated: bool) -> None:
        """
        Hear that the run begins.
        """

    def show(
        self, tally: Tally, *, in_flight: int, waiting: int, hold: Hold | None
    ) -> None:
        """
        Show the counts; called many times a second.
        """

    def close(self) -> None:
        """
        Leave nothing behind that the next output would run into.
        """


class Recorder:
    """
    The scheduler's observer that keeps the log.

    Args:
        planned: Trials that the run is to have.
        display: Is shown the counts; None for nobody.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        planned: int,
        clock: Clock,
        display: Display | None = None,
    ) -> None:
        self._journal = journal
        self._planned = planned
        self._display = display
        self._clock = clock
        self.began_mono_s = clock.monotonic_s()
        self._outcomes: Counter[Outcome] = Counter()

    @property
    def tally(self) -> Tally:
        """
        The counts so far.
        """
        return Tally(
            planned=self._planned,
            passed=self._outcomes[Outcome.PASS],
            failed=self._outcomes[Outcome.FAIL],
            invalid=self._outcomes[Outcome.INVALID],
        )

    def run_started(self, setup: Setup, facts: dict[str, Any]) -> None:
        """
        Log what is run, with what, and how.
        """
        event = {
            "schema": SCHEMA_VERSION,
            "simulated": setup.simulated,
            **facts,
            "versions": dict(setup.versions),
            "fingerprint": dict(setup.fingerprint),
            "warnings": [*setup.warnings, *self._journal.warnings],
        }
        self._journal.append("run_started", event)
        if self._display is not None:
            self._display.begin(simulated=setup.simulated)

    def trial_reused(self, trial: KeptTrial) -> None:
        """
        Log and count a trial that an earlier run has measured.
        """
        self._outcomes[trial.outcome] += 1
        event = {name: getattr(trial, name) for name in KEPT_FIELDS}
        self._journal.append("trial_reused", event)

    def trial_started(self, trial: Trial) -> None:
        """
        Log that *trial* begins.
        """
        event = {"trial": trial.number, "case": trial.case, "loop": trial.loop}
        self._journal.append("trial_started", event)

    def attempt_finished(
        self, task: Task, attempted: Attempted, retry_in_s: float | None
    ) -> None:
        """
        Log an attempt with all its evidence.
        """
        event = {
            "trial": task.number,
            "attempt": task.attempt,
            **_reply_fields(attempted.reply),
            "waited_s": round(task.waited_s, _ROUND),
            "retry_in_s": None if retry_in_s is None else round(retry_in_s, _ROUND),
        }
        try:
            self._journal.append("attempt_finished", event)
        except JournalError as error:
            # One event that is no line must not end the run; a dead log must.
            self._journal.check()
            self._journal.append(
                "attempt_finished", {**event, "evidence": {"left_out": str(error)}}
            )

    def trial_finished(self, task: Task, attempted: Attempted) -> None:
        """
        Log and count how *task* ended.
        """
        outcome, reason = outcome_of(attempted)
        self._outcomes[outcome] += 1
        trouble = attempted.reply.trouble
        event = {
            "trial": task.number,
            "case": task.trial.case,
            "loop": task.trial.loop,
            "outcome": outcome,
            "kind": trouble.kind if trouble else "",
            "reason": reason,
            "checks": [_flat(check) for check in attempted.checks],
            "attempts": task.attempt,
            "duration_s": round(task.worked_s, _ROUND),
            "waited_s": round(task.waited_s, _ROUND),
        }
        self._journal.append("trial_finished", event)

    def governor_changed(self, change: Change) -> None:
        """
        Log that attempts are let through in another way now.
        """
        event = {
            "reason": change.reason,
            "kind": change.kind,
            "in_flight_limit": change.in_flight_limit,
            "per_minute": change.per_minute and round(change.per_minute, 3),
            "paused_s": round(change.paused_s, 3),
        }
        self._journal.append("governor_changed", event)

    def tick(self, in_flight: int, waiting: int, hold: Hold | None) -> None:
        """
        Show the counts, and notice a log that can no longer be synced.
        """
        self._journal.check()
        if self._display is not None:
            self._display.show(
                self.tally, in_flight=in_flight, waiting=waiting, hold=hold
            )

    def run_finished(
        self, status: RunStatus, *, signal_number: int | None, stopped_by: str
    ) -> str:
        """
        Log the verdict, lock the log and return its SHA-256.

        Args:
            stopped_by: The trouble or the cap that stopped the run; empty for none.
        """
        verdict, reason = decide(self.tally, status, stopped_by=stopped_by)
        event = {
            "status": status,
            "signal": signal_number,
            "stopped_by": stopped_by,
            "verdict": verdict,
            "reason": reason,
            "counts": asdict(self.tally),
            "duration_s": round(self._clock.monotonic_s() - self.began_mono_s, _ROUND),
        }
        self._journal.append("run_finished", event)
        return self._journal.lock()


def redact_event(
    redact: Callable[[Any], Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Redact what an event says, but no name of a field and no word of ours.

    A key that happens to be `simulated` or `completed` would otherwise leave a log that
    cannot be read back.
    """
    if redact(fields) is fields:  # One look instead of one at each field.
        return dict(fields)
    clean: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _OWN_WORDS:
            clean[name] = value
        elif isinstance(value, dict) and name != "evidence":
            clean[name] = {inner: redact(one) for inner, one in value.items()}
        elif name == "checks":
            clean[name] = [
                {inner: redact(one) for inner, one in check.items()} for check in value
            ]
        else:
            clean[name] = redact(value)
    return clean


def _flat(value: CheckResult | Usage) -> dict[str, Any]:
    """
    Return a value's fields, which hold no other values; `asdict` copies what they hold.
    """
    return {name: getattr(value, name) for name in value.__slots__}


def _reply_fields(reply: Reply) -> dict[str, Any]:
    """
    Return what the log keeps of a reply: all of it.
    """
    trouble = reply.trouble
    return {
        "kind": trouble.kind if trouble else "",
        "reason": trouble.text if trouble else "",
        "infrastructure": trouble is not None and trouble.rule.infrastructure,
        "answer": reply.answer,
        "errors": reply.errors,
        "duration_s": round(reply.duration_s, _ROUND),
        "cost_usd": None if reply.cost_usd is None else round(reply.cost_usd, 8),
        "usage": _flat(reply.usage),
        "model": reply.model,
        "session_id": reply.session_id,
        "turns": reply.turns,
        "tool_calls": list(reply.tools),
        "subagents": list(reply.subagents),
        "denied_tools": list(reply.denied_tools),
        "http_status": reply.http_status,
        "exit_code": reply.exit_code,
        "retry_after_s": trouble.retry_after_s if trouble else None,
        "evidence": dict(reply.evidence),
    }
