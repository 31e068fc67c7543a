"""
The commands about suite files: `schema`, `plan` and `check-config`. None calls a model.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reliability.cli.output import echo_json
from reliability.cli.running import flag_of, text_of
from reliability.errors import EXIT_OK, UsageError
from reliability.exits import leave
from reliability.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.settings import Settings
    from reliability.suite import Case, Suite

_CHOOSING = ("suite", "case", "tag", "backend", "model", "loops", "simulator", "seed")
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_CLAUDE_KEYS = (
    *_KEYS,
    "CLAUDE_CODE_OAUTH_TOKEN",
    *("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"),
)


def _choosing_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """
    Add the flags that choose cases and who answers.
    """
    for option in reversed(OPTIONS):
        if option.name in _CHOOSING:
            command = flag_of(option)(command)
    return command


def _opened(given: dict[str, Any]) -> Suite:
    from reliability.agents import option_problems
    from reliability.suites.opening import open_suite

    texts = {
        option.name: text_of(option, given.get(option.field))
        for option in OPTIONS
        if option.name in _CHOOSING
    }
    return open_suite(texts, also=option_problems)


@click.command()
def schema() -> None:
    """
    Print the JSON Schema of suite files, for editors and other tools.
    """
    from reliability.suites.schema import json_schema

    echo_json(json_schema())


@click.command()
@click.option("--list", "is_list", is_flag=True, help="Show every case, expanded.")
@click.option("--json", "as_json", is_flag=True, help="Print the cases as JSON.")
@click.option(
    "--min-pass-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="RATE",
    help="Show what numbers of trials bring for this rate instead of a suite.",
)
@click.option(
    "--true-rate",
    type=click.FloatRange(0, 1),
    metavar="RATE",
    help="What the agent is thought to have.",
)
@click.option("--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95)
@click.option("--early-stop/--no-early-stop", default=True, show_default=True)
@click.option("--budget", type=float, metavar="USD", help="Most that it may cost.")
@click.option("--minutes", type=float, metavar="N", help="Most that it may take.")
@click.option("--requests-per-minute", type=int, metavar="N", help="The limit.")
@click.option("--cost-usd", type=float, metavar="USD", help="What one trial costs.")
@click.option("--seconds", type=float, metavar="N", help="What one trial takes.")
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    help="A log of such trials: their mean cost and time.",
)
@_choosing_flags
def plan(
    is_list: bool,
    as_json: bool,
    min_pass_rate: float | None,
    true_rate: float | None,
    confidence: float,
    early_stop: bool,
    budget: float | None,
    minutes: float | None,
    requests_per_minute: int | None,
    cost_usd: float | None,
    seconds: float | None,
    log: Path | None,
    **given: Any,
) -> None:
    """
    Show what a suite would run, or what a number of trials can show.

    Without --min-pass-rate: every case that the suite's matrix makes. With it: how many
    loops tell --true-rate from that rate, the chance of each verdict, cost and time.

    Exit codes: 0; 2 the suite has problems, all of which are named.
    """
    if min_pass_rate is not None:
        from reliability.cli.planning import Wish, means_of, show_numbers
        from reliability.gate import Gate

        gate = Gate(
            min_pass_rate=min_pass_rate, confidence=confidence, early_stop=early_stop
        )
        trials = _whole(given.get("loops"))
        wish = Wish(gate, true_rate, budget, minutes, requests_per_minute, trials)
        show_numbers(wish, means_of(log, cost_usd, seconds))
        return
    from reliability.escape import console_text
    from reliability.report.words import counted

    suite = _opened(given)
    if as_json:
        echo_json([case.as_json() for case in suite.cases])
        return
    if is_list:
        for case in suite.cases:
            click.echo("\n".join(map(console_text, _described(case))))
    cases = counted(len(suite.cases), "case")
    order = f"in rounds, shuffled by seed {suite.settings.seed}"
    click.echo(f"{cases}, {counted(suite.trials, 'trial')} {order}.")
    if not is_list:
        click.echo("'reliability plan --list' shows each case.")


def _whole(text: str | None) -> int | None:
    """
    Return the loops that are given as a number; None for none, or for auto.

    Raises:
        UsageError: when it is neither.
    """
    if not text or text == "auto":
        return None
    option = next(one for one in OPTIONS if one.name == "loops")
    try:
        return int(option.parse(text))
    except ValueError as error:
        raise UsageError(f"--loops is {text!r}: it {error}.") from None


def _described(case: Case) -> list[str]:
    """
    Return the lines that tell a case.
    """
    from reliability.report.words import counted

    settings = case.settings
    who = [settings.agent] if settings.agent else []
    who += [f"backend {settings.backend}", f"model {settings.model or 'not named'}"]
    lines = [case.name, f"  agent     {', '.join(who)}"]
    loops = counted(settings.loops, "trial")
    gate = f"pass rate {settings.min_pass_rate:g}"
    lines.append(f"  trials    {loops}, {settings.timeout:g} s each at most, {gate}")
    if case.tags:
        lines.append(f"  tags      {', '.join(case.tags)}")
    if case.variables:
        pairs = (f"{name}={value!r}" for name, value in case.variables.items())
        lines.append(f"  vars      {', '.join(pairs)}")
    if case.workspace.folder or case.workspace.ref:
        place = case.workspace.folder or "the workspace"
        at = f" at {case.workspace.ref}" if case.workspace.ref else ""
        lines.append(f"  workspace {place}{at}")
    lines.append(f"  prompt    {_first_line(settings.prompt)}")
    labels = [weighed.check.label for weighed in case.checks]
    lines += [
        f"  {'checks' if at == 0 else '':<9} {label}" for at, label in enumerate(labels)
    ]
    if not labels:
        lines.append("  checks    none: any answer that is not empty passes")
    return lines


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0]
    return line if line == text.strip() and len(line) <= 70 else f"{line[:70]} ..."


@click.command("check-config")
@_choosing_flags
def check_config(**given: Any) -> None:
    """
    Look at everything that can be looked at without a call.

    The suite and the files that it names, agents and programs, keys in the environment,
    and what it would cost. Without a suite there must be one: reliability.yml.

    Exit codes: 0 nothing is wrong; 2 something is, all of it named.
    """
    from reliability.cli.dry_run import show_plan

    suite = _opened(given)
    problems = [*_setup_problems(suite), *_key_problems(suite)]
    if problems:
        raise UsageError(problems)
    show_plan(suite)
    click.echo("\nNothing is wrong that can be seen without a call.")
    leave(EXIT_OK)


def _setup_problems(suite: Suite) -> list[str]:
    """
    Return what every agent finds when it looks for its program, files and user.
    """
    from reliability.clock import SystemClock
    from reliability.engine.scene import Scene
    from reliability.engine.targets import Targets
    from reliability.errors import ReliabilityError
    from reliability.redact import Redactor, secrets_of

    scene = Scene(
        environ=os.environ,
        workspace=Path.cwd(),
        redactor=Redactor(secrets_of(os.environ)),
        clock=SystemClock(),
    )
    targets = Targets(suite, scene)
    problems = []
    for agent in targets.agents:
        try:
            agent.prepare()
        except ReliabilityError as error:
            problems.append(str(error).replace("\n", " "))
        finally:
            agent.close()
    return list(dict.fromkeys(problems))


def _key_problems(suite: Suite) -> list[str]:
    """
    Return which keys are missing, once for each backend.
    """
    from reliability.choices import Backend

    wanted = {Backend.MESSAGES: _KEYS, Backend.CLAUDE_CODE: _CLAUDE_KEYS}
    asked: list[Settings] = [case.settings for case in suite.cases]
    asked += [suite.judge] if suite.judge is not None else []
    problems = []
    for backend in dict.fromkeys(settings.backend for settings in asked):
        names = wanted.get(backend, ())
        if names and not any(os.environ.get(name) for name in names):
            listed = ", ".join(names)
            problems.append(f"The backend {backend} needs a key: one of {listed}.")
    return problems
