"""
Trials that were measured, read one by one from a log.

A trial is kept when it passed or failed. One that could not be measured, that never
ended or never began is passed over, and so is everything else in the log. A trial that
an earlier log has taken over already keeps the run and the number that it had there.

Answers are held only of trials that are under way at that place of the log.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields as fields_of
from typing import TYPE_CHECKING, Any

from reliability.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.journal import Event

KEPT_OUTCOMES = frozenset({Outcome.PASS, Outcome.FAIL})
"""Outcomes that say something about the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrial:
    """
    A trial that was measured; its fields are those of the event `trial_reused`.

    Args:
        score: As its `trial_finished` had it.
        answer: The whole answer of the last attempt.
        cost_usd: Over all attempts; None when no attempt knew its price.
        priced: Attempts whose price is known, of `attempts`.
        usage: Tokens over all attempts, by kind.
        troubles: Kinds of trouble of its attempts, in order.
        from_run, from_trial: The run that measured it and its number there: who it is,
            however often it was taken over.
        changed: It was measured under other conditions than the log's own.
    """

    trial: int
    case: str
    loop: int
    outcome: Outcome
    kind: str
    reason: str
    checks: Sequence[Mapping[str, Any]]
    score: float | None
    attempts: int
    duration_s: float
    waited_s: float
    cost_usd: float | None
    priced: int
    turns: int | None
    usage: Mapping[str, int]
    answer: str
    troubles: Sequence[str]
    started_utc: str
    from_run: str
    from_trial: int
    changed: bool


def planned_trials(start: Mapping[str, Any]) -> int:
    """
    Return how many trials a run was to have.

    Args:
        start: The fields of its `run_started`.
    """
    return sum(int(case["loops"]) for case in start["cases"])


@dataclass(slots=True)
class _Open:
    """
    A trial while its attempts are read.
    """

    started_utc: str = ""
    answer: str = ""
    turns: int | None = None
    cost_usd: float | None = None
    priced: int = 0
    usage: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)


class KeptReader:
    """
    A log while its events are read.

    Args:
        start, finish: Fields of `run_started` and `run_finished`, once they were read.
    """

    def __init__(self) -> None:
        self.run_id = ""
        self.start: Mapping[str, Any] = {}
        self.finish: Mapping[str, Any] = {}
        self._open: dict[int, _Open] = {}
        self._kept: set[int] = set()

    def take(self, event: Event) -> KeptTrial | None:
        """
        Read one event; return the trial that it completes, if that is to be kept.
        """
        fields = event.fields
        match event.event:
            case "run_started":
                self.run_id, self.start = event.run_id, fields
            case "trial_started":
                self._open[fields["trial"]] = _Open(event.time)
            case "attempt_finished":
                self._take_attempt(fields)
            case "question_finished":
                self._add_cost(self._open[fields["trial"]], fields)
            case "trial_finished":
                return self._checked(self._ended(fields))
            case "trial_reused":
                return self._checked(_taken_over(fields))
            case "run_finished":
                self.finish = fields
        return None

    def _take_attempt(self, fields: Mapping[str, Any]) -> None:
        trial = self._open[fields["trial"]]
        trial.answer, trial.turns = fields["answer"], fields["turns"]
        if fields["kind"]:
            trial.troubles.append(fields["kind"])
        self._add_cost(trial, fields)
        trial.priced += fields["cost_usd"] is not None

    def _add_cost(self, trial: _Open, fields: Mapping[str, Any]) -> None:
        """
        Add what a call took, of the agent's or of a judge's.
        """
        trial.usage.update(fields["usage"])
        if fields["cost_usd"] is not None:
            trial.cost_usd = (trial.cost_usd or 0.0) + fields["cost_usd"]

    def _ended(self, fields: Mapping[str, Any]) -> KeptTrial | None:
        trial = self._open.pop(fields["trial"])
        if Outcome(fields["outcome"]) not in KEPT_OUTCOMES:
            return None
        return _taken_over(
            {
                **fields,
                "cost_usd": trial.cost_usd,
                "priced": trial.priced,
                "turns": trial.turns,
                "usage": dict(trial.usage),
                "answer": trial.answer,
                "troubles": trial.troubles,
                "started_utc": trial.started_utc,
                "from_run": self.run_id,
                "from_trial": fields["trial"],
                "changed": False,
            }
        )

    def _checked(self, trial: KeptTrial | None) -> KeptTrial | None:
        """
        Refuse a trial that is not in the plan, or is there twice.
        """
        if trial is None:
            return None
        number = trial.trial
        if not 1 <= number <= planned_trials(self.start) or number in self._kept:
            raise ValueError(f"trial {number} is twice there, or not in the plan")
        self._kept.add(number)
        return trial


KEPT_FIELDS = tuple(one.name for one in fields_of(KeptTrial))
"""Names of the fields of the event `trial_reused`, in their order."""


def _taken_over(fields: Mapping[str, Any]) -> KeptTrial:
    known = {name: fields[name] for name in KEPT_FIELDS}
    return KeptTrial(**known | {"outcome": Outcome(fields["outcome"])})
