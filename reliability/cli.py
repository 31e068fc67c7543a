"""
The command `reliability`, made of `OPTIONS`; each command imports what it needs.

Values are not parsed here: click only collects text, so that every problem is named in
one message, whichever surface it came from.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from reliability import __version__
from reliability.errors import (
    EXIT_FAIL,
    EXIT_NOT_MEASURED,
    EXIT_OK,
    EXIT_SIGNAL_BASE,
    ReliabilityError,
)
from reliability.exits import leave
from reliability.options import OPTIONS, Option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reliability.model import RunResult
    from reliability.settings import Settings

DEMO_PROFILE = (
    "seed={seed},pass-rate=0.92,latency=0.35,latency-sigma=0.4,rate-429=0.08,"
    "retry-after=0.3,rate-529=0.05,rate-500=0.03,rate-drop=0.03"
)
_DEMO_END = """
  This was a demo: a simulated agent that is wrong about 1 time in 12, behind a
  simulated service with rate limits and faults. The verdict, {verdict}, is what a
  workflow would act on; the demo itself ends with exit code 0."""
_LOG = click.argument("log", type=click.Path(path_type=Path))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reliability")
def cli() -> None:
    """
    How reliable is this agent?

    Runs it N times, grades every trial, and says what the results prove.
    """


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
        command = _flag(option)(command)
    return command


def _flag(option: Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
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


@cli.command()
@_run_options
def run(**given: Any) -> None:
    """
    Run AGENT many times, grade every trial, and judge.

    Exit codes: 0 pass; 1 fail; 2 wrong options, nothing was called; 3 could not be
    measured; 4 inconclusive; 130 or 143 cancelled.
    """
    from reliability.settings import Settings

    texts = {option.name: _text(option, given.get(option.field)) for option in OPTIONS}
    settings = Settings.from_text(texts, spelling=_spelling)
    result = _run_and_show(settings)
    from reliability.run import exit_code

    leave(exit_code(result, settings.on_inconclusive))


def _text(option: Option, value: Any) -> str | None:
    """
    Return what was given for *option*, by flag or by environment variable, as text.
    """
    if value is None or value == ():
        return None if option.where == "action" else os.environ.get(option.variable)
    if isinstance(value, tuple):
        return "\n".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spelling(option: Option) -> str:
    return "AGENT" if option.name == "agent" else f"--{option.name}"


def _run_and_show(settings: Settings) -> RunResult:
    from shutil import get_terminal_size

    from reliability.clock import SystemClock
    from reliability.report.progress import Progress
    from reliability.run import run as run_trials

    display = None
    if not settings.quiet:
        columns = get_terminal_size().columns if sys.stderr.isatty() else None
        display = Progress(sys.stderr, columns=columns, clock=SystemClock())
    try:
        result = run_trials(settings, display=display)
    finally:
        if display is not None:
            display.close()
    _show(result, settings)
    return result


def _show(result: RunResult, settings: Settings) -> None:
    from reliability.report import report_paths
    from reliability.report.document import as_json
    from reliability.report.terminal import file_list, verdict_table
    from reliability.report.words import headline

    if settings.json:
        click.echo(as_json(result), nl=False)
    elif settings.quiet:
        click.echo(headline(result))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        click.echo(verdict_table(result, colour=colour), nl=False, color=colour)
        paths = report_paths(result, settings.output_dir)
        click.echo(file_list(paths), nl=False)


@cli.command()
@click.option("--seed", default=7, show_default=True, help="Seed of the simulator.")
@click.option("--loops", default="40", show_default=True, help="How many trials.")
@click.option(
    "--output-dir", default="demo-results", show_default=True, help="Where files go."
)
def demo(seed: int, loops: str, output_dir: str) -> None:
    """
    Show the whole thing on a flaky simulated agent; no key is needed.
    """
    from reliability.settings import Settings

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
    result = _run_and_show(settings)
    click.echo(_DEMO_END.format(verdict=result.verdict))
    number = result.signal_number
    leave(EXIT_OK if number is None else EXIT_SIGNAL_BASE + number)


@cli.command()
@click.argument("profile", default="")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address.")
@click.option(
    "--port", default=8089, show_default=True, help="Port; 0 takes a free one."
)
def simulate(profile: str, host: str, port: int) -> None:
    """
    Serve the simulator alone: a Messages API that answers by PROFILE.

    PROFILE is KEY=VALUE,...: seed, pass-rate, latency, latency-sigma, rate-429,
    rate-529, rate-500, rate-drop, retry-after, requests-per-minute, burst, answer,
    script (a JSON file of steps). Point ANTHROPIC_BASE_URL at it.
    """
    from reliability.simulator.profile import Profile
    from reliability.simulator.server import serve_forever

    def ready(base_url: str) -> None:
        click.echo(f"Simulated Messages API: {base_url} (Ctrl-C ends it)")

    serve_forever(Profile.parse(profile), host=host, port=port, on_ready=ready)


@cli.command()
@_LOG
def show(log: Path) -> None:
    """
    Print LOG for a person, in the classic form.
    """
    from reliability.report.readable import readable_log

    for line in readable_log(log):
        click.echo(line)


@cli.command()
@_LOG
@click.option(
    "--output-dir", type=click.Path(path_type=Path), help="Default: the log's folder."
)
def report(log: Path, output_dir: Path | None) -> None:
    """
    Compute all reports again from LOG.
    """
    from reliability.report import write_reports
    from reliability.report.terminal import file_list, verdict_table
    from reliability.results import read_result

    result = read_result(log)
    paths = write_reports(result, output_dir or log.parent)
    click.echo(verdict_table(result, colour=False), nl=False)
    click.echo(file_list(paths), nl=False)


@cli.command()
@_LOG
@click.option("--repair", is_flag=True, help="Cut a torn last line; a copy is kept.")
@click.option("--sha256", default="", help="The digest that the log must have.")
def verify(log: Path, repair: bool, sha256: str) -> None:
    """
    Say whether LOG is whole and as it was locked.

    Exit codes: 0 it is; 1 it is not; 3 it cannot be read.
    """
    from reliability.clock import SystemClock
    from reliability.journal import examine, repair as cut_torn_tail

    if repair:
        copy = cut_torn_tail(log, clock=SystemClock())
        if copy is not None:
            click.echo(f"The torn last line was cut; the log as it was: {copy}")
    examination = examine(log)
    for sentence in examination.sentences():
        click.echo(sentence)
    matches = not sha256 or sha256.lower() == examination.sha256
    if not matches:
        click.echo(f"Its SHA-256 is {examination.sha256}, not {sha256.lower()}.")
    leave(EXIT_OK if examination.ok and matches else EXIT_FAIL)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """
    Run the command; errors of ours are shown as one message, with their exit code.

    Args:
        argv: The words after the program's name; None takes them from `sys.argv`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character must not cost a verdict.
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(argv, prog_name="reliability", standalone_mode=False)
    except ReliabilityError as error:
        _complain(str(error))
        leave(error.exit_code)
    except click.ClickException as error:
        error.show()
        leave(error.exit_code)
    except click.Abort:
        leave(EXIT_SIGNAL_BASE + signal.SIGINT)
    except BrokenPipeError:
        # Whoever read our output has gone: end as a program does that SIGPIPE ends.
        os._exit(EXIT_SIGNAL_BASE + signal.SIGPIPE)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        _complain(f"{error.strerror or error}{place}.")
        leave(EXIT_NOT_MEASURED)
    except Exception:  # noqa: BLE001 - Python's own exit code, 1, would blame the agent
        _complain(f"This is an error of reliability's own.\n{traceback.format_exc()}")
        leave(EXIT_NOT_MEASURED)
    leave(EXIT_OK)


def _complain(text: str) -> None:
    from reliability.escape import console_lines

    for line in console_lines(text, prefix=""):
        click.echo(f"reliability: {line}", err=True)
