"""
The commands that read a log: `show`, `report` and `verify`.
"""

from __future__ import annotations

from pathlib import Path

import click

from reliability.cli.output import look
from reliability.errors import EXIT_FAIL, EXIT_OK
from reliability.exits import leave

_LOG = click.argument("log", type=click.Path(path_type=Path))


@click.command()
@_LOG
@click.option("--trial", type=int, metavar="N", help="Show one trial, whole.")
@click.option("--full", is_flag=True, help="Cut no text of that trial.")
def show(log: Path, trial: int | None, full: bool) -> None:
    """
    Print LOG for a person, in the classic form, or one of its trials.

    A trial is told with its turns, tools, subagents, checks and votes.
    """
    from reliability.report.readable import readable_log
    from reliability.report.transcript import trial_lines

    if trial is None:
        lines = readable_log(log)
    else:
        lines = trial_lines(log, trial, colour=look()["colour"], full=full)
    for line in lines:
        click.echo(line, color=look()["colour"])


@click.command()
@_LOG
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    help="Default: a folder with the log's name, beside it.",
)
def report(log: Path, output_dir: Path | None) -> None:
    """
    Compute all reports again from LOG.

    Exit code 0 when they are written, whatever the verdict.
    """
    from reliability.report import write_reports
    from reliability.report.terminal import file_list, verdict_table
    from reliability.results import read_result

    result = read_result(log)
    paths = write_reports(result, output_dir or log.with_suffix(".reports"))
    click.echo(verdict_table(result, **look()), nl=False)
    click.echo(file_list(paths), nl=False)


@click.command()
@_LOG
@click.option("--repair", is_flag=True, help="Cut a torn last line; a copy is kept.")
@click.option("--sha256", default="", help="The digest that the log must have.")
@click.option("--locked", is_flag=True, help="Accept only a log that was locked.")
def verify(log: Path, repair: bool, sha256: str, locked: bool) -> None:
    """
    Say whether LOG is whole and, once locked, unchanged.

    Exit codes: 0 it is; 1 it is not; 3 it cannot be read. A log that is whole but was
    never locked, since its run was killed, is 1 with --locked.
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
    accepted = examination.ok and matches and (examination.locked or not locked)
    leave(EXIT_OK if accepted else EXIT_FAIL)
