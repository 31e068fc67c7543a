"""
Any program as the agent: prompt on standard input, answer on standard output.

The word `{prompt_file}` anywhere in the command becomes the path of a file with the
prompt; standard input is then empty. No shell is involved. An exit code other than 0 is
the agent's own failure, and so is a missing answer; but a SIGKILL that was not ours is
taken for the kernel's, when memory runs out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.base import (
    ANSWER_CAP_BYTES,
    CAP_BYTES,
    CLASSIC_WARNING,
    Call,
    trouble_reply,
)
from reliability.agents.environment import command_environment
from reliability.agents.surroundings import examine_surroundings
from reliability.agents.user import User, parts_of_program, require_reach
from reliability.choices import Isolation
from reliability.errors import AgentSetupError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Setup, Trouble
from reliability.process import (
    ChildReport,
    ProgramError,
    last_line,
    run_child,
    stop_everything,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.clock import Clock
    from reliability.redact import Redactor
    from reliability.settings import Settings

PROMPT_FILE = "{prompt_file}"
_SHOWN_CHARACTERS = 200


class Command:
    """
    A program of the user's.
    """

    needs_room = True

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        workspace: Path,
        redactor: Redactor,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._argv = settings.command
        self._environ = environ
        self._workspace = workspace
        self._redactor = redactor
        self._clock = clock
        self._cancel = threading.Event()

    def prepare(self) -> Setup:
        """
        Check that the program can be found, and that its user can run it.

        Raises:
            AgentSetupError: naming the program, and PATH where that is searched.
            UsageError: when `run-as` names somebody whom we cannot become.
        """
        program, path = self._argv[0], self._environ.get("PATH", "")
        is_path = "/" in program
        place = str(self._workspace / program) if is_path else program
        found = shutil.which(place, path=path)
        if found is None:
            where = f"it was looked for at {place}" if is_path else f"PATH is {path!r}"
            raise AgentSetupError(
                f"The program {program!r} is not there or may not be executed; "
                f"{where}.",
                remedy="Give its path, or make it executable.",
            )
        surroundings = examine_surroundings(
            self._settings, workspace=self._workspace, environ=self._environ
        )
        self._require_reach(surroundings.user, Path(found))
        warnings = (CLASSIC_WARNING,) if self._settings.classic else ()
        return Setup(
            fingerprint={
                "command": " ".join(self._argv),
                **_hashes(self._seen_files(), self._workspace),
                **surroundings.fingerprint,
            },
            warnings=(*warnings, *surroundings.warnings),
        )

    def attempt(self, call: Call) -> Reply:
        """
        Run the program once.
        """
        assert call.room is not None, "needs_room is true"  # noqa: S101
        if self._cancel.is_set():
            return trouble_reply(ErrorKind.CANCELLED, "the run was cancelled")
        room = call.room
        env = command_environment(self._environ, room, self._settings.pass_env)
        prompt = call.prompt.encode("utf-8", "replace")
        argv = list(self._argv)
        if any(PROMPT_FILE in word for word in argv):
            prompt_file = room.home / "prompt.txt"
            room.write_file(prompt_file, prompt)
            argv = [word.replace(PROMPT_FILE, str(prompt_file)) for word in argv]
            prompt = b""
        try:
            report = run_child(
                argv,
                stdin=prompt,
                env=env,
                cwd=room.workspace,
                timeout_s=call.timeout_s,
                cap_bytes=ANSWER_CAP_BYTES,
                cancel=self._cancel,
                cookie=call.cookie,
                clock=self._clock,
                uid=room.uid,
                gid=room.gid,
            )
        except ProgramError as error:
            return trouble_reply(ErrorKind.MISSING_PROGRAM, str(error))
        return self._reply(report, call)

    def cancel(self) -> None:
        """
        End the programs under way.
        """
        self._cancel.set()

    def close(self) -> None:
        """
        End whatever an attempt may have left behind.
        """
        stop_everything()

    def _seen_files(self) -> list[str]:
        """
        Return the words of the command that may name a file which the agent sees.

        In a worktree what is relative is of the commit, which is compared itself.
        """
        if self._settings.isolation is not Isolation.WORKTREE:
            return list(self._argv)
        return [word for word in self._argv if Path(word).is_absolute()]

    def _require_reach(self, user: User, program: Path) -> None:
        """
        Refuse a program that the agent's user cannot run.

        One that is named relative to the workspace is in each attempt's copy, which
        belongs to that user; its interpreter is not.
        """
        is_copied = (
            "/" in self._argv[0]
            and not Path(self._argv[0]).is_absolute()
            and self._settings.isolation is not Isolation.NONE
        )
        parts = list(parts_of_program(program, self._environ))
        what = f"The program {self._argv[0]!r}"
        require_reach(user, parts[1:] if is_copied else parts, what)

    def _reply(self, report: ChildReport, call: Call) -> Reply:
        # What came whole stays whole, also when redaction makes it longer.
        cap_bytes = ANSWER_CAP_BYTES if report.stdout.dropped_bytes else sys.maxsize
        answer = report.stdout.text(self._redactor.text, cap_bytes)
        errors = report.stderr.text(self._redactor.text, CAP_BYTES)
        return Reply(
            answer=answer.removesuffix("\n"),
            trouble=_trouble(report, answer, errors, call.timeout_s),
            errors=errors,
            exit_code=report.exit_code,
            duration_s=report.duration_s,
            evidence=child_evidence(report),
        )


def child_evidence(report: ChildReport) -> dict[str, int]:
    """
    Return what is worth keeping of how a child ended, for the log.
    """
    return {
        "swept_processes": report.swept,
        "dropped_stdout_bytes": report.stdout.dropped_bytes,
        "dropped_stderr_bytes": report.stderr.dropped_bytes,
    }


def _hashes(argv: Sequence[str], workspace: Path) -> dict[str, str]:
    """
    Return the SHA-256 of each file that a command names, such as its script.

    What these read or import in turn is not looked at.
    """
    found = {}
    for word in argv:
        # Something other than a file, or one that nobody may read, is passed over.
        with suppress(OSError, ValueError):
            fd = os.open(workspace / word, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                # A device may never end, and a FIFO has nothing to compare.
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    with open(fd, "rb", closefd=False) as file:
                        digest = hashlib.file_digest(file, "sha256").hexdigest()
                    found[f"{word}_sha256"] = digest
            finally:
                os.close(fd)
    return found


def _trouble(
    report: ChildReport, answer: str, errors: str, timeout_s: float
) -> Trouble | None:
    """
    Return why there is no answer to grade; None when there is one.

    Args:
        errors: What the program wrote to standard error.
    """
    if report.cancelled:
        return Trouble(kind=ErrorKind.CANCELLED, text="the run was cancelled")
    if report.timed_out:
        text = f"no end within {timeout_s:g} s"
        return Trouble(kind=ErrorKind.TIMEOUT, text=text)
    if report.exit_code != 0:
        text = report.describe_exit()
        if said := last_line(errors)[:_SHOWN_CHARACTERS]:
            text = f"{text}: {said}"
        killed = report.was_killed
        kind = ErrorKind.OUT_OF_MEMORY if killed else ErrorKind.AGENT_ERROR
        return Trouble(kind=kind, text=text)
    if report.stdout.dropped_bytes:
        text = (
            f"the answer has {report.stdout.total_bytes} bytes; of more than "
            f"{ANSWER_CAP_BYTES} only the beginning and the end are kept"
        )
        return Trouble(kind=ErrorKind.ANSWER_TOO_LONG, text=text)
    if not answer.strip():
        return Trouble(kind=ErrorKind.EMPTY_ANSWER, text="the answer is empty")
    return None
