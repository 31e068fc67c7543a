"""
One run, told in six sentences.

Make the agent ready; begin the log; run the trials; finish and lock the log; read the
result back from it; write the reports. The Action, the command and the library all call
`run`; there is no other way.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reliability.agents import Agent, open_agent
from reliability.choices import OnInconclusive
from reliability.clock import Clock, SystemClock
from reliability.conditions import Conditions, described
from reliability.engine.attempts import Attempts
from reliability.engine.budget import Budget
from reliability.engine.cancellation import Cancellation, caught_signals
from reliability.engine.executor import Scheduler, open_pool
from reliability.engine.governor import Governor
from reliability.engine.recorder import Display, Recorder, redact_event
from reliability.engine.retry import RetryPolicy
from reliability.engine.scene import Scene
from reliability.engine.workers import (
    available_cores,
    available_memory_bytes,
    choose_workers,
)
from reliability.errors import (
    EXIT_FAIL,
    EXIT_INCONCLUSIVE,
    EXIT_NOT_MEASURED,
    EXIT_OK,
    EXIT_SIGNAL_BASE,
    MeasureError,
)
from reliability.journal import Journal
from reliability.model import (
    RunStatus,
    Setup,
    Trial,
    Verdict,
)
from reliability.process import stop_everything
from reliability.redact import Redactor, secrets_of
from reliability.report import write_reports
from reliability.results import read_result
from reliability.settings import DEFAULT_CASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reliability.earlier import Earlier
    from reliability.run_result import RunResult
    from reliability.settings import Settings


def run(
    settings: Settings,
    *,
    environ: Mapping[str, str] | None = None,
    workspace: Path | None = None,
    display: Display | None = None,
    cancellation: Cancellation | None = None,
    clock: Clock | None = None,
    on_result: Callable[[RunResult], None] | None = None,
    earlier: Earlier | None = None,
) -> RunResult:
    """
    Run the trials, lock the log, write the reports and return what they say.

    Args:
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
    if earlier is not None and earlier.complete:
        return report(earlier.path, settings.output_dir, on_result)
    with (
        caught_signals(cancellation),
        _ready_agent(settings, environ, workspace, redactor, clock, earlier) as ready,
        open_log(
            settings.output_dir, settings.filename, clock=clock, redactor=redactor
        ) as journal,
    ):
        recorder = _begin_log(settings, ready, journal, clock, display)
        status, stopped_by = _run_trials(
            settings, ready, journal, recorder, cancellation, clock
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
    An agent that can be asked, and what is known before the first call.
    """

    agent: Agent
    setup: Setup
    earlier: Earlier | None
    scene: Scene


@contextmanager
def _ready_agent(
    settings: Settings,
    environ: Mapping[str, str],
    workspace: Path,
    redactor: Redactor,
    clock: Clock,
    earlier: Earlier | None,
) -> Iterator[_Ready]:
    agent = open_agent(
        settings,
        environ=environ,
        workspace=workspace,
        redactor=redactor,
        clock=clock,
    )
    try:
        setup = described(settings, agent.prepare())
        if earlier is not None:
            earlier.require_all_taken_over()
            now = Conditions.of(settings, setup, redactor.value)
            earlier = earlier.accepted(now)
        scene = Scene(
            environ=environ, workspace=workspace, redactor=redactor, clock=clock
        )
        yield _Ready(agent, setup, earlier, scene)
    finally:
        agent.close()


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
    earlier = ready.earlier
    recorder = Recorder(journal, planned=settings.loops, clock=clock, display=display)
    recorder.run_started(
        ready.setup,
        {
            "agent": settings.agent,
            "backend": settings.backend,
            "cases": [DEFAULT_CASE],
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


def _run_trials(
    settings: Settings,
    ready: _Ready,
    journal: Journal,
    recorder: Recorder,
    cancellation: Cancellation,
    clock: Clock,
) -> tuple[RunStatus, str]:
    workers = choose_workers(
        settings, cores=available_cores(), memory_bytes=available_memory_bytes()
    )
    gap_s = 0.0 if settings.parallel else settings.delay
    pool = open_pool(workers)
    try:
        with Attempts(ready.agent, settings, journal.run_id, ready.scene) as attempts:
            scheduler = Scheduler(
                trials=_plan(settings, ready.earlier),
                ask=attempts.ask,
                stop=attempts.stop,
                kill=stop_everything,
                pool=pool,
                governor=Governor(
                    ceiling=workers,
                    gap_s=gap_s,
                    per_minute=settings.requests_per_minute,
                ),
                budget=Budget.of(settings, began_mono_s=recorder.began_mono_s),
                retry=RetryPolicy(settings.max_attempts),
                observer=recorder,
                clock=clock,
                cancellation=cancellation,
            )
            return scheduler.run(), scheduler.stopped_by
    finally:
        ready.agent.cancel()
        pool.shutdown(wait=False, cancel_futures=True)


def _plan(settings: Settings, earlier: Earlier | None) -> Iterator[Trial]:
    for loop in range(1, settings.loops + 1):
        if earlier is None or loop not in earlier.kept:
            yield Trial(number=loop, case=DEFAULT_CASE, loop=loop)
