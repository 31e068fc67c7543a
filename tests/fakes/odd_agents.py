"""
Runs the command with an agent whose second trial raises what no agent may raise.

    odd_agents.py EXCEPTION reliability-arguments...

The agent is the one that the arguments ask for; the name is of any exception class that
Python has built in. Nothing else of the command is touched.
"""

from __future__ import annotations

import builtins
import sys
from typing import Any

import reliability.agents
from reliability.cli import main


def main_with(kind: type[BaseException], argv: list[str]) -> None:
    """
    Run the command; the agent's trial number 2 raises *kind*.
    """
    really_open = reliability.agents.open_agent

    def open_odd(*args: Any, **kwargs: Any) -> Any:
        agent: Any = really_open(*args, **kwargs)
        really_attempt = agent.attempt

        def attempt(call: Any) -> Any:
            if call.trial.number == 2:
                raise kind("raised inside a worker")
            return really_attempt(call)

        agent.attempt = attempt
        return agent

    reliability.agents.open_agent = open_odd
    main(argv)


if __name__ == "__main__":
    main_with(getattr(builtins, sys.argv[1]), sys.argv[2:])
