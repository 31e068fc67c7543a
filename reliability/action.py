"""
The GitHub Action: inputs from the environment, results back through the runner's files.

Order matters at the end. Log and reports are on disk before anything is said to GitHub;
outputs and summary come next, since the runner reads them even after a kill; the upload
comes last and can fail without changing the verdict. A cancelled run has about six
seconds for all of it.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.against import opened_suite
from reliability.agents import option_problems
from reliability.clock import SystemClock
from reliability.engine.cancellation import Cancellation, caught_signals
from reliability.errors import (
    EXIT_FAIL,
    EXIT_NOT_MEASURED,
    EXIT_OK,
    ReliabilityError,
    UsageError,
)
from reliability.escape import console_text
from reliability.exits import leave
from reliability.github.commands import Commands
from reliability.github.files import FileGuard, write_outputs, write_summary
from reliability.github.outputs import run_outputs
from reliability.github.ownership import hand_back
from reliability.model import (
    RunStatus,
    Verdict,
)
from reliability.options import OPTIONS, Option
from reliability.redact import Redactor, secrets_of
from reliability.report import report_paths
from reliability.report.markdown import summary
from reliability.report.progress import Progress
from reliability.report.terminal import verdict_table
from reliability.report.words import headline
from reliability.run import ReportsError, exit_code, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reliability.run_result import RunResult
    from reliability.settings import Settings
    from reliability.suite import Suite

COMMAND_FILES = (
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
)


def main(environ: Mapping[str, str], argv: Sequence[str] = ()) -> int:
    """
    Run as the container does and return the exit code.

    Args:
        argv: What `docker run` was given after the image: a command line of
            `reliability`. Without it, the inputs say what to do.
    """
    if argv or "GITHUB_ACTIONS" not in environ:
        from reliability.cli import main as run_command_line

        run_command_line(argv or ["--help"])
    step = Step(environ)
    code = step.run()
    if step.cancelled:
        leave(code)
    return code


class Step:
    """
    One step of a workflow.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._commands = Commands(sys.stdout)
        self._cancellation = Cancellation()
        self._workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
        self._files = {
            name: Path(environ[name]) for name in COMMAND_FILES if environ.get(name)
        }
        self._guard = FileGuard(self._files)
        self._redactor = Redactor(secrets_of(environ))

    @property
    def cancelled(self) -> bool:
        """
        Tell whether a signal asked for the end.
        """
        return self._cancellation.requested

    def run(self) -> int:
        """
        Do the whole step; trouble becomes one annotation and its exit code.
        """
        for secret in secrets_of(self._environ):
            self._commands.mask(secret)
        try:
            with caught_signals(self._cancellation):
                return self._run()
        except ReliabilityError as error:
            code, text = error.exit_code, str(error)
        except OSError as error:
            code, text = EXIT_NOT_MEASURED, f"{error.strerror}: {error.filename}"
        except Exception:  # noqa: BLE001 - Python's own exit code, 1, blames the agent
            code = EXIT_NOT_MEASURED
            text = f"An error of this action's own:\n{traceback.format_exc()}"
        self._commands.error(
            self._redactor.text(text), title="Reliability could not be measured"
        )
        with suppress(ReliabilityError, OSError):
            self._write_outputs({"verdict": Verdict.INVALID})
        return code

    def _run(self) -> int:
        """
        Run the trials, hand over what came of them, and return the exit code.
        """
        # Relative paths of inputs are meant from the workspace.
        os.chdir(self._workspace)
        with self._suite() as suite:
            return self._run_suite(suite)

    def _run_suite(self, suite: Suite) -> int:
        """
        Run the trials of a suite that is open.
        """
        settings = suite.settings
        tampering: list[str] = []

        def hand_over(result: RunResult) -> None:
            tampering.extend(self._hand_over(settings, result))

        display = None
        if not settings.quiet:
            display = Progress(sys.stdout, columns=None, clock=SystemClock())
        unwritten = ""
        try:
            result = run(
                settings,
                suite=suite,
                environ=self._environ,
                workspace=self._workspace,
                display=display,
                cancellation=self._cancellation,
                on_result=hand_over,
            )
        except ReportsError as error:
            result = error.result
            unwritten = str(error)
        paths = report_paths(result, settings.output_dir)
        folder = self._workspace / settings.output_dir
        kept = hand_back([folder, *paths.values()], like=self._workspace)
        code = exit_code(result, settings.on_inconclusive)
        if settings.artifact and not self._uploaded(settings, result, paths):
            code = code or EXIT_NOT_MEASURED
        for problem in (unwritten, *kept):
            self._say(problem)
        if tampering:
            self._commands.error("\n".join(tampering), title="Reliability")
            return EXIT_NOT_MEASURED if code == EXIT_FAIL else code or EXIT_NOT_MEASURED
        self._annotate(result)
        return code or (EXIT_NOT_MEASURED if unwritten else EXIT_OK)

    def _say(self, text: str) -> None:
        """
        Print *text* as a line of the step's log.
        """
        if text:
            sys.stdout.write(f"{console_text(text)}\n")

    def _hand_over(self, settings: Settings, result: RunResult) -> list[str]:
        """
        Give verdict, outputs and summary to the runner; return what is wrong with them.
        """
        if settings.quiet:
            self._say(headline(result))
        else:
            sys.stdout.write(verdict_table(result, colour=False))
        paths = report_paths(result, settings.output_dir)
        tampered = sorted(item.name for item in self._guard.tampered())
        outputs = run_outputs(result, paths, self._workspace)
        problems = []
        if tampered:
            outputs["verdict"] = Verdict.INVALID
            names = ", ".join(tampered)
            problems.append(
                f"Something other than this action wrote to {names} during the run. "
                "What it wrote was removed, and the verdict is not to be trusted: look "
                "in the log for what the agent did."
            )
        self._write_outputs(outputs)
        self._write_summary(
            "\n\n".join([*(f"> ⚠️ {text}" for text in problems), summary(result)])
        )
        return problems

    @contextmanager
    def _suite(self) -> Iterator[Suite]:
        given = {
            option.name: self._environ.get(f"INPUT_{option.name.upper()}")
            for option in OPTIONS
            if option.where != "cli"
        }
        with opened_suite(
            given,
            environ=self._environ,
            workspace=self._workspace,
            spelling=_spelling,
            also=option_problems,
        ) as suite:
            self._refuse_outside(suite)
            yield suite

    def _refuse_outside(self, suite: Suite) -> None:
        """
        Refuse paths that the container does not share.
        """
        settings = suite.settings
        root = self._workspace.resolve()
        problems = [
            f"Input {name} is {str(path)!r}, which is not in the workspace. Only the "
            f"workspace is shared with the container, as {root}: give a relative path."
            for name, path in (
                ("output-dir", settings.output_dir),
                ("suite", suite.path),
                ("prompt-file", settings.prompt_file),
                ("prices", settings.prices),
            )
            if path is not None and not (root / path).resolve().is_relative_to(root)
        ]
        if problems:
            raise UsageError(problems)

    def _write_outputs(self, outputs: Mapping[str, str]) -> None:
        if path := self._files.get("GITHUB_OUTPUT"):
            write_outputs(path, outputs, guard=self._guard)

    def _write_summary(self, markdown: str) -> None:
        if path := self._files.get("GITHUB_STEP_SUMMARY"):
            write_summary(path, markdown, guard=self._guard)

    def _annotate(self, result: RunResult) -> None:
        annotate = {
            Verdict.PASS: self._commands.notice,
            Verdict.FAIL: self._commands.error,
            Verdict.INCONCLUSIVE: self._commands.warning,
            Verdict.INVALID: self._commands.error,
        }[result.verdict]
        annotate(headline(result), title="Reliability")

    def _uploaded(
        self, settings: Settings, result: RunResult, paths: Mapping[str, Path]
    ) -> bool:
        """
        Upload, report how it went, and tell whether the step may go on.
        """
        from reliability.github.delivery import deliver

        upload = deliver(
            paths,
            settings,
            environ=self._environ,
            mask=self._commands.mask,
            on_cancel=self._cancellation.on_request,
            late=result.status is RunStatus.CANCELLED,
        )
        for note in upload.notes:
            self._say(f"Artifact: {note}")
        if upload.ref is not None:
            self._write_outputs(
                {
                    "artifact-id": upload.ref.id,
                    "artifact-url": upload.ref.url,
                    "artifact-digest": upload.ref.digest,
                }
            )
            if upload.ref.url:
                link = f"[Artifact with log and reports]({upload.ref.url})"
                self._write_summary(f"\n{link}\n")
            return True
        if upload.skipped:
            self._say(f"No artifact: {upload.skipped}")
        else:
            self._commands.warning(upload.failed, title="No artifact")
        return not settings.artifact_required


def _spelling(option: Option) -> str:
    return f"Input {option.name}"
