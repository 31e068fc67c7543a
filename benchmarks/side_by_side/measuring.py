"""
One run of one contender: a fresh server, a fresh folder, a clean environment.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .contenders import ADAPTERS, CLAUDE, PYTHON, ROOT, write_job
from .machine import busy_s, foreign_share
from .rows import Row
from .serving import Served, serving
from .tree import Cost, measure

if TYPE_CHECKING:
    from .contenders import Contender
    from .scenario import Scenario

# The slowest peer needs five and a half minutes for the limited calls.
TIMEOUT_S = 900.0
_TAIL_CHARS = 300
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def measure_run(
    scenario: Scenario, name: str, contender: Contender, *, round_number: int
) -> Row:
    """
    Measure one run; what goes wrong with a contender is in the row's note.
    """
    about = {
        "scenario": scenario.name,
        "contender": name,
        "round": round_number,
        "calls": scenario.calls,
        "at_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "commit": _commit(),
    }
    missing = _missing(scenario, contender)
    if missing:
        return Row(**about, note=f"not installed ({missing})")
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as path:
        folder = Path(path)
        with serving(scenario, seed=round_number, python=PYTHON) as served:
            argv = _prepare(scenario, contender, folder, served)
            began_busy_s = busy_s()
            server_cpu_s = served.cpu_so_far_s()
            cost = measure(
                argv,
                environ=_environ(contender, folder, served),
                folder=folder / contender.subfolder,
                output=folder / "output.txt",
                timeout_s=TIMEOUT_S,
            )
            server_cpu_s = served.cpu_so_far_s() - server_cpu_s
            busy = busy_s() - began_busy_s
        counts = _counts(contender, folder) if scenario.calls else {}
        note = _note(scenario, cost, counts, folder)
    own_s = cost.cpu_s + server_cpu_s
    return Row(
        **about,
        wall_s=round(cost.wall_s, 4),
        cpu_s=round(cost.cpu_s, 4),
        peak_rss_mib=round(cost.peak_rss_mib, 1),
        exit_code=cost.exit_code,
        foreign=foreign_share(busy, own_s, cost.wall_s),
        counts=counts,
        server=served.stats,
        server_cpu_s=round(server_cpu_s, 2),
        note=note,
    )


def _missing(scenario: Scenario, contender: Contender) -> str:
    """
    Return the name of what is not installed; empty when all is there.
    """
    needed = [contender.program, *([CLAUDE] if scenario.kind == "claude" else [])]
    return ", ".join(path.name for path in needed if not path.exists())


def _prepare(
    scenario: Scenario, contender: Contender, folder: Path, served: Served
) -> list[str]:
    """
    Fill the run's folder and return the contender's command line.
    """
    for name in ("home", "bin", contender.subfolder):
        (folder / name).mkdir(exist_ok=True)
    # Others than root have to reach their own copy of what lies here.
    folder.chmod(0o755)
    if CLAUDE.exists():
        (folder / "bin/claude").symlink_to(CLAUDE.resolve())
    write_job(scenario, served.base_url, folder)
    if scenario.kind == "help":
        return list(contender.help_argv)
    return contender.argv(scenario, folder)


def _environ(contender: Contender, folder: Path, served: Served) -> dict[str, str]:
    """
    Return all that a contender sees of an environment.
    """
    return {
        "PATH": f"{folder / 'bin'}:{_SYSTEM_PATH}",
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "ANTHROPIC_API_KEY": "sk-ant-of-the-benchmark",
        "ANTHROPIC_BASE_URL": served.base_url,
        **dict(contender.environ),
    }


def _counts(contender: Contender, folder: Path) -> dict[str, float]:
    """
    Return what the contender says came of its calls; empty when it says nothing.
    """
    if contender.counts:
        adapter = ADAPTERS / f"{contender.counts}.py"
        argv = [str(contender.counts_python), str(adapter)]
        subprocess.run(argv, cwd=folder, check=False, stderr=subprocess.DEVNULL)
    place = folder / "counts.json"
    counts: dict[str, float] = json.loads(place.read_text()) if place.exists() else {}
    return counts


def _note(
    scenario: Scenario, cost: Cost, counts: dict[str, float], folder: Path
) -> str:
    """
    Return why a run has no figures; empty when it has them.
    """
    if cost.timed_out:
        return f"killed after {TIMEOUT_S:.0f} s"
    if (scenario.calls and not counts) or (not scenario.calls and cost.exit_code):
        said = (folder / "output.txt").read_text(errors="replace").strip()
        return f"exit code {cost.exit_code}: ...{said[-_TAIL_CHARS:]}"
    return ""


def _commit() -> str:
    """
    Return the project's commit, with a mark when the tree differs from it.
    """
    argv = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
