"""
How many workers a run gets.
"""

from __future__ import annotations

import os

import pytest

from reliability.engine.workers import (
    CLAUDE_PROCESS_BYTES,
    available_cores,
    available_memory_bytes,
    choose_workers,
)
from reliability.settings import Settings
from reliability.suites.single import single_case

PLENTY_BYTES = 1 << 40


def settings(backend: str, **given: str) -> Settings:
    """
    Return settings that are complete for *backend*.
    """
    needed = {"messages": {"model": "m"}, "command": {"command": "true"}}
    texts = {"agent": "a", "backend": backend, "loops": "1000", "parallel": "true"}
    more = {name.replace("_", "-"): text for name, text in given.items()}
    return Settings.from_text(texts | needed.get(backend, {}) | more)


def choose(settings: Settings, *, memory_bytes: int = PLENTY_BYTES) -> int:
    """
    Return the workers of a run on a machine with four cores.
    """
    suite = single_case(settings)
    return choose_workers(settings, suite, cores=4, memory_bytes=memory_bytes)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [("messages", 50), ("simulated", 50), ("command", 4), ("claude-code", 32)],
)
def test_each_backend_has_the_default_that_help_names(
    backend: str, expected: int
) -> None:
    """
    50 calls; a program a core; eight Claude Code processes a core.
    """
    workers = choose(settings(backend))

    assert expected == workers


def test_memory_limits_claude_code_and_leaves_at_least_one() -> None:
    """
    As many processes as memory holds, and one on a machine that is too small.
    """
    chosen = settings("claude-code")
    workers = [
        choose(chosen, memory_bytes=n * CLAUDE_PROCESS_BYTES + 1) for n in (0, 3, 99)
    ]

    assert [1, 3, 32] == workers


def test_there_are_never_more_workers_than_loops() -> None:
    """
    A worker without a trial is not started, also when the user asked for it.
    """
    few = settings("simulated", loops="3")
    asked = settings("simulated", loops="3", max_workers="500")

    assert 3 == choose(few)
    assert 3 == choose(asked)


def test_a_sequential_run_has_one_worker_whatever_is_asked() -> None:
    """
    `max-workers` is for parallel runs.
    """
    chosen = settings("simulated", parallel="false", max_workers="500")

    assert 1 == choose(chosen)


def test_cores_and_memory_of_this_machine_are_found() -> None:
    """
    Both are positive, and memory is no more than the machine has.
    """
    total_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    assert available_cores() >= 1
    assert 0 < available_memory_bytes() <= total_bytes
