"""
A run while the events of its log are read: what is added up, and its trials.

Memory holds the trials that are under way, the sums, and of each trial that has ended
what `trials` keeps in memory. A text is never held for longer than its event, save the
beginning of each answer, until its trial has ended.

A trial that was reused from another run counts as one of this run: its attempts, cost,
tokens and troubles too. Only the time that agents worked and waited is this run's own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reliability.kinds import CUT_KINDS
from reliability.model import CheckResult, Outcome
from reliability.run_result import TrialResult
from reliability.trials import TrialStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
class CaseSums:
    """
    What is added up over the trials of one case.

    Args:
        cut: Trials that a cap of the run ended.
        score: Sum over the trials that have one, which are `scored`.
        priced: Trials whose cost is known.
    """

    cut: int = 0
    score: float = 0.0
    scored: int = 0
    cost_usd: float = 0.0
    priced: int = 0
    worked_s: float = 0.0

    def add(self, trial: TrialResult) -> None:
        """
        Add a trial that has ended.
        """
        self.cut += trial.kind in CUT_KINDS
        self.worked_s += trial.duration_s
        if trial.score is not None:
            self.score += trial.score
            self.scored += 1
        if trial.cost_usd is not None:
            self.cost_usd += trial.cost_usd
            self.priced += 1


@dataclass(slots=True)
class Reading:
    """
    What the events said so far.

    Args:
        ended: The last event so far is the one that a whole log ends with.
        priced: Attempts whose price is known.
        worked_s, waited_s: Sums over the trials that this run measured itself.
        retried: Trials that needed more than one attempt.
        reused: Trials that another run measured.
        reused_changed: Those of them that were measured under other conditions.
        cases: Sums by the case's name.
    """

    start: Mapping[str, Any] = field(default_factory=dict)
    start_event: Event | None = None
    finish: Mapping[str, Any] = field(default_factory=dict)
    store: TrialStore = field(default_factory=TrialStore)
    open: dict[int, _Open] = field(default_factory=dict)
    last_time: str = ""
    ended: bool = False
    attempts: int = 0
    priced: int = 0
    cost_usd: float = 0.0
    worked_s: float = 0.0
    waited_s: float = 0.0
    retried: int = 0
    reused: int = 0
    reused_changed: int = 0
    cases: dict[str, CaseSums] = field(default_factory=dict)
    usage: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)

    def take(self, event: Event) -> None:
        """
        Read one event; kinds that are not known are passed over.

        Raises:
            LookupError, TypeError, ValueError: when it is not as it should be.
        """
        fields = event.fields
        self.last_time = event.time
        self.ended = event.event == "run_finished"
        match event.event:
            case "run_started":
                self.start, self.start_event = fields, event
            case "trial_started":
                self.open[fields["trial"]] = _Open(
                    fields["case"], fields["loop"], event.time
                )
            case "attempt_finished":
                self._take_attempt(fields)
            case "question_finished":
                self._take_question(fields)
            case "trial_finished":
                self._take_trial(fields)
            case "trial_reused":
                self._take_reused(fields)
            case "run_finished":
                self.finish = fields

    def close_unknown(self) -> None:
        """
        Turn the trials that never ended into unknown ones.
        """
        for number, trial in self.open.items():
            self._keep(
                TrialResult(
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
            )
        self.open.clear()

    def _take_attempt(self, fields: Mapping[str, Any]) -> None:
        trial = self.open.setdefault(fields["trial"], _Open())
        trial.attempts += 1
        trial.answer, trial.answer_cut = _beginning(fields["answer"])
        trial.turns = fields["turns"]
        self._count(fields["usage"], filter(None, [fields["kind"]]), attempts=1)
        if fields["cost_usd"] is not None:
            self.priced += 1
            self.cost_usd += fields["cost_usd"]
            trial.cost_usd = (trial.cost_usd or 0.0) + fields["cost_usd"]

    def _take_question(self, fields: Mapping[str, Any]) -> None:
        """
        Count what a judge took; it is no attempt of the agent's.
        """
        self._count(fields["usage"], filter(None, [fields["kind"]]), attempts=0)
        if fields["cost_usd"] is not None:
            self.cost_usd += fields["cost_usd"]
            trial = self.open[fields["trial"]]
            trial.cost_usd = (trial.cost_usd or 0.0) + fields["cost_usd"]

    def _take_trial(self, fields: Mapping[str, Any]) -> None:
        trial = self.open.pop(fields["trial"], _Open())
        self.worked_s += fields["duration_s"]
        self.waited_s += fields["waited_s"]
        self._keep(
            TrialResult(
                **_common(fields),
                attempts=trial.attempts,
                cost_usd=trial.cost_usd,
                turns=trial.turns,
                started_utc=trial.started_utc,
                answer=trial.answer,
                answer_cut=trial.answer_cut,
            )
        )

    def _take_reused(self, fields: Mapping[str, Any]) -> None:
        answer, answer_cut = _beginning(fields["answer"])
        attempts, troubles = fields["attempts"], fields["troubles"]
        self._count(fields["usage"], troubles, attempts=attempts)
        self.priced += fields["priced"]
        self.cost_usd += fields["cost_usd"] or 0.0
        self.reused += 1
        self.reused_changed += bool(fields["changed"])
        self._keep(
            TrialResult(
                **_common(fields),
                attempts=attempts,
                cost_usd=fields["cost_usd"],
                turns=fields["turns"],
                started_utc=fields["started_utc"],
                answer=answer,
                answer_cut=answer_cut,
                reused_from=fields["from_run"],
                changed=bool(fields["changed"]),
            )
        )

    def _count(
        self, usage: Mapping[str, int], kinds: Iterable[str], *, attempts: int
    ) -> None:
        self.attempts += attempts
        self.usage.update(usage)
        self.troubles.update(kinds)

    def _keep(self, trial: TrialResult) -> None:
        self.retried += trial.attempts > 1
        self.store.add(trial)
        self.cases.setdefault(trial.case, CaseSums()).add(trial)


def _beginning(answer: object) -> tuple[str, bool]:
    """
    Return as much of an answer as reports show, and whether there is more.
    """
    text = str(answer)
    return text[:ANSWER_CHARACTERS], len(text) > ANSWER_CHARACTERS


def _common(fields: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what a finished trial and a reused one are told in the same words.
    """
    return {
        "number": fields["trial"],
        "case": fields["case"],
        "loop": fields["loop"],
        "outcome": Outcome(fields["outcome"]),
        "reason": fields["reason"],
        "kind": fields["kind"],
        "duration_s": fields["duration_s"],
        "waited_s": fields["waited_s"],
        "checks": tuple(CheckResult(**check) for check in fields["checks"]),
        "score": fields["score"],
    }
