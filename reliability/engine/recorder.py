"""
Writes a run's events to its log as they happen, and counts them.

Nothing that is reported later comes from here: results are read from the log again. The
counts serve the verdict line that ends the log, and the progress display.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from reliability.engine.events import JUDGE_FIELDS, ROUND, check_fields, reply_fields
from reliability.engine.grading import outcome_of
from reliability.errors import JournalError
from reliability.gate import Gate
from reliability.kept import KEPT_FIELDS, KeptTrial
from reliability.kinds import CUT_KINDS
from reliability.model import (
    SCHEMA_VERSION,
    Outcome,
    Reply,
    RunStatus,
    Setup,
    Trial,
)
from reliability.run_result import Tally
from reliability.stats import Referee, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reliability.clock import Clock
    from reliability.engine.governor import Change
    from reliability.engine.task import Attempted, Task
    from reliability.grades import Question
    from reliability.journal import Journal
    from reliability.limits import Hold
    from reliability.run_result import CasePlan


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
        plans: The cases of the run.
        gate: What it must show; None for the plain rule.
        display: Is shown the counts; None for nobody.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        plans: Sequence[CasePlan],
        clock: Clock,
        gate: Gate | None = None,
        display: Display | None = None,
    ) -> None:
        self._gate = gate or Gate()
        self.referee = Referee(self._gate, plans)
        self._journal = journal
        self._plans = tuple(plans)
        self._display = display
        self._clock = clock
        self.began_mono_s = clock.monotonic_s()
        self._outcomes: Counter[tuple[str, Outcome]] = Counter()
        self._cut: Counter[str] = Counter()

    @property
    def tally(self) -> Tally:
        """
        The counts so far.
        """
        return total(self._tallies())

    def _tallies(self) -> list[Tally]:
        """
        Return the counts of each case so far.
        """
        return [
            Tally(
                planned=plan.planned,
                passed=self._outcomes[plan.name, Outcome.PASS],
                failed=self._outcomes[plan.name, Outcome.FAIL],
                invalid=self._outcomes[plan.name, Outcome.INVALID],
                cut=self._cut[plan.name],
            )
            for plan in self._plans
        ]

    def run_started(self, setup: Setup, facts: dict[str, Any]) -> None:
        """
        Log what is run, with what, and how.
        """
        event = {
            "schema": SCHEMA_VERSION,
            "simulated": setup.simulated,
            **facts,
            "gate": self._gate.as_json(),
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
        self._outcomes[trial.case, trial.outcome] += 1
        self.referee.settle(trial.trial, trial.case, trial.loop, trial.outcome)
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
            **reply_fields(attempted.reply),
            "waited_s": round(task.waited_s, ROUND),
            "retry_in_s": None if retry_in_s is None else round(retry_in_s, ROUND),
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
        case = task.trial.case
        self._outcomes[case, outcome] += 1
        self.referee.settle(task.number, case, task.trial.loop, outcome)
        trouble = attempted.reply.trouble
        if trouble is not None and trouble.kind in CUT_KINDS:
            self._cut[case] += 1
        event = {
            "trial": task.number,
            "case": case,
            "loop": task.trial.loop,
            "outcome": outcome,
            "kind": trouble.kind if trouble else "",
            "reason": reason,
            "checks": [check_fields(check) for check in attempted.checks],
            "score": attempted.score,
            "attempts": task.attempt,
            "duration_s": round(task.worked_s, ROUND),
            "waited_s": round(task.waited_s, ROUND),
        }
        self._journal.append("trial_finished", event)

    def question_finished(
        self,
        task: Task,
        question: Question,
        reply: Reply,
        retry_in_s: float | None,
    ) -> None:
        """
        Log what a model said when it was asked about a trial.
        """
        fields = reply_fields(reply)
        event = {
            "trial": task.number,
            "key": question.key,
            **{name: fields[name] for name in JUDGE_FIELDS},
            "retry_in_s": None if retry_in_s is None else round(retry_in_s, ROUND),
        }
        self._journal.append("question_finished", event)

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
        tallies = self._tallies()
        judged, _ = self.referee.judge(tallies, status, stopped_by)
        event = {
            "status": status,
            "signal": signal_number,
            "stopped_by": stopped_by,
            "verdict": judged.verdict,
            "reason": judged.reason,
            "counts": asdict(total(tallies)),
            "duration_s": round(self._clock.monotonic_s() - self.began_mono_s, ROUND),
        }
        self._journal.append("run_finished", event)
        return self._journal.lock()
