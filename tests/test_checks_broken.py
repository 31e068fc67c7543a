"""
A check that breaks costs its trial and nothing else; no secret gets past a check.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from fakes.evidence import evidence
from fakes.runs import outcomes

from reliability.checks import sandbox
from reliability.checks.sandbox import close_helpers, search
from reliability.engine.grading import grade_answer, grade_of, grade_reply
from reliability.errors import CheckError
from reliability.grades import Evidence, Grade, Question
from reliability.kinds import ErrorKind
from reliability.model import Reply, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


from fakes.odd_checks import Broken, case_of, run_checks

LIMIT_S = 10.0


def raise_it(error: BaseException) -> Callable[[Evidence], Any]:
    """
    Return what raises when it is called.
    """

    def fail(_: Evidence) -> None:
        raise error

    return fail


def ask_badly(given: Evidence) -> tuple[Question, ...]:
    """
    Fail once there is an answer.
    """
    return () if not given.answer else raise_it(RuntimeError("bug"))(given)


BUGS = [
    (raise_it(RuntimeError("bug")), "RuntimeError: bug"),
    (raise_it(RecursionError("deep")), "RecursionError: deep"),
    (raise_it(MemoryError()), "MemoryError"),
    (raise_it(SystemExit(0)), "SystemExit: 0"),
    (lambda _: None, "no Grade, but NoneType"),
    (lambda _: Grade(passed=True, score=1.5), "from 0 to 1, not 1.5"),
    (lambda _: Grade(passed=True, score=float("nan")), "from 0 to 1, not nan"),
    (lambda _: Grade(passed=1, score=1), "must be a bool"),
    (lambda _: Grade(passed=False, score=0, reason=b"no"), "its reason a str"),
    (lambda _: Grade(passed=True, score=1, details={"a": {1}}), "not JSON"),
    (lambda _: Grade(passed=True, score=1, details={"a": "x" * 10**5}), "too long"),
]


@pytest.mark.parametrize(("says", "why"), BUGS)
def test_what_a_broken_check_does_is_an_error_that_names_it(
    says: Callable[[Evidence], Any], why: str
) -> None:
    """
    Whatever it raises, and when it returns what nobody can count or keep.
    """
    with pytest.raises(CheckError) as caught:
        grade_of(Broken(name="lamps", says=says), evidence())

    assert str(caught.value).startswith("the check broken:lamps broke: ")
    assert why in str(caught.value)


@pytest.mark.parametrize("bug", [{"says": BUGS[0][0]}, {"asks": ask_badly}])
def test_a_run_goes_on_when_a_check_breaks(bug: dict[str, Any], tmp_path: Path) -> None:
    """
    Its trials are invalid and not tried again; nobody says that it was our doing.
    """
    ended = run_checks(tmp_path, Broken(**bug), loops="2", max_attempts="2")

    assert ["invalid", "invalid"] == outcomes(ended)
    assert {ErrorKind.CHECK_ERROR} == {trial.kind for trial in ended.trials}
    assert {1} == {trial.attempts for trial in ended.trials}
    assert RunStatus.COMPLETED is ended.status


def test_a_check_that_breaks_after_a_judge_is_named_too(tmp_path: Path) -> None:
    """
    The answers that came do not make it a fault of ours.
    """
    asked = Question(key="k", prompt="?")
    case = case_of(tmp_path, Broken(asks=lambda _: (asked,), says=BUGS[0][0]))
    pending = grade_reply(case, Reply(answer="Hello"), None)
    trouble = grade_answer(case, pending, "yes").reply.trouble

    assert trouble is not None
    assert ErrorKind.CHECK_ERROR is trouble.kind
    assert "the check broken:a broke: RuntimeError: bug" == trouble.text


def test_a_label_that_breaks_does_not_hide_the_check(tmp_path: Path) -> None:
    """
    The name of its class stands for it.
    """

    class Nameless(Broken):
        """
        Cannot say what it is called.
        """

        label = property(lambda _: 1 // 0)  # type: ignore[assignment]

    passed = Nameless(says=lambda _: Grade.of(""))
    result = grade_reply(case_of(tmp_path, passed), Reply(answer="Hello"), None)

    assert ["Nameless"] == [check.check for check in result.checks]


def test_reasons_of_any_length_leave_the_log_whole(tmp_path: Path) -> None:
    """
    A hundred checks with a megabyte each are cut, and the run ends as it should.
    """
    long = Broken(says=lambda _: Grade.of("word " * 200_000))
    ended = run_checks(tmp_path, *[long] * 100, loops="1")

    assert ["fail"] == outcomes(ended)
    assert RunStatus.COMPLETED is ended.status


def test_a_helper_that_was_killed_while_it_waited_costs_nothing() -> None:
    """
    Another one takes its place before anybody is asked to wait.
    """
    close_helpers()
    search("a", "a", timeout_s=LIMIT_S)
    (helper,) = sandbox._POOL._free
    os.kill(helper._process.pid, signal.SIGKILL)
    helper._process.wait()

    assert search("a", "a", timeout_s=LIMIT_S)


def test_a_helper_that_dies_at_work_is_a_check_error() -> None:
    """
    It is named, and the next check has a helper again.
    """
    close_helpers()
    endless = {"work": "search", "pattern": "(a+)+$", "text": "a" * 64 + "!"}
    helper = sandbox._Helper()
    sandbox._POOL._free.append(helper)
    helper._process.send_signal(signal.SIGSTOP)
    killer = sandbox.threading.Timer(0.05, helper._process.kill)
    killer.start()
    with pytest.raises(CheckError, match="the check a ended its helper process"):
        sandbox.ask(endless, what="the check a", limit_s=LIMIT_S)
    killer.join()

    assert search("a", "a", timeout_s=LIMIT_S)
