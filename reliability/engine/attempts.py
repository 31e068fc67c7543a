"""
One attempt, from the agent's call to the grade, and what a model is asked about it.

This is what a worker of the pool does; everything that it needs is made before.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from reliability.agents import Agent, Call
from reliability.engine.ends import first_question
from reliability.engine.grading import grade_answer, grade_reply, not_judged
from reliability.engine.lodging import Lodgings
from reliability.engine.task import Attempted, Judged
from reliability.errors import MeasureError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Trial, Trouble

if TYPE_CHECKING:
    from types import TracebackType

    from reliability.engine.scene import Scene
    from reliability.engine.targets import Targets
    from reliability.suite import Suite


class Attempts:
    """
    Makes the attempts of one run, and asks models about them.

    Args:
        run_id: Part of the cookie that marks an attempt's processes.

    Raises:
        UsageError: when `run-as` names somebody whom we cannot become.
    """

    def __init__(
        self, suite: Suite, targets: Targets, run_id: str, scene: Scene
    ) -> None:
        self._cases = {case.name: case for case in suite.cases}
        self._targets = targets
        self._run_id = run_id
        self._redact = scene.redactor.value
        self._cancel = threading.Event()
        self._lodgings = Lodgings(suite, targets, scene, run_id, self._cancel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # After an error of ours agents may still be at work in the rooms.
        self.stop()
        self._lodgings.close()

    def stop(self) -> None:
        """
        End the attempts under way soon, and whatever is done for them. Any thread.
        """
        self._cancel.set()
        self._targets.cancel()

    def ask(self, trial: Trial, attempt: int) -> Attempted:
        """
        Ask the agent once and grade its answer, as far as no model must be asked.
        """
        case = self._cases[trial.case]
        call = Call(
            trial=trial,
            attempt=attempt,
            prompt=case.settings.prompt,
            timeout_s=case.settings.timeout,
            cookie=f"{self._run_id}-{trial.number}-{attempt}",
            room=None,
        )
        agent = self._targets.agent_of(case)
        if not agent.needs_room:
            reply = _asked(agent, call)
            return grade_reply(case, reply, None, self._redact)
        return self._lodgings.lodge(
            case,
            call,
            lambda room: _asked(agent, replace(call, room=room)),
        )

    def judge(self, trial: Trial, attempt: int, graded: Attempted) -> Judged:
        """
        Ask the first question that is pending once; grade when it was the last.
        """
        case = self._cases[trial.case]
        question = first_question(graded)
        agent = self._targets.judge_of(question.model)
        call = Call(
            trial=trial,
            attempt=attempt,
            prompt=question.prompt,
            timeout_s=case.settings.timeout,
            cookie=f"{self._run_id}-{trial.number}-judge-{attempt}",
            room=None,
        )
        reply = _asked(agent, call)
        if reply.trouble is not None:
            return Judged(reply, not_judged(graded, reply))
        return Judged(reply, grade_answer(case, graded, reply.answer))


def _asked(agent: Agent, call: Call) -> Reply:
    try:
        return agent.attempt(call)
    except MeasureError as error:
        return Reply(trouble=Trouble(kind=ErrorKind.CRASHED, text=str(error)))
