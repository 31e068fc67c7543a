"""
The answer must contain, equal or match a text.

A regular expression of the user's meets text of the agent's here, and Python's engine
can take exponential time over it while holding the interpreter's lock. So it runs in a
child process with a time limit; the other trials do not notice. The child has an alarm
of its own too, for the case that this process ends before it.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING

from reliability.errors import CheckError
from reliability.model import CheckResult
from reliability.parsers import Expectation, ExpectMode

if TYPE_CHECKING:
    from collections.abc import Callable

REGEX_TIMEOUT_S = 5.0
SHOWN_CHARACTERS = 200
_MATCHER = (
    "import json,re,signal,sys\n"
    "signal.signal(signal.SIGALRM,signal.SIG_DFL)\n"
    "signal.alarm(int(sys.argv[1]))\n"
    "pattern,text=json.load(sys.stdin)\n"
    "sys.exit(0 if re.search(pattern,text) else 9)\n"
)
_FOUND, _NOT_FOUND = 0, 9


class Expect:
    """
    One expectation, as a check.

    Args:
        timeout_s: Most seconds for a regular expression.
    """

    def __init__(
        self, expectation: Expectation, *, timeout_s: float = REGEX_TIMEOUT_S
    ) -> None:
        self._expectation = expectation
        self._timeout_s = timeout_s

    def __call__(self, answer: str) -> CheckResult:
        """
        Compare *answer* with what is expected.

        Raises:
            CheckError: when a regular expression finds no end within its time, or
                when no process can be started for it.
        """
        mode, text = self._expectation.mode, self._expectation.text
        reason = _CHECKS[mode](text, answer, self._timeout_s)
        if reason:
            reason = f"expected {reason} {text!r}, got {_shown(answer)}"
        return CheckResult(check=f"{mode}:{text}", passed=not reason, reason=reason)


def _contains(text: str, answer: str, _timeout_s: float) -> str:
    return "" if text in answer else "an answer that contains"


def _equals(text: str, answer: str, _timeout_s: float) -> str:
    return "" if text.strip() == answer.strip() else "exactly"


def _matches(pattern: str, answer: str, timeout_s: float) -> str:
    # The alarm rings after the limit, so that in a living run only the limit is met.
    alarm_s = math.ceil(timeout_s) + 1
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MATCHER, str(alarm_s)],
            input=json.dumps([pattern, answer]).encode("ascii"),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CheckError(
            f"the regular expression {pattern!r} did not end within {timeout_s:g} s",
            remedy="Write it without nested repetition.",
        ) from None
    except OSError as error:
        raise CheckError(
            f"the matcher cannot be started: {error.strerror}",
            remedy="Lower max-workers or raise the limit.",
        ) from None
    if done.returncode not in {_FOUND, _NOT_FOUND}:
        raise CheckError(f"the matcher ended with exit code {done.returncode}")
    return "" if done.returncode == _FOUND else "an answer that matches"


_CHECKS: dict[ExpectMode, Callable[[str, str, float], str]] = {
    ExpectMode.CONTAINS: _contains,
    ExpectMode.EQUALS: _equals,
    ExpectMode.MATCHES: _matches,
}


def _shown(answer: str) -> str:
    if len(answer) <= SHOWN_CHARACTERS:
        return repr(answer)
    return f"{answer[:SHOWN_CHARACTERS]!r} and {len(answer) - SHOWN_CHARACTERS} more"
