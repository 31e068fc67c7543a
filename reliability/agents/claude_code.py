"""
Drives the Claude Code CLI: one child for each attempt, prompt on standard input.

Promises: what the CLI prints is judged by its events, never by its exit code alone; it
sees the credentials that people use and nothing else of our environment; HOME,
CLAUDE_CONFIG_DIR and TMPDIR are the attempt's own.

Retries are ours: when the service refuses before a model has said anything, the CLI is
ended at its announcement of a retry. That is the only place where it tells what
`retry-after` asked for, and all trials can wait that long, without a slot. Later in a
conversation it tries once more itself, since an end would throw away what was paid for;
the log counts these as `api_retries`.

A start gate lets no more CLI processes than cores be between their start and their
`init` event. Starting is what costs CPU, waiting is not: without the gate, 16 starts at
once more than double the wall time of each, and the agent's measured time with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.agents.agent_file import (
    AgentFile,
    explain_missing_agent,
    find_agent_file,
)
from reliability.agents.base import CAP_BYTES, Call, Room, trouble_reply
from reliability.agents.claude_events import Transcript
from reliability.agents.claude_judgement import is_refused, judge
from reliability.agents.claude_reply import reply_of_end, reply_of_refusal
from reliability.agents.claude_setup import cli_warnings, find_cli
from reliability.agents.environment import claude_environment, lend_login
from reliability.agents.surroundings import examine_surroundings
from reliability.choices import Context, Isolation
from reliability.errors import UsageError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Setup
from reliability.process import ChildReport, ProgramError, run_child, stop_everything
from reliability.simulator.probe import is_simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.clock import Clock
    from reliability.redact import Redactor
    from reliability.settings import Settings

_GATE_POLL_S = 0.2


class _RefusedError(Exception):
    """
    The service refused the first request, and the CLI is about to repeat it.
    """


class ClaudeCode:
    """
    A Claude Code agent by name, or the main agent when no name is given.
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
        self._environ = environ
        self._workspace = workspace
        self._redactor = redactor
        self._clock = clock
        self._cancel = threading.Event()
        self._start_gate = threading.BoundedSemaphore(len(os.sched_getaffinity(0)))
        self._program = ""
        self._file: AgentFile | None = None
        self._simulated = False

    @property
    def _delegates(self) -> bool:
        """
        Tell whether the main agent is asked to call the named one.
        """
        return self._settings.classic and self._settings.context is Context.PROJECT

    def prepare(self) -> Setup:
        """
        Find the CLI, its version and the agent's file.

        Raises:
            AgentSetupError: when the CLI is not there or does not run, also when it
                does not for the user that it is to run as.
            UsageError: when `context=agent` names an agent without a file, or
                `run-as` somebody whom we cannot become.
        """
        surroundings = examine_surroundings(
            self._settings, workspace=self._workspace, environ=self._environ
        )
        self._program, version = find_cli(
            self._environ.get("PATH", ""), user=surroundings.user
        )
        homes = [self._workspace]
        if home := self._environ.get("HOME"):
            homes.append(Path(home))
        if self._settings.agent:
            self._file = find_agent_file(self._settings.agent, homes)
        if self._settings.context is Context.AGENT and self._file is None:
            raise UsageError(explain_missing_agent(self._settings.agent, homes))
        base_url = self._environ.get("ANTHROPIC_BASE_URL", "")
        self._simulated = bool(base_url) and is_simulator(base_url)
        fingerprint = {"cli_version": version, "model": self._settings.model}
        if self._file is not None and not self._is_of_commit(self._file):
            fingerprint["agent_file_sha256"] = self._file.sha256
        warnings = cli_warnings(
            self._settings,
            self._environ,
            file=None if self._delegates else self._file,
        )
        return Setup(
            versions={"claude-code": version},
            fingerprint={**fingerprint, **surroundings.fingerprint},
            warnings=(*warnings, *surroundings.warnings),
            simulated=self._simulated,
        )

    def attempt(self, call: Call) -> Reply:
        """
        Run the CLI once.
        """
        assert call.room is not None, "needs_room is true"  # noqa: S101
        while not self._start_gate.acquire(timeout=_GATE_POLL_S):
            if self._cancel.is_set():
                return trouble_reply(ErrorKind.CANCELLED, "the run was cancelled")
        open_gate = _once(self._start_gate.release)
        transcript = Transcript()

        def take(line: bytes) -> None:
            kind = transcript.take(line)
            if kind == "system/init":
                open_gate()
            if kind == "system/api_retry" and is_refused(transcript):
                raise _RefusedError

        began_mono_s = self._clock.monotonic_s()
        try:
            report = run_child(
                self._argv(call.room),
                stdin=call.prompt.encode("utf-8", "replace"),
                env=self._env(call, call.room),
                cwd=call.room.workspace,
                timeout_s=call.timeout_s,
                cap_bytes=CAP_BYTES,
                cancel=self._cancel,
                cookie=call.cookie,
                clock=self._clock,
                on_stdout_line=take,
                uid=call.room.uid,
                gid=call.room.gid,
            )
        except _RefusedError:
            return reply_of_refusal(
                transcript, self._clock.monotonic_s() - began_mono_s
            )
        except ProgramError as error:
            return trouble_reply(ErrorKind.MISSING_PROGRAM, str(error))
        finally:
            open_gate()
        return self._reply(transcript, report, call)

    def cancel(self) -> None:
        """
        End the CLI processes under way.
        """
        self._cancel.set()

    def close(self) -> None:
        """
        End whatever an attempt may have left behind.
        """
        stop_everything()

    def _argv(self, room: Room) -> list[str]:
        settings = self._settings
        alone = settings.context is Context.AGENT
        argv = [self._program, "-p", "--output-format", "stream-json", "--verbose"]
        argv += ["--no-session-persistence"]
        argv += ["--permission-mode", settings.permission_mode.value]
        if settings.model:
            argv += ["--model", settings.model]
        if alone:
            argv += ["--bare", "--setting-sources", "user", "--strict-mcp-config"]
        if self._file is not None and (alone or self._is_at_home(self._file)):
            # A file: one argument may have 128 KiB at most, and anybody can read it.
            agents = {settings.agent: self._file.definition()}
            place = room.home / "agents.json"
            room.write_file(place, json.dumps(agents).encode("ascii"))
            argv += ["--agents", str(place)]
        if settings.agent and not self._delegates:
            argv += ["--agent", settings.agent]
        return [*argv, *settings.claude_args]

    def _is_of_commit(self, file: AgentFile) -> bool:
        """
        Tell whether the CLI reads the commit's file, and not this one of the workspace.
        """
        return (
            self._settings.isolation is Isolation.WORKTREE
            and self._settings.context is Context.PROJECT
            and not self._is_at_home(file)
        )

    def _is_at_home(self, file: AgentFile) -> bool:
        """
        Tell whether it is a user's own agent, which the CLI's own HOME would hide.
        """
        return not file.path.is_relative_to(self._workspace)

    def _env(self, call: Call, room: Room) -> dict[str, str]:
        lend_login(self._environ, room)
        env = claude_environment(self._environ, room, self._settings.pass_env)
        if self._simulated:
            env["ANTHROPIC_CUSTOM_HEADERS"] = (
                f"x-reliability-trial: {call.trial.number}\n"
                f"x-reliability-attempt: {call.attempt}"
            )
        return env

    def _reply(self, transcript: Transcript, report: ChildReport, call: Call) -> Reply:
        errors = report.stderr.text(self._redactor.text, CAP_BYTES)
        trouble = judge(
            transcript,
            report,
            errors=errors,
            timeout_s=call.timeout_s,
            schema_given=any(
                argument.partition("=")[0] == "--json-schema"
                for argument in self._settings.claude_args
            ),
            delegate_to=self._settings.agent if self._delegates else "",
        )
        return reply_of_end(transcript, report, errors=errors, trouble=trouble)


def _once(action: Callable[[], None]) -> Callable[[], None]:
    """
    Return a function that does *action* the first time and nothing after.
    """
    left = [action]

    def act() -> None:
        # list.pop is atomic, so two threads cannot both find the action.
        with contextlib.suppress(IndexError):
            left.pop()()

    return act
