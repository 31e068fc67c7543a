"""
Backends: how an agent is reached. Each module is imported only when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from reliability.agents.base import Agent, Call, Room
from reliability.choices import Backend
from reliability.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.agents.prices import PriceTable
    from reliability.clock import Clock
    from reliability.redact import Redactor
    from reliability.settings import Settings

__all__ = ["Agent", "Call", "Room", "open_agent", "option_problems"]


def open_agent(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    workspace: Path,
    redactor: Redactor,
    clock: Clock,
    function: Callable[[str], str] | None = None,
) -> Agent:
    """
    Return the agent of the chosen backend; nothing is called or started yet.

    Args:
        function: What the backend `function` calls.
    """
    match settings.backend:
        case Backend.CLAUDE_CODE:
            from reliability.agents.claude_code import ClaudeCode

            return ClaudeCode(
                settings,
                environ=environ,
                workspace=workspace,
                redactor=redactor,
                clock=clock,
            )
        case Backend.COMMAND:
            from reliability.agents.command import Command

            return Command(
                settings,
                environ=environ,
                workspace=workspace,
                redactor=redactor,
                clock=clock,
            )
        case Backend.MESSAGES:
            from reliability.agents.messages import Messages

            return Messages(settings, environ=environ, clock=clock)
        case Backend.SIMULATED:
            from reliability.agents.simulated import Simulated

            return Simulated(settings, clock=clock)
        case Backend.FUNCTION:
            from reliability.agents.function import Function

            return Function(function, clock=clock)
        case _:
            assert_never(settings.backend)


def _cap_problems(parsed: Mapping[str, Any], prices: PriceTable) -> list[str]:
    """
    Return why a cap on the cost cannot be kept; nothing where it can, or is not given.
    """
    if parsed["max_cost_usd"] is None:
        return []
    reason = ""
    if parsed["backend"] is Backend.COMMAND:
        reason = "a command does not tell what it costs"
    elif parsed["backend"] is Backend.MESSAGES and not prices.knows(parsed["model"]):
        reason = f"the price of {parsed['model']!r} is not known; give it with prices"
    return [f"max-cost-usd cannot be kept: {reason}."] if reason else []


def option_problems(parsed: Mapping[str, Any]) -> list[str]:
    """
    Return what is wrong with the options whose form only a backend knows.

    Args:
        parsed: Values by the names of `Settings`; not yet a `Settings`.
    """
    from reliability.agents.prices import load_prices
    from reliability.simulator.profile import Profile

    problems: list[str] = []
    try:
        if parsed["prices"] is not None or parsed["max_cost_usd"] is not None:
            prices = load_prices(parsed["prices"])
            problems += _cap_problems(parsed, prices)
    except UsageError as error:
        problems += error.problems
    try:
        if parsed["backend"] is Backend.SIMULATED:
            Profile.parse(parsed["simulator"])
    except UsageError as error:
        problems += error.problems
    return problems
