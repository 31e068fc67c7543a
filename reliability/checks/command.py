"""
The check `command`: a program of the user's grades the trial.

It runs in the agent's folder after the agent has ended, as the agent's user and under
its limits. Its own files are put into a folder that the agent never saw. On standard
input it gets one JSON object: case, prompt, answer, variables, steps, turns, cost_usd,
duration_s. Exit code 0 passes and 1 fails; any other is an error of the check, which
makes the trial invalid. Its first line on standard output is the reason, and a last
line `score: 0.7` gives a score.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from reliability.checks.base import BaseCheck
from reliability.errors import CheckError
from reliability.grades import Grade

if TYPE_CHECKING:
    from reliability.grades import Ended, Evidence

COMMAND_TIMEOUT_S = 60.0
HIDDEN = "{hidden}"
HIDDEN_VARIABLE = "RELIABILITY_CHECK_FILES"
_PASS, _FAIL = 0, 1
_REASON_CHARACTERS = 500
_SCORE = re.compile(r"score:\s*(0(?:\.\d{1,9})?|1(?:\.0{1,9})?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(BaseCheck):
    """
    A program says whether the trial passes.

    Args:
        run: The program and its arguments, split as a shell would; `{hidden}` stands
            for the folder with *files*, whose path is in RELIABILITY_CHECK_FILES too.
            A word that is the path of one of *files* becomes its path there.
        files: What the program needs and the agent must not see.
        timeout: Seconds.
    """

    KIND: ClassVar[str] = "command"
    SHORT: ClassVar[str] = "run"
    run: str
    files: tuple[Path, ...] = ()
    timeout: float = COMMAND_TIMEOUT_S

    def __post_init__(self) -> None:
        """
        Refuse what could not be started, and files that would hide each other.

        Raises:
            ValueError: when one of them is so.
        """
        try:
            words = shlex.split(self.run)
        except ValueError as error:
            raise ValueError(f"{self.run!r} is no command: {error}") from None
        if not words or not words[0] or "\0" in self.run:
            raise ValueError(f"{self.run!r} names no program")
        places: dict[str, Path] = {}
        for path in self.files:
            other = places.setdefault(path.name, path)
            if other != path:
                text = "lie in one folder for the check: give them different names"
                raise ValueError(f"the files {other} and {path} {text}")

    @property
    def needs_folder(self) -> bool:
        """
        Tell whether it looks into the agent's folder: it runs there.
        """
        return True

    def grade(self, evidence: Evidence) -> Grade:
        """
        Run the program.

        Raises:
            CheckError: when it does not end in time, or with another exit code.
        """
        if evidence.leavings is None:
            raise CheckError("command cannot decide: the agent's folder is gone")
        ended = evidence.leavings.run(
            self._argv(),
            stdin=_told(evidence),
            hidden=self._hidden(),
            env={HIDDEN_VARIABLE: HIDDEN},
            timeout_s=self.timeout,
        )
        if ended.exit_code not in {_PASS, _FAIL}:
            raise CheckError(self._error(ended))
        return _grade_of(ended)

    def _argv(self) -> list[str]:
        return [self._place_of(word) for word in shlex.split(self.run)]

    def _place_of(self, word: str) -> str:
        """
        Return where a file is that a word names by its path or by the end of it.
        """
        parts = Path(word).parts
        for path in self.files:
            if parts and path.parts[-len(parts) :] == parts:
                return f"{HIDDEN}/{path.name}"
        return word

    def _hidden(self) -> dict[str, bytes]:
        """
        Return the files by name.

        Raises:
            CheckError: when one cannot be read.
        """
        try:
            return {path.name: path.read_bytes() for path in self.files}
        except OSError as error:
            raise CheckError(
                f"the check's file {error.filename} cannot be read: {error.strerror}"
            ) from None

    def _error(self, ended: Ended) -> str:
        said = ended.errors.strip().splitlines()
        if ended.exit_code is None:
            end = f"did not end within {self.timeout:g} s"
        else:
            end = f"ended with exit code {ended.exit_code}, which is neither 0 nor 1"
        last = f": {said[-1][:_REASON_CHARACTERS]}" if said else ""
        return f"the command {self.run!r} {end}{last}"


def _told(evidence: Evidence) -> bytes:
    """
    Return what the program is told of the trial.
    """
    told = {
        "case": evidence.case,
        "prompt": evidence.prompt,
        "answer": evidence.answer,
        "variables": dict(evidence.variables),
        "steps": [step.as_json() for step in evidence.steps],
        "turns": evidence.turns,
        "cost_usd": evidence.cost_usd,
        "duration_s": evidence.duration_s,
    }
    return json.dumps(told).encode("ascii")


def _grade_of(ended: Ended) -> Grade:
    """
    Read exit code, reason and score.
    """
    lines = [line for line in ended.output.splitlines() if line.strip()]
    passed = ended.exit_code == _PASS
    score = float(passed)
    if lines and (stated := _SCORE.fullmatch(lines[-1].strip())):
        score = float(stated.group(1))
        lines.pop()
    reason = lines[0].strip()[:_REASON_CHARACTERS] if lines else "it gave no reason"
    return Grade(passed=passed, score=score, reason="" if passed else reason)
