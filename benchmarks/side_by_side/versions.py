"""
The versions of what was compared, asked of what is installed.
"""

from __future__ import annotations

import json
import subprocess

from .contenders import BENCHMARKS, CLAUDE, PYTHON

_DISTRIBUTIONS = ("inspect_ai", "agentrial", "anthropic", "tenacity", "uvloop")
_ASK = """
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        print(name, "not installed")
"""


def versions() -> str:
    """
    Return names and versions in a line; "not installed" for what is not.
    """
    found = ["tools of Python not installed"]
    if PYTHON.exists():
        found = _said([str(PYTHON), "-c", _ASK, *_DISTRIBUTIONS]).splitlines()
    package = BENCHMARKS / ".venv/node_modules/promptfoo/package.json"
    promptfoo = "not installed"
    if package.exists():
        promptfoo = json.loads(package.read_text())["version"]
    claude = _said([str(CLAUDE), "--version"]) if CLAUDE.exists() else "not installed"
    node = _said(["node", "--version"]) or "not installed"
    return ", ".join(
        [
            *found,
            f"promptfoo {promptfoo}",
            f"node {node.removeprefix('v')}",
            f"Claude Code {claude.partition(' ')[0]}",
        ]
    )


def _said(argv: list[str]) -> str:
    """
    Return what a command prints; empty when there is no such command.
    """
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
