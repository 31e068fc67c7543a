"""
What the tests with the real Claude Code CLI share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.claude_bench import Bench
from fakes.claude_cli import find_claude_cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def claude_cli() -> Path:
    """
    The real program.
    """
    return find_claude_cli()


@pytest.fixture
def bench(claude_cli: Path, tmp_path: Path) -> Bench:
    """
    A fresh workspace, home and environment for the CLI.
    """
    return Bench(root=tmp_path, cli=claude_cli)
