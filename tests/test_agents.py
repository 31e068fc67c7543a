"""
What every backend has in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reliability.agents import option_problems
from reliability.agents.simulated import Simulated
from reliability.choices import Backend
from reliability.clock import SystemClock
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_all_problems_of_a_backends_options_are_found(tmp_path: Path) -> None:
    """
    Prices and simulator profile, each problem a sentence of its own.
    """
    prices = tmp_path / "prices.json"
    prices.write_text('{"a": 1, "b": {"input": 1, "output": 2}}', encoding="utf-8")
    parsed: dict[str, Any] = {
        "prices": prices,
        "max_cost_usd": None,
        "simulator": "sed=9,latency=-1",
        "backend": Backend.SIMULATED,
    }
    problems = option_problems(parsed)

    assert 3 == len(problems)
    assert "'a'" in problems[0]
    assert all(problem.endswith((".", "?")) for problem in problems)
    assert problems[:1] == option_problems(parsed | {"backend": Backend.COMMAND})
    assert [] == option_problems(parsed | {"prices": None, "simulator": "seed=9"})


@pytest.mark.parametrize("expect", ["", "Hello"])
def test_a_simulation_that_proves_nothing_says_so(expect: str) -> None:
    """
    Without a check its pass rate does nothing; of prices and prompts it says nothing.
    """
    settings = Settings.from_text(
        {"agent": "a", "backend": "simulated", "expect": expect}
    )
    backend = Simulated(settings, clock=SystemClock())
    try:
        warnings = backend.prepare().warnings
    finally:
        backend.close()

    assert [] == [text for text in warnings if "Without expect" not in text]
    assert bool(expect) == (not warnings)
