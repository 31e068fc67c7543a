"""
Prints the plan of a run that is not going to be run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reliability.choices import Backend
from reliability.report.words import counted, duration

if TYPE_CHECKING:
    from reliability.engine.estimate import Estimate
    from reliability.settings import Settings
    from reliability.suite import Suite


def show_plan(suite: Suite) -> None:
    """
    Print what would be run, and what it would cost and take.
    """
    from reliability.engine.estimate import estimate, together
    from reliability.engine.workers import (
        available_cores,
        available_memory_bytes,
        choose_workers,
    )
    from reliability.escape import console_text

    settings = suite.settings
    workers = choose_workers(
        settings, suite, cores=available_cores(), memory_bytes=available_memory_bytes()
    )
    plan = together([estimate(case.settings, workers=workers) for case in suite.cases])
    click.echo("Dry run: nothing is called and nothing is written.\n")
    for label, text in [*_suite_rows(suite), *plan_rows(settings, plan)]:
        click.echo(f"  {label:<10} {console_text(text)}")


def _suite_rows(suite: Suite) -> list[tuple[str, str]]:
    """
    Return label and text of a suite's cases; nothing without a suite.
    """
    if suite.path is None:
        return []
    rows = [("Suite", f"{suite.path}, {counted(len(suite.cases), 'case')}")]
    for case in suite.cases:
        settings = case.settings
        who = settings.agent or settings.model or settings.backend.value
        trials = counted(settings.loops, "trial")
        checks = counted(len(case.checks), "check")
        rows.append(("Case", f"{case.name}: {who}, {trials}, {checks}"))
    return rows


def plan_rows(settings: Settings, plan: Estimate) -> list[tuple[str, str]]:
    """
    Return label and text of everything worth knowing before the start.
    """
    mode = "one after another" if plan.workers == 1 else f"{plan.workers} at once"
    rows = [("Plan", f"{counted(plan.trials, 'trial')}, {mode}, {_attempts(settings)}")]
    if settings.suite is None:
        rows = [("Agent", _agent(settings)), *rows, ("Check", _check(settings))]
    if settings.backend in {Backend.COMMAND, Backend.CLAUDE_CODE}:
        rows.append(("Isolation", settings.isolation))
    rows += [("Cost", _cost(settings, plan)), ("Time", _time(plan))]
    if caps := _caps(settings, plan):
        rows.append(("Caps", caps))
    log = settings.output_dir / f"{settings.filename}_TIME_RUN.jsonl"
    return [*rows, ("Log", str(log))]


def _agent(settings: Settings) -> str:
    named = [settings.agent] if settings.agent else []
    model = settings.model or "not named"
    return ", ".join([*named, f"backend {settings.backend}", f"model {model}"])


def _check(settings: Settings) -> str:
    return str(settings.expect or settings.checks or "any answer that is not empty")


def _attempts(settings: Settings) -> str:
    most = counted(settings.max_attempts, "attempt")
    return f"{most} each at most, {_number(settings.timeout)} s an attempt at most"


def _cost(settings: Settings, plan: Estimate) -> str:
    if settings.backend is Backend.SIMULATED:
        return "nothing, being simulated"
    if settings.backend is Backend.COMMAND:
        return "not known: a command does not tell what it costs"
    if plan.cost_usd is None:
        return f"not known before the first answer: {plan.basis}"
    word = "at most" if plan.is_upper_bound else "about"
    return f"{word} ${plan.cost_usd:.4f}, by {plan.basis}"


def _time(plan: Estimate) -> str:
    most = f"at most {duration(plan.most_time_s)} without trouble of the service"
    if plan.time_s is None:
        return most
    return f"about {duration(plan.time_s)}, {most}"


def _caps(settings: Settings, plan: Estimate) -> str:
    caps = [
        f"{name} {_number(value)}"
        for name, value in (
            ("max-cost-usd", settings.max_cost_usd),
            ("max-tokens", settings.max_tokens),
            ("max-minutes", settings.max_minutes),
        )
        if value is not None
    ]
    text = ", ".join(caps)
    if plan.trials_in_caps is not None:
        count = counted(plan.trials_in_caps, "trial")
        text += f": would stop the run after about {count}"
    return text


def _number(value: float) -> str:
    """
    Return a number as a person would write it, with all its digits.
    """
    return f"{value:,.15g}"
