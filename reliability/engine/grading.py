"""
From what an attempt brought to the outcome of its trial.

Checks that ask a model wait until it has answered; all others grade at once, while the
agent's folder is there. Where every check must pass and one has failed already, no
model is asked: that could change nothing but the bill.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.checks.groups import weigh
from reliability.engine.task import Attempted, Pending
from reliability.errors import CheckError
from reliability.grades import Evidence, Grade
from reliability.kinds import ErrorKind
from reliability.model import CheckResult, Outcome, Reply, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.grades import Leavings, Question
    from reliability.suite import Case

NOT_ASKED = "the model was not asked, since another check had failed"


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


def evidence_of(case: Case, reply: Reply, leavings: Leavings | None) -> Evidence:
    """
    Return what the checks of *case* are given.
    """
    workspace = reply.evidence.get("workspace")
    return Evidence(
        case=case.name,
        prompt=case.settings.prompt,
        answer=reply.answer,
        variables=case.variables,
        steps=reply.steps,
        turns=reply.turns,
        cost_usd=reply.cost_usd,
        usage=reply.usage,
        duration_s=reply.duration_s,
        leavings=leavings,
        workspace=workspace if isinstance(workspace, dict) else {},
    )


def grade_reply(case: Case, reply: Reply, leavings: Leavings | None) -> Attempted:
    """
    Grade an attempt, as far as that can be done without asking a model.
    """
    if reply.trouble is not None or not case.checks:
        return Attempted(reply)
    evidence = evidence_of(case, reply, leavings)
    questions: list[Question] = []
    grades: dict[int, Grade] = {}
    try:
        for place, weighed in enumerate(case.checks):
            if asked := weighed.check.questions(evidence):
                questions += asked
            else:
                grades[place] = weighed.check.grade(evidence)
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
            place: pending.grades.get(place) or weighed.check.grade(evidence)
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


def _undecided(reply: Reply, error: CheckError) -> Attempted:
    trouble = Trouble(kind=ErrorKind.CHECK_ERROR, text=str(error))
    return Attempted(replace(reply, trouble=trouble))


def graded(case: Case, reply: Reply, grades: Mapping[int, Grade]) -> Attempted:
    """
    Return the attempt with what its checks say one by one, and together.
    """
    in_order = [grades[place] for place in range(len(case.checks))]
    passed, score, reason = weigh(case.checks, in_order, pass_mark=case.pass_mark)
    results = tuple(
        CheckResult(
            check=weighed.check.label,
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
