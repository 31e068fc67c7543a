"""
The command `regrade`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from reliability.cli.output import echo_json, look
from reliability.errors import EXIT_OK
from reliability.exits import leave


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--suite",
    type=click.Path(path_type=Path),
    help="Suite with the checks, by case. Default: the checks that LOG has.",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    help="Folder for the new log and its reports. Default: beside LOG.",
)
@click.option(
    "--allow-changed", is_flag=True, help="Grade answers to another prompt too."
)
@click.option("--json", "as_json", is_flag=True, help="Print what changed as JSON.")
def regrade(
    log: Path,
    suite: Path | None,
    output_dir: Path | None,
    allow_changed: bool,
    as_json: bool,
) -> None:
    """
    Grade the trials of LOG again, without any call, and say what changed.

    Where something does, a new log says what the checks say now, and is labelled so;
    LOG itself is not touched. Checks that need the agent's folder, and judges that were
    not asked, keep what they said, or make the trial invalid if they are new.

    Exit codes: 0 when nothing changed, else by the new verdict: 0 pass; 1 fail; 3 too
    little is known; 4 inconclusive. 2 the suite has problems, or asks something else.
    """
    from reliability.choices import OnInconclusive
    from reliability.escape import console_text
    from reliability.regrade import regrade as grade_again
    from reliability.report.terminal import verdict_table
    from reliability.run import exit_code
    from reliability.suites.loader import load_suite

    found = grade_again(
        log,
        output_dir or log.parent,
        suite=None if suite is None else load_suite(suite, {}),
        allow_changed=allow_changed,
    )
    if as_json:
        changes = [asdict(change) for change in found.changes]
        new_log = found.result.log if found.result else None
        told = {"graded": found.graded, "changes": changes, "notes": found.notes}
        echo_json({**told, "log": new_log})
    else:
        for change in found.changes:
            ends = f"was {change.was}, is {change.now}"
            line = f"trial {change.trial} of {change.case}: {ends}"
            reason = f": {change.reason}" if change.reason else ""
            click.echo(console_text(line + reason))
        for note in found.notes:
            click.echo(console_text(note))
        counts = f"{len(found.changes)} of {found.graded} graded trials changed"
        click.echo(f"{counts}." if found.changes else f"Nothing changed: {counts}.")
    if found.result is None:
        leave(EXIT_OK)
    if not as_json:
        click.echo(verdict_table(found.result, **look()), nl=False)
        click.echo(f"log  {console_text(found.result.log)}")
    choice = OnInconclusive(found.result.options["on_inconclusive"])
    leave(exit_code(found.result, choice))
