"""
The command `reliability`; each of its commands imports what it needs when it is called.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reliability import __version__
from reliability.cli.again import merge, resume
from reliability.cli.analysing import analyze
from reliability.cli.bisect import bisect
from reliability.cli.comparing import compare
from reliability.cli.init import init
from reliability.cli.logs import report, show, verify
from reliability.cli.output import complain
from reliability.cli.regrading import regrade
from reliability.cli.running import demo, run, simulate
from reliability.cli.suites import check_config, plan, schema
from reliability.cli.tries import tries
from reliability.errors import (
    EXIT_NOT_MEASURED,
    EXIT_OK,
    EXIT_SIGNAL_BASE,
    ReliabilityError,
)
from reliability.exits import leave

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reliability")
def cli() -> None:
    """
    How reliable is this agent?

    Runs it N times, grades every trial, and says what the results prove.
    """


for _command in (
    *(run, resume, merge, demo, simulate),
    *(init, plan, check_config, schema),
    *(show, report, verify, regrade, bisect, compare, tries, analyze),
):
    cli.add_command(_command)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """
    Run the command; errors of ours are shown as one message, with their exit code.

    Args:
        argv: The words after the program's name; None takes them from `sys.argv`.
    """
    # A stream that was closed before we began is None; what is written there is lost.
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character must not cost a verdict.
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(argv, prog_name="reliability", standalone_mode=False)
    except ReliabilityError as error:
        complain(str(error))
        leave(error.exit_code)
    except click.ClickException as error:
        error.show()
        leave(error.exit_code)
    except click.Abort:
        leave(EXIT_SIGNAL_BASE + signal.SIGINT)
    except (BrokenPipeError, SystemExit):
        # click turns a broken pipe into SystemExit(1), which would blame the agent.
        # Whoever read our output has gone: end as a program does that SIGPIPE ends.
        os._exit(EXIT_SIGNAL_BASE + signal.SIGPIPE)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        complain(f"{error.strerror or error}{place}.")
        leave(EXIT_NOT_MEASURED)
    except Exception:  # noqa: BLE001 - Python's own exit code, 1, would blame the agent
        complain(f"This is an error of reliability's own.\n{traceback.format_exc()}")
        leave(EXIT_NOT_MEASURED)
    leave(EXIT_OK)
