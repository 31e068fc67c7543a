"""
The one declaration of every option of `reliability run`.

click's flags, the action's inputs, the environment variables and the README's table are
made from `OPTIONS` or compared with it by a test, so they cannot drift apart. A value
arrives as text from all three; `parse` turns it into what `Settings` holds.
"""

from __future__ import annotations

from reliability.options.agent import AGENT_OPTIONS
from reliability.options.engine import ENGINE_OPTIONS
from reliability.options.gate import GATE_OPTIONS
from reliability.options.option import Option
from reliability.options.output import OUTPUT_OPTIONS

__all__ = ["OPTIONS", "Option"]

OPTIONS: tuple[Option, ...] = (
    *AGENT_OPTIONS,
    *GATE_OPTIONS,
    *ENGINE_OPTIONS,
    *OUTPUT_OPTIONS,
)
