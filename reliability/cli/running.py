"""
The commands that run trials, `run` and `demo`, and `simulate`, which serves them.

Values are not parsed here: click only collects text, so that every problem is named in
one message, whichever surface it came from.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reliability.cli.output import complain, look
from reliability.errors import EXIT_NOT_MEASURED, EXIT_OK, EXIT_SIGNAL_BASE
from reliability.exits import leave
from reliability.options import OPTIONS, Option

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.earlier import Earlier
    from reliability.run_result import RunResult
    from reliability.suite import Suite

DEMO_PROFILE = (
    "seed={seed},pass-rate=0.92,latency=0.35,latency-sigma=0.4,requests-per-minute=600,"
    "burst=10,rate-529=0.05,rate-500=0.03,rate-drop=0.03"
)
_DEMO_END = """
  This was a demo: a simulated agent that is wrong about 1 time in 12, behind a
  simulated service with rate limits and faults. The verdict, {verdict}, is what a
  workflow would act on; the demo itself ends with exit code 0."""


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Add a flag for every option that the command line has.
    """
    for option in reversed(OPTIONS):
        if option.where == "action":
            continue
        if option.name == "agent":
            command = click.argument("agent", required=False)(command)
            continue
        command = flag_of(option)(command)
    return command


def flag_of(option: Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Return the flag of an option, or the pair of flags of a switch.
    """
    names = [f"--{option.name}", option.field]
    shown = [f"env {option.variable}"]
    if option.default and option.metavar:
        shown.insert(0, f"default {option.default}")
    text = f"{option.help} [{'; '.join(shown)}]"
    if not option.metavar:
        names[0] = f"--{option.name}/--no-{option.name}"
        return click.option(*names, default=None, help=text)
    return click.option(
        *names, metavar=option.metavar, multiple=option.repeat, help=text
    )


@click.command()
@_run_options
def run(**given: Any) -> None:
    """
    Run AGENT many times, grade every trial, and judge.

    Exit codes: 0 pass; 1 fail; 2 wrong options, nothing was called; 3 could not be
    measured; 4 inconclusive; 129, 130 or 143 cancelled.
    """
    from reliability.against import opened_suite
    from reliability.agents import option_problems

    texts = {
        option.name: text_of(option, given.get(option.field)) for option in OPTIONS
    }

    def spelling(option: Option) -> str:
        if given.get(option.field) in {None, ()} and texts[option.name] is not None:
            return option.variable
        return "AGENT" if option.name == "agent" else f"--{option.name}"

    with opened_suite(
        texts,
        environ=os.environ,
        workspace=Path.cwd(),
        spelling=spelling,
        also=option_problems,
    ) as suite:
        if suite.settings.dry_run:
            from reliability.cli.dry_run import show_plan

            show_plan(suite)
            code = EXIT_OK
        else:
            _, code = run_and_show(suite)
    leave(code)


def text_of(option: Option, value: Any) -> str | None:
    """
    Return what was given for *option*, by flag or by environment variable, as text.
    """
    if value is None or value == ():
        return None if option.where == "action" else os.environ.get(option.variable)
    if isinstance(value, tuple):
        return "\n".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def run_and_show(
    suite: Suite, *, earlier: Earlier | None = None
) -> tuple[RunResult, int]:
    """
    Run, print what came of it, and return the result and its exit code.

    Args:
        earlier: A run to go on with; None begins afresh.
    """
    from shutil import get_terminal_size

    from reliability.clock import SystemClock
    from reliability.report.progress import Progress
    from reliability.run import run as run_trials

    settings = suite.settings

    def measure() -> RunResult:
        display = None
        if not settings.quiet:
            columns = get_terminal_size().columns if sys.stderr.isatty() else None
            display = Progress(sys.stderr, columns=columns, clock=SystemClock())
        try:
            return run_trials(settings, suite=suite, display=display, earlier=earlier)
        finally:
            if display is not None:
                display.close()

    return conclude(
        measure,
        output_dir=settings.output_dir,
        quiet=settings.quiet,
        as_json=settings.json,
    )


def conclude(
    measure: Callable[[], RunResult], *, output_dir: Path, quiet: bool, as_json: bool
) -> tuple[RunResult, int]:
    """
    Print what comes of a run, and return it with its exit code.
    """
    from reliability.choices import OnInconclusive
    from reliability.run import ReportsError, exit_code

    problem = ""
    try:
        result = measure()
    except ReportsError as error:
        result, problem = error.result, str(error)
    # Whoever read our output may have gone; the exit code is the verdict's even so.
    with suppress(OSError):
        _show(result, output_dir, quiet=quiet, as_json=as_json)
    code = exit_code(result, OnInconclusive(result.options["on_inconclusive"]))
    if problem:
        complain(problem)
        code = code or EXIT_NOT_MEASURED
    return result, code


def _show(result: RunResult, output_dir: Path, *, quiet: bool, as_json: bool) -> None:
    from reliability.escape import console_text
    from reliability.report import report_paths
    from reliability.report.document import json_pieces
    from reliability.report.terminal import file_list, verdict_table
    from reliability.report.words import headline

    if as_json:
        sys.stdout.writelines(map(console_text, json_pieces(result)))
        sys.stdout.flush()
    elif quiet:
        click.echo(headline(result))
    else:
        click.echo(verdict_table(result, **look()), nl=False, color=look()["colour"])
        click.echo(file_list(report_paths(result, output_dir)), nl=False)


@click.command()
@click.option("--seed", default=7, show_default=True, help="Seed of the simulator.")
@click.option(
    "--loops", default="40", metavar="N", show_default=True, help="How many trials."
)
@click.option(
    "--output-dir", default="demo-results", show_default=True, help="Where files go."
)
def demo(seed: int, loops: str, output_dir: str) -> None:
    """
    Show the whole thing on a flaky simulated agent; no key is needed.
    """
    from reliability.settings import Settings
    from reliability.suites.single import single_case

    settings = Settings.from_text(
        {
            "agent": "flaky",
            "backend": "simulated",
            "loops": loops,
            "parallel": "true",
            "max-workers": "10",
            "expect": "contains:Hello",
            "filename": "demo",
            "output-dir": output_dir,
            "simulator": DEMO_PROFILE.format(seed=seed),
        }
    )
    result, _ = run_and_show(single_case(settings))
    click.echo(_DEMO_END.format(verdict=result.verdict))
    number = result.signal_number
    leave(EXIT_OK if number is None else EXIT_SIGNAL_BASE + number)


@click.command()
@click.argument("profile", default="")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address.")
@click.option(
    "--port", default=8089, show_default=True, help="Port; 0 takes a free one."
)
def simulate(profile: str, host: str, port: int) -> None:
    """
    Serve the simulator alone: a Messages API that answers by PROFILE.

    PROFILE is KEY=VALUE,...: seed, pass-rate, latency, latency-sigma, rate-429,
    rate-529, rate-500, rate-drop, retry-after, requests-per-minute, burst,
    input-tokens-per-minute, output-tokens-per-minute, token-burst, answer, script (a
    JSON file of steps). A limit of 0 is none. Point ANTHROPIC_BASE_URL at it.
    """
    from reliability.simulator.profile import Profile
    from reliability.simulator.server import serve_forever

    def ready(base_url: str) -> None:
        click.echo(f"Simulated Messages API: {base_url} (Ctrl-C ends it)")

    serve_forever(Profile.parse(profile), host=host, port=port, on_ready=ready)
