"""
The commands that go on with logs there are: `resume` and `merge`.

What is measured comes from the log, so `resume` has no options for that.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reliability.cli.running import conclude, flag_of, run_and_show, text_of
from reliability.exits import leave
from reliability.options import OPTIONS
from reliability.options.shape import RUN_SHAPE

if TYPE_CHECKING:
    from collections.abc import Callable

_SHAPE_OPTIONS = tuple(option for option in OPTIONS if option.name in RUN_SHAPE)
_ALLOW_CHANGED = click.option(
    "--allow-changed",
    is_flag=True,
    help="Take trials over even if something differs; each is labelled as changed, "
    "and the reports say what differs.",
)


def _shape_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Add the flags of options that may be given anew.
    """
    for option in reversed(_SHAPE_OPTIONS):
        command = flag_of(option)(command)
    return command


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@_ALLOW_CHANGED
@_shape_flags
def resume(log: Path, allow_changed: bool, **given: Any) -> None:
    """
    Run what LOG lacks, in a new log that takes over what LOG has.

    Trials that passed or failed are kept; those that were invalid, never ended or never
    began are run. LOG itself is not touched. The options are those of LOG, but for the
    ones below; the default of each is what LOG has. Caps (--max-cost-usd, --max-tokens,
    --max-minutes) count from zero. A prompt file is read again.

    When the agent, the prompt, the model, a version or an option differs, nothing is
    called: exit code 2, with the differences. When nothing is missing, LOG's own
    verdict is shown and no new log is made.

    Exit codes: 0 pass; 1 fail; 2 wrong options or something differs, nothing was
    called; 3 could not be measured, or LOG is damaged or in use; 4 inconclusive; 129,
    130 or 143 cancelled.
    """
    import os

    from reliability.against import opened_suite
    from reliability.agents import option_problems
    from reliability.earlier import read_earlier

    earlier = read_earlier(log, allow_changed=allow_changed)
    texts: dict[str, str | None] = {**earlier.texts()}
    for option in _SHAPE_OPTIONS:
        text = text_of(option, given[option.field])
        if text is not None:
            texts[option.name] = text
    with opened_suite(
        texts, environ=os.environ, workspace=Path.cwd(), also=option_problems
    ) as suite:
        if earlier.complete and not suite.settings.quiet:
            click.echo(f"Nothing is missing in {log}: no trial is run.", err=True)
        _, code = run_and_show(suite, earlier=earlier)
    leave(code)


@click.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@_ALLOW_CHANGED
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default="reliability-results",
    show_default=True,
    help="Folder for the new log, the results and the reports.",
)
@click.option("--quiet", is_flag=True, help="Show no table, only the verdict.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the results as JSON, nothing else."
)
def merge(
    logs: tuple[Path, ...],
    allow_changed: bool,
    output_dir: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """
    Join LOGS of one plan in a new log, and judge all of it.

    For the shards of a matrix job, or a log and those that went on with it: a trial
    that several of them have counts once. Nothing is run. The number of loops may
    differ; when anything else does that decides what is measured, exit code 2 with the
    differences from the first log.

    Exit codes: 0 pass; 1 fail; 2 the logs do not belong together; 3 could not be
    measured, or a log is damaged or in use; 4 inconclusive; 129, 130 or 143 when one
    of the runs was cancelled.
    """
    from reliability.merge import merge as merge_logs

    _, code = conclude(
        lambda: merge_logs(logs, output_dir, allow_changed=allow_changed),
        output_dir=output_dir,
        quiet=quiet,
        as_json=as_json,
    )
    leave(code)
