"""
Finds the real Claude Code CLI for tests, or skips them with the reason.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

VARIABLE = "RELIABILITY_TEST_CLAUDE"


def find_claude_cli() -> Path:
    """
    Return the CLI that the variable names, else the one of the claude-agent-sdk wheel.
    """
    packages = Path(sysconfig.get_paths()["purelib"])
    bundled = packages / "claude_agent_sdk" / "_bundled" / "claude"
    cli = Path(os.environ.get(VARIABLE) or bundled)
    if not os.access(cli, os.X_OK):
        pytest.skip(f"no Claude Code CLI at {cli}: install claude-agent-sdk")
    return cli
