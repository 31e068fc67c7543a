"""
The trials of a log, graded again by the evidence that the log has.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reliability.engine.events import check_fields
from reliability.engine.grading import grade_of, graded, outcome_of
from reliability.engine.task import Attempted
from reliability.errors import CheckError
from reliability.grades import Evidence, Grade
from reliability.journal import read_whole_events
from reliability.kept import KeptTrial
from reliability.kinds import ErrorKind
from reliability.model import Outcome, Reply, Trouble
from reliability.transcript import read_logged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reliability.earlier import Earlier
    from reliability.journal import Event
    from reliability.suite import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    A trial that ends otherwise now.

    Args:
        reason: Why it ends so now; empty for a pass.
    """

    trial: int
    case: str
    was: Outcome
    now: Outcome
    reason: str


@dataclass(slots=True)
class _Open:
    """
    A trial while its events are read.
    """

    attempts: list[Mapping[str, Any]]
    answers: dict[str, str]
    questions: list[Mapping[str, Any]]
    started_utc: str


class StoredTrials:
    """
    The trials of a log, graded again one by one.
    """

    def __init__(self, earlier: Earlier, cases: Mapping[str, Case]) -> None:
        self._earlier = earlier
        self._cases = cases
        self._before = {
            case["name"]: [_bare(check) for check in case["checks"]]
            for case in earlier.start["cases"]
        }
        self._open: dict[int, _Open] = {}
        self._left_alone: Counter[str] = Counter()
        self.changes: list[Change] = []
        self.count = 0

    def notes(self) -> list[str]:
        """
        Return sentences on what was not graded again.
        """
        return [f"{count} trials {why}." for why, count in self._left_alone.items()]

    def graded(self) -> Iterator[KeptTrial]:
        """
        Yield every trial that has ended, as it ends now.
        """
        for event in read_whole_events(self._earlier.path):
            trial = self._take(event)
            if trial is not None:
                yield trial

    def _take(self, event: Event) -> KeptTrial | None:
        fields = event.fields
        match event.event:
            case "trial_started":
                self._open[fields["trial"]] = _Open([], {}, [], event.time)
            case "attempt_finished":
                self._open[fields["trial"]].attempts.append(fields)
            case "question_finished":
                trial = self._open[fields["trial"]]
                trial.questions.append(fields)
                if not fields["kind"]:
                    trial.answers[fields["key"]] = fields["answer"]
            case "trial_finished":
                return self._ended(self._open.pop(fields["trial"]), fields)
            case "trial_reused":
                self._left_alone["were taken over from another log and stay"] += 1
                known = {name: fields[name] for name in _KEPT if name in fields}
                return KeptTrial(**known)
        return None

    def _ended(self, trial: _Open, fields: Mapping[str, Any]) -> KeptTrial:
        was = Outcome(fields["outcome"])
        now, reason, kind = was, fields["reason"], fields["kind"]
        checks, score = fields["checks"], fields["score"]
        if kind in {"", ErrorKind.CHECK_ERROR} and trial.attempts:
            self.count += 1
            attempted = self._grade(trial, fields)
            now, reason = outcome_of(attempted)
            trouble = attempted.reply.trouble
            kind = trouble.kind if trouble else ""
            checks = [check_fields(check) for check in attempted.checks]
            score = attempted.score
        else:
            self._left_alone["ended in trouble and stay as they are"] += 1
        if now is not was:
            self.changes.append(
                Change(
                    trial=fields["trial"],
                    case=fields["case"],
                    was=was,
                    now=now,
                    reason=reason,
                )
            )
        last = trial.attempts[-1] if trial.attempts else {}
        calls = [*trial.attempts, *trial.questions]
        prices = [one["cost_usd"] for one in calls if one["cost_usd"] is not None]
        usage: Counter[str] = Counter()
        for one in calls:
            usage.update(one["usage"])
        return KeptTrial(
            trial=fields["trial"],
            case=fields["case"],
            loop=fields["loop"],
            outcome=now,
            kind=kind,
            reason=reason,
            checks=checks,
            score=score,
            attempts=fields["attempts"],
            duration_s=fields["duration_s"],
            waited_s=fields["waited_s"],
            cost_usd=sum(prices) if prices else None,
            priced=sum(one["cost_usd"] is not None for one in trial.attempts),
            turns=last.get("turns"),
            usage=dict(usage),
            answer=last.get("answer", ""),
            troubles=[one["kind"] for one in trial.attempts if one["kind"]],
            started_utc=trial.started_utc,
            from_run=self._earlier.run_id,
            from_trial=fields["trial"],
            changed=now is not was,
        )

    def _grade(self, trial: _Open, fields: Mapping[str, Any]) -> Attempted:
        """
        Grade a trial by the evidence that the log has of its last attempt.
        """
        case, last = self._cases[fields["case"]], trial.attempts[-1]
        reply = Reply(answer=last["answer"])
        if not case.checks:
            return Attempted(reply)
        evidence = Evidence(
            case=case.name,
            prompt=case.settings.prompt,
            answer=last["answer"],
            variables=case.variables,
            steps=read_logged(last.get("transcript", ())),
            turns=last["turns"],
            cost_usd=last["cost_usd"],
            duration_s=last["duration_s"],
            workspace=last["evidence"].get("workspace", {}),
            answers=trial.answers,
        )
        stored = self._stored(case.name, fields["checks"])
        grades: dict[int, Grade] = {}
        for place, weighed in enumerate(case.checks):
            try:
                grades[place] = grade_of(weighed.check, evidence)
            except CheckError as error:
                spec = json.dumps(weighed.check.spec(), sort_keys=True)
                if spec not in stored:
                    trouble = Trouble(kind=ErrorKind.CHECK_ERROR, text=str(error))
                    return Attempted(replace(reply, trouble=trouble))
                grades[place] = stored[spec]
        return graded(case, reply, grades)

    def _stored(
        self, case: str, checks: Sequence[Mapping[str, Any]]
    ) -> dict[str, Grade]:
        """
        Return what each check said when the trial was graded first, by its spec.
        """
        specs = self._before[case]
        if len(specs) != len(checks):
            return {}
        return {
            json.dumps(spec, sort_keys=True): Grade(
                passed=check["passed"],
                score=check.get("score", float(check["passed"])),
                reason=check["reason"],
                details=check.get("details", {}),
            )
            for spec, check in zip(specs, checks, strict=True)
        }


_KEPT = tuple(KeptTrial.__slots__)


def _bare(check: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return a check's spec without what it weighs.
    """
    return {
        name: value
        for name, value in check.items()
        if name not in {"weight", "required"}
    }
