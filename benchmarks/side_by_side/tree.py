"""
Run one command and measure its whole process tree, through `launcher`.

A descendant that outlives the command, or that nobody waits for, is left out. The peak
memory is the largest single process's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """
    What a command took.

    Args:
        exit_code: Negative: the signal that ended it.
        timed_out: It was killed at the harness's own time limit.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mib: float
    exit_code: int
    timed_out: bool


def measure(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    folder: Path,
    output: Path,
    timeout_s: float,
) -> Cost:
    """
    Run *argv* in *folder*, with what it prints in *output*, until it has ended.

    Args:
        timeout_s: After it the whole process group is killed.

    Raises:
        CalledProcessError: when the command cannot be started.
    """
    launch = [sys.executable, "-I", "-S", str(_LAUNCHER), str(output), str(timeout_s)]
    done = subprocess.run(
        [*launch, *argv], check=True, env=environ, cwd=folder, stdout=subprocess.PIPE
    )
    return Cost(**json.loads(done.stdout))
