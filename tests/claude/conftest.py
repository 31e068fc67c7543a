"""
Finds the real Claude Code CLI, or skips with the reason.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest
from fakes.claude_bench import Bench

VARIABLE = "RELIABILITY_TEST_CLAUDE"


@pytest.fixture(scope="session")
def claude_cli() -> Path:
    """
    The CLI that the variable names, else the one of the claude-agent-sdk wheel.
    """
    packages = Path(sysconfig.get_paths()["purelib"])
    bundled = packages / "claude_agent_sdk" / "_bundled" / "claude"
    cli = Path(os.environ.get(VARIABLE) or bundled)
    if not os.access(cli, os.X_OK):
        pytest.skip(f"no Claude Code CLI at {cli}: install claude-agent-sdk")
    return cli


@pytest.fixture
def bench(claude_cli: Path, tmp_path: Path) -> Bench:
    """
    A fresh workspace, home and environment for the CLI.
    """
    return Bench(root=tmp_path, cli=claude_cli)
