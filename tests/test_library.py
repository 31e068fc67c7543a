"""
A Python function as the agent.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from reliability.agents.function import Function
from reliability.choices import Backend
from reliability.clock import SystemClock
from reliability.errors import AgentSetupError, UsageError
from reliability.kinds import ErrorKind
from reliability.library import measure
from reliability.model import Verdict
from reliability.parsers import choice

if TYPE_CHECKING:
    from pathlib import Path


def polite(prompt: str) -> str:
    """
    Say hello to whoever asks.
    """
    return f"Hello! You said: {prompt}"


def test_a_function_is_measured_like_every_agent(tmp_path: Path) -> None:
    """
    Its answers are graded, its log is locked, its verdict has bounds.
    """
    result = measure(
        polite, prompt="Hi.", loops=4, expect="Hello", output_dir=tmp_path / "out"
    )

    assert Verdict.PASS is result.verdict
    assert ("function", "polite") == (result.backend, result.agent)
    assert "Hello! You said: Hi." == result.trials[3].answer
    assert result.log_sha256


def test_checks_and_threads_are_at_hand(tmp_path: Path) -> None:
    """
    What a suite's check can do, the option can; trials run at once.
    """
    at_once = threading.Barrier(3, timeout=30)

    def meet(_prompt: str) -> str:
        """
        Answer when two others are here.
        """
        at_once.wait()
        return '{"total": 3}'

    result = measure(
        meet,
        prompt="Count.",
        loops=3,
        parallel=True,
        checks="[{json: {path: $.total, equals: 3}}, {not-contains: four}]",
        output_dir=tmp_path / "out",
    )

    assert Verdict.PASS is result.verdict


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda _: 1 / 0, ErrorKind.AGENT_ERROR),
        (lambda _: 7, ErrorKind.AGENT_ERROR),
        (lambda _: " ", ErrorKind.EMPTY_ANSWER),
        (lambda _: "x" * (1 << 21), ErrorKind.ANSWER_TOO_LONG),
    ],
    ids=["raises", "no text", "blank", "too long"],
)
def test_what_a_function_does_wrong_has_a_kind(
    answer: object, kind: ErrorKind, tmp_path: Path
) -> None:
    """
    An exception is a failed trial and not the end of the run.
    """
    result = measure(
        answer,  # type: ignore[arg-type]  # what is wrong with it is the test
        prompt="Hi.",
        loops=2,
        output_dir=tmp_path / "out",
    )

    assert [kind, kind] == [trial.kind for trial in result.trials]


def test_a_function_without_end_is_left_to_itself(tmp_path: Path) -> None:
    """
    A thread cannot be ended: its trial is, at the timeout, as the agent's failure.
    """
    never = threading.Event()
    result = measure(
        lambda _: str(never.wait(60)),
        prompt="Hi.",
        loops=1,
        timeout=0.2,
        output_dir=tmp_path / "out",
    )
    never.set()

    assert ErrorKind.TIMEOUT == result.trials[0].kind
    assert Verdict.FAIL is result.verdict


def test_options_that_are_none_are_named() -> None:
    """
    A misspelt option is refused before the first call.
    """
    with pytest.raises(UsageError, match="There is no option 'loop'"):
        measure(polite, prompt="Hi.", loop=3)


def test_no_surface_can_name_the_backend() -> None:
    """
    Only a program can hand a function over.
    """
    with pytest.raises(ValueError, match="must be one of: claude-code, messages"):
        choice(Backend, without=(Backend.FUNCTION,))("function")
    with pytest.raises(AgentSetupError, match="there is no function"):
        Function(None, clock=SystemClock()).prepare()
