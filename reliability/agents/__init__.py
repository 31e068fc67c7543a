"""
Backends: how an agent is reached. Each module is imported only when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from reliability.agents.base import Agent, Call
from reliability.choices import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reliability.clock import Clock
    from reliability.redact import Redactor
    from reliability.settings import Settings

__all__ = ["Agent", "Call", "open_agent"]


def open_agent(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    workspace: Path,
    redactor: Redactor,
    clock: Clock,
) -> Agent:
    """
    Return the agent of the chosen backend; nothing is called or started yet.
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
        case _:
            assert_never(settings.backend)
