"""
One run, told in six sentences.

Make the agent ready; begin the log; run the trials; finish and lock the log; read the
result back from it; write the reports. The Action, the command and the library all call
`run`; there is no other way.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reliability.choices import OnInconclusive
from reliability.clock import Clock, SystemClock
from reliability.conditions import Conditions, described, described_file
from reliability.engine.cancellation import Cancellation, caught_signals
from reliability.engine.events import redact_event
from reliability.engine.machine import run_trials
from reliability.engine.reach import require_reachable
from reliability.engine.recorder import Display, Recorder
from reliability.engine.scene import Scene
from reliability.engine.targets import Targets
from reliability.errors import (
    EXIT_FAIL,
    EXIT_INCONCLUSIVE,
    EXIT_NOT_MEASURED,
    EXIT_OK,
    EXIT_SIGNAL_BASE,
    MeasureError,
)
from reliability.gate import Gate
from reliability.journal import Journal
from reliability.model import RunStatus, Setup, Verdict
from reliability.redact import Redactor, secrets_of
from reliability.report import write_reports
from reliability.results import read_result
from reliability.run_result import CasePlan
from reliability.suites.single import single_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reliability.earlier import Earlier
    from reliability.run_result import RunResult
    from reliability.settings import Settings
    from reliability.suite import Suite


def run(
    settings: Settings,
    *,
    suite: Suite | None = None,
    environ: Mapping[str, str] | None = None,
    workspace: Path | None = None,
    display: Display | None = None,
    cancellation: Cancellation | None = None,
    clock: Clock | None = None,
    on_result: Callable[[RunResult], None] | None = None,
    earlier: Earlier | None = None,
    function: Callable[[str], str] | None = None,
) -> RunResult:
    """
    Run the trials, lock the log, write the reports and return what they say.

    Args:
        suite: The cases, when *settings* are not all there is to say; None for the one
            case that they describe.
        environ: Credentials and PATH come from here; None for this process's own.
        workspace: Where the agent works; None for the current folder.
        display: Is shown how far the run is; None for nobody.
        cancellation: Asks the run to stop; SIGINT, SIGTERM and SIGHUP do too.
        clock: None for the machine's own.
        on_result: Is told the result before the reports are written, which takes a
            while for a long log; None for nobody.
        earlier: A run to go on with: what it measured is taken over into the new log,
            and the rest is run. When nothing is left, its own result is returned and
            no log is made. None begins afresh.
        function: The agent, when the backend is `function`; else None.

    Raises:
        ReportsError: when a report cannot be written; it carries the result.
        UsageError: when an option names something that is not there, or when something
            is otherwise than in *earlier*; no call was made.
        AgentSetupError: when the agent cannot be started; no call was made.
        JournalError: when the log can no longer be written; what it holds is kept.
    """
    clock = clock or SystemClock()
    environ = os.environ if environ is None else environ
    cancellation = cancellation or Cancellation()
    redactor = Redactor(secrets_of(environ))
    workspace = (workspace or Path.cwd()).resolve()
    suite = suite or single_case(settings)
    scene = Scene(
        environ=environ,
        workspace=workspace,
        redactor=redactor,
        clock=clock,
        function=function,
    )
    if earlier is not None and earlier.complete:
        return report(earlier.path, settings.output_dir, on_result)
    with (
        caught_signals(cancellation),
        _ready(settings, suite, scene, earlier) as ready,
        open_log(
            settings.output_dir, settings.filename, clock=clock, redactor=redactor
        ) as journal,
    ):
        recorder = _begin_log(settings, ready, journal, clock, display)
        status, stopped_by = run_trials(
            settings,
            ready.suite,
            ready.targets,
            scene,
            run_id=journal.run_id,
            done=ready.earlier.kept if ready.earlier else (),
            recorder=recorder,
            cancellation=cancellation,
        )
        recorder.run_finished(
            status, signal_number=cancellation.signal_number, stopped_by=stopped_by
        )
        return report(journal.path, settings.output_dir, on_result)


def exit_code(result: RunResult, on_inconclusive: OnInconclusive) -> int:
    """
    Return the exit code that says what the verdict allows.
    """
    if result.status is RunStatus.CANCELLED:
        return EXIT_SIGNAL_BASE + (result.signal_number or 0)
    match result.verdict:
        case Verdict.PASS:
            return EXIT_OK
        case Verdict.FAIL:
            return EXIT_FAIL
        case Verdict.INVALID:
            return EXIT_NOT_MEASURED
        case Verdict.INCONCLUSIVE:
            warn = on_inconclusive is OnInconclusive.WARN
            return EXIT_OK if warn else EXIT_INCONCLUSIVE


class ReportsError(MeasureError):
    """
    The run is measured and its log is locked, but a report could not be written.
    """

    def __init__(self, cause: OSError, result: RunResult) -> None:
        place = f" to {cause.filename}" if cause.filename else ""
        super().__init__(
            f"The reports could not be written{place}: {cause.strerror or cause}.",
            remedy=f"The log is whole; 'reliability report {result.log}' makes them.",
        )
        self.result = result


def report(
    log: Path,
    output_dir: Path,
    on_result: Callable[[RunResult], None] | None = None,
) -> RunResult:
    """
    Read the result back from the log, and write the reports.

    Raises:
        ReportsError: when a report cannot be written; it carries the result.
    """
    result = read_result(log)
    if on_result is not None:
        on_result(result)
    try:
        write_reports(result, output_dir)
    except OSError as error:
        raise ReportsError(error, result) from error
    return result


class _Ready(NamedTuple):
    """
    Agents that can be asked, and what is known before the first call.
    """

    suite: Suite
    targets: Targets
    setup: Setup
    earlier: Earlier | None


@contextmanager
def _ready(
    settings: Settings, suite: Suite, scene: Scene, earlier: Earlier | None
) -> Iterator[_Ready]:
    targets = Targets(suite, scene)
    try:
        warnings = (*suite.warnings, *require_reachable(suite))
        setup = described(suite, targets.prepare())
        setup = replace(setup, warnings=(*setup.warnings, *warnings))
        if earlier is not None:
            earlier.require_all_taken_over()
            now = Conditions.of(settings, setup, scene.redactor.value)
            earlier = earlier.accepted(now)
        yield _Ready(suite, targets, setup, earlier)
    finally:
        targets.close()


def open_log(
    output_dir: Path, base_name: str, *, clock: Clock, redactor: Redactor
) -> Journal:
    """
    Begin the log of a new run, with an id of its own; every event is redacted.

    Raises:
        JournalError: when it cannot be made.
    """
    return Journal.create(
        output_dir,
        base_name=base_name,
        run_id=os.urandom(4).hex(),
        clock=clock,
        redact=partial(redact_event, redactor.value),
    )


def _begin_log(
    settings: Settings,
    ready: _Ready,
    journal: Journal,
    clock: Clock,
    display: Display | None,
) -> Recorder:
    earlier, suite = ready.earlier, ready.suite
    cases = [case.as_json() for case in suite.cases]
    plans = [CasePlan.of(case) for case in cases]
    recorder = Recorder(
        journal, plans=plans, gate=Gate.of(suite), clock=clock, display=display
    )
    recorder.run_started(
        ready.setup,
        {
            "agent": settings.agent,
            "backend": settings.backend,
            "cases": cases,
            "suite": described_file(suite),
            "loops": settings.loops,
            "options": settings.public(),
            "prompt": settings.prompt,
            "earlier": earlier.lineage if earlier else [],
            "changed": list(earlier.changed) if earlier else [],
            "reused": len(earlier.kept) if earlier else 0,
        },
    )
    for trial in earlier.trials() if earlier else ():
        recorder.trial_reused(trial)
    return recorder
