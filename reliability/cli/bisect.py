"""
The command `bisect`.

It has the options of `run` but for those that judge or stop one run: here trials are
counted, and the search decides how many there are.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reliability.cli.bisect_table import (
    ending,
    progress_line,
    search_json,
    search_table,
)
from reliability.cli.output import echo_json
from reliability.cli.running import flag_of, text_of
from reliability.errors import UsageError
from reliability.exits import leave
from reliability.options import OPTIONS
from reliability.parsers import integer, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.bisect import Rules, Search

_NOT_HERE = frozenset(
    {
        *("min-pass-rate", "gate", "early-stop", "on-stop", "max-invalid"),
        *("expected-rate", "allow-unreachable", "on-inconclusive", "dry-run"),
        *("against", "baseline", "margin"),
    }
)
_OTHERWISE: dict[str, dict[str, Any]] = {
    "loops": {
        "help": "Most trials of one commit.",
        "default": "100",
        "parse": integer(1, 100_000),
    },
    "confidence": {
        "help": "How likely the named commit must be the right one.",
        "default": "0.9",
    },
}
_OPTIONS = tuple(
    replace(option, **_OTHERWISE.get(option.name, {}))
    for option in OPTIONS
    if option.where != "action" and option.name not in _NOT_HERE
)
_RATE = number(0, 1)


def _flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Add the flags of a run that a search has too.
    """
    for option in reversed(_OPTIONS):
        if option.name != "agent":
            command = flag_of(option)(command)
    return command


@click.command()
@click.argument("good")
@click.argument("bad")
@click.argument("agent", required=False)
@click.option(
    "--good-rate", metavar="RATE", help="Pass rate at GOOD. Default: measured."
)
@click.option("--bad-rate", metavar="RATE", help="Pass rate at BAD. Default: measured.")
@click.option(
    "--batch",
    type=click.IntRange(1, 1000),
    default=4,
    show_default=True,
    help="Trials at a commit before the next is chosen.",
)
@click.option("--resume", is_flag=True, help="Count what the logs of a search have.")
@_flags
def bisect(
    good: str,
    bad: str,
    good_rate: str | None,
    bad_rate: str | None,
    batch: int,
    resume: bool,
    **given: Any,
) -> None:
    """
    Name the commit between GOOD and BAD that lowered AGENT's pass rate.

    Along first parents. Each commit is checked out in a temporary folder; prompt, suite
    and checks are those at hand now. Every batch leaves its log in bisect/COMMIT/ of
    the output folder. --max-cost-usd, --max-tokens and --max-minutes hold over the
    whole search.

    Exit codes: 0 found; 2 wrong options, nothing was called; 3 could not be measured; 4
    inconclusive; 129, 130 or 143 cancelled.
    """
    from reliability.agents import option_problems
    from reliability.bisect import bisect as search_commit
    from reliability.engine.history import read_history
    from reliability.suites.opening import open_suite

    texts = {
        option.name: text_of(option, given.get(option.field)) for option in _OPTIONS
    }
    rules = _rules(texts, good_rate, bad_rate, batch)
    texts |= {"loops": None, "confidence": None}
    suite = open_suite(texts, also=option_problems)
    settings, workspace = suite.settings, Path.cwd()
    history = read_history(workspace, good, bad, os.environ)
    shows = not settings.quiet

    def show(search: Search) -> None:
        with suppress(OSError):
            click.echo(progress_line(search), err=True)

    search = search_commit(
        suite,
        history,
        rules,
        workspace=workspace,
        resume=resume,
        on_batch=show if shows else lambda _: None,
    )
    # Whoever read our output may have gone; the exit code is the search's even so.
    with suppress(OSError):
        if settings.json:
            echo_json(search_json(search))
        else:
            click.echo("\n".join(search_table(search) if shows else ending(search)))
        sys.stdout.flush()
    leave(search.exit_code)


def _rules(
    texts: dict[str, str | None],
    good_rate: str | None,
    bad_rate: str | None,
    batch: int,
) -> Rules:
    """
    Parse what says when a search is done.

    Raises:
        UsageError: with every problem found.
    """
    from reliability.bisect import Rules

    problems: list[str] = []
    loops, confidence = (
        _parsed(f"--{name}", option.parse, texts[name] or option.default, problems)
        for name in ("loops", "confidence")
        for option in _OPTIONS
        if option.name == name
    )
    good, bad = (
        _parsed(flag, _RATE, text, problems)
        for flag, text in (("--good-rate", good_rate), ("--bad-rate", bad_rate))
    )
    for flag, rate in (("--good-rate", good), ("--bad-rate", bad)):
        if rate is not None and not 0 < rate < 1:
            problems.append(
                f"{flag} is {rate:g}: it must be above 0 and below 1, such as 0.99, "
                "or one trial would settle everything."
            )
    if not problems and good is not None and bad is not None and good <= bad:
        problems.append(f"--good-rate is {good:g}, and --bad-rate is not below it.")
    if problems:
        raise UsageError(problems)
    return Rules(
        confidence=confidence,
        most_trials=loops,
        batch=batch,
        good_rate=good,
        bad_rate=bad,
    )


def _parsed(
    flag: str, parse: Callable[[str], Any], text: str | None, problems: list[str]
) -> Any:
    """
    Return a value; None for no text, or for a wrong one, which is noted.
    """
    if text is None:
        return None
    try:
        return parse(text.strip())
    except ValueError as error:
        problems.append(f"{flag} is {text[:60]!r}: it {error}.")
        return None
