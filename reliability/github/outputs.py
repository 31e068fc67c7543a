"""
What later steps of a workflow can read of a run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reliability.run_result import RunResult


def run_outputs(
    result: RunResult, paths: Mapping[str, Path], workspace: Path
) -> dict[str, str]:
    """
    Return every output of the action by its name; empty where nothing is known.

    Args:
        paths: The files of the run by what they are.
        workspace: The folder from which paths are given.
    """
    tally = result.tally
    rate, cost_usd = tally.pass_rate, result.cost_usd
    return {
        "verdict": result.verdict,
        "pass-rate": "" if rate is None else f"{rate:.6g}",
        "trials": str(tally.planned),
        "passed": str(tally.passed),
        "failed": str(tally.failed),
        "invalid": str(tally.invalid),
        "cost-usd": "" if cost_usd is None else f"{cost_usd:.6f}",
        **{
            name: _in_workspace(paths[name], workspace)
            for name in ("log", "results", "report")
        },
        # An upload that succeeds sets them again; the last value counts.
        **dict.fromkeys(("artifact-id", "artifact-url", "artifact-digest"), ""),
    }


def _in_workspace(path: Path, workspace: Path) -> str:
    """
    Return *path* as later steps see it, which run outside this container.
    """
    return os.path.relpath(path.resolve(), workspace.resolve())
