"""
From what an attempt brought to the outcome of its trial.

Checks that ask a model wait until it has answered; all others grade at once, while the
agent's folder is there. Where every check must pass and one has failed already, no
model is asked: that could change nothing but the bill.

Checks see what the log will keep: secrets are gone before anything can cut them in two.
A check that breaks, or says what is no grade, makes its trial invalid and nothing else.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.checks.base import beginning, label_of
from reliability.checks.groups import weigh
from reliability.engine.task import Attempted, Pending
from reliability.errors import CheckError
from reliability.grades import Evidence, Grade
from reliability.kinds import ErrorKind
from reliability.model import CheckResult, Outcome, Reply, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reliability.grades import Check, Leavings, Question
    from reliability.suite import Case
    from reliability.transcript import Step

NO_FOLDER = "the backend gives the agent no folder"
_DETAILS_CHARACTERS = 32_000
_REASONS_CHARACTERS = 64_000
"""Of a trial: its line of the log must hold them all."""

NOT_ASKED = "the model was not asked, since another check had failed"


def _as_it_is(value: Any) -> Any:
    return value


def outcome_of(last: Attempted) -> tuple[Outcome, str]:
    """
    Return the outcome of a trial and, unless it passed, why.

    Args:
        last: The attempt that ended it; earlier ones met infrastructure trouble and say
            nothing about the agent.
    """
    trouble = last.reply.trouble
    if trouble is not None:
        outcome = Outcome.INVALID if trouble.rule.infrastructure else Outcome.FAIL
        return outcome, trouble.text
    if last.failure:
        return Outcome.FAIL, last.failure
    return Outcome.PASS, ""


def evidence_of(
    case: Case,
    reply: Reply,
    leavings: Leavings | None,
    redact: Callable[[Any], Any] = _as_it_is,
) -> Evidence:
    """
    Return what the checks of *case* are given.

    Args:
        redact: Takes secrets out of JSON-like data, as for the log.
    """
    workspace = reply.evidence.get("workspace")
    return Evidence(
        case=case.name,
        prompt=case.settings.prompt,
        answer=redact(reply.answer),
        variables=case.variables,
        steps=_without_secrets(reply.steps, redact),
        turns=reply.turns,
        cost_usd=reply.cost_usd,
        usage=reply.usage,
        duration_s=reply.duration_s,
        leavings=leavings,
        workspace=workspace if isinstance(workspace, dict) else {},
    )


def grade_reply(
    case: Case,
    reply: Reply,
    leavings: Leavings | None,
    redact: Callable[[Any], Any] = _as_it_is,
) -> Attempted:
    """
    Grade an attempt, as far as that can be done without asking a model.

    Args:
        leavings: The agent's folder; None when it has none, or it cannot be opened.
        redact: Takes secrets out of JSON-like data, as for the log.
    """
    if reply.trouble is not None or not case.checks:
        return Attempted(reply)
    if leavings is None and "workspace" not in reply.evidence and needs_folder(case):
        known = {**reply.evidence, "workspace": {"unknown": NO_FOLDER}}
        reply = replace(reply, evidence=known)
    evidence = evidence_of(case, reply, leavings, redact)
    questions: list[Question] = []
    grades: dict[int, Grade] = {}
    try:
        for place, weighed in enumerate(case.checks):
            if asked := questions_of(weighed.check, evidence):
                questions += asked
            else:
                grades[place] = grade_of(weighed.check, evidence)
    except CheckError as error:
        return _undecided(reply, error)
    if not questions:
        return graded(case, reply, grades)
    if case.pass_mark >= 1 and not all(grade.passed for grade in grades.values()):
        skipped = Grade.of(NOT_ASKED)
        places = range(len(case.checks))
        return graded(case, reply, {at: grades.get(at, skipped) for at in places})
    unique = {question.key: question for question in questions}
    rest = Pending(replace(evidence, leavings=None), grades, tuple(unique.values()))
    return Attempted(reply, pending=rest)


def grade_answer(case: Case, attempted: Attempted, answer: str) -> Attempted:
    """
    Add the answer to the first pending question, and grade when it was the last.
    """
    pending, reply = attempted.pending, attempted.reply
    assert pending is not None, "only what is pending is asked"  # noqa: S101
    asked, *left = pending.questions
    answers = {**pending.evidence.answers, asked.key: answer}
    evidence = replace(pending.evidence, answers=answers)
    if left:
        rest = Pending(evidence, pending.grades, tuple(left))
        return replace(attempted, pending=rest)
    try:
        grades = {
            place: pending.grades.get(place) or grade_of(weighed.check, evidence)
            for place, weighed in enumerate(case.checks)
        }
    except CheckError as error:
        return _undecided(reply, error)
    return graded(case, reply, grades)


def not_judged(attempted: Attempted, judged: Reply) -> Attempted:
    """
    Return how a trial ends whose judge could not be asked: never as a failure.
    """
    trouble = judged.trouble
    assert trouble is not None, "the caller has looked"  # noqa: S101
    kind = trouble.kind if trouble.rule.infrastructure else ErrorKind.CHECK_ERROR
    text = f"the judge could not be asked: {trouble.text}"
    reply = replace(attempted.reply, trouble=Trouble(kind=kind, text=text))
    return Attempted(reply)


def needs_folder(case: Case) -> bool:
    """
    Tell whether a check of *case* looks into the agent's folder.
    """
    return any(weighed.check.needs_folder for weighed in case.checks)


def questions_of(check: Check, evidence: Evidence) -> tuple[Question, ...]:
    """
    Return what a check asks.

    Raises:
        CheckError: also when the check breaks.
    """
    with _named(check):
        return tuple(check.questions(evidence))


def grade_of(check: Check, evidence: Evidence) -> Grade:
    """
    Return what a check says.

    Raises:
        CheckError: also when the check breaks, or says what is no grade.
    """
    with _named(check):
        grade = check.grade(evidence)
        _require_grade(grade)
    return grade


@contextmanager
def _named(check: Check) -> Iterator[None]:
    """
    Turn whatever a check raises into an error that names it.
    """
    try:
        yield
    except CheckError:
        raise
    except (Exception, SystemExit) as error:
        text = f"the check {_label_of(check)} broke: {type(error).__name__}: {error}"
        raise CheckError(text) from error


def _label_of(check: Check) -> str:
    """
    Return a check's label, or its class's name when it cannot tell.
    """
    try:
        return label_of("", check.label).removeprefix(":")
    except Exception:  # noqa: BLE001 - somebody else's code
        return type(check).__name__


def _require_grade(grade: object) -> None:
    """
    Raise when what a check returned cannot be counted, or not be kept.
    """
    if not isinstance(grade, Grade):
        raise TypeError(f"grade() returned no Grade, but {type(grade).__name__}")
    if not isinstance(grade.passed, bool) or not isinstance(grade.reason, str):
        raise TypeError("a Grade's passed must be a bool and its reason a str")
    if not 0 <= grade.score <= 1:
        raise ValueError(f"a Grade's score must be from 0 to 1, not {grade.score!r}")
    if grade.details:
        size = len(json.dumps(dict(grade.details), allow_nan=False))
        if size > _DETAILS_CHARACTERS:
            raise ValueError(f"a Grade's details are too long: {size} characters")


def _without_secrets(
    steps: tuple[Step, ...], redact: Callable[[Any], Any]
) -> tuple[Step, ...]:
    """
    Return the steps as the log will have them; the same ones when nothing is secret.
    """
    told = [(step.by, step.text, step.tool, step.input) for step in steps]
    clean = redact(told)
    if clean is told:
        return steps
    return tuple(
        replace(step, by=by, text=text, tool=tool, input=asked)
        for step, (by, text, tool, asked) in zip(steps, clean, strict=True)
    )


def _undecided(reply: Reply, error: CheckError) -> Attempted:
    trouble = Trouble(kind=ErrorKind.CHECK_ERROR, text=str(error))
    return Attempted(replace(reply, trouble=trouble))


def graded(case: Case, reply: Reply, grades: Mapping[int, Grade]) -> Attempted:
    """
    Return the attempt with what its checks say one by one, and together.
    """
    most = _REASONS_CHARACTERS // len(case.checks)
    in_order = [
        replace(grades[place], reason=beginning(grades[place].reason, most))
        for place in range(len(case.checks))
    ]
    passed, score, reason = weigh(case.checks, in_order, pass_mark=case.pass_mark)
    results = tuple(
        CheckResult(
            check=_label_of(weighed.check),
            passed=grade.passed,
            reason=grade.reason,
            score=round(grade.score, 6),
            weight=weighed.weight,
            details=grade.details,
        )
        for weighed, grade in zip(case.checks, in_order, strict=True)
    )
    failure = "" if passed else reason or "its checks do not pass"
    return Attempted(reply, results, failure, round(score, 6))
