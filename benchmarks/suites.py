"""
Measures what it costs to refuse a malformed suite file: time and memory of each.

Each file is loaded in a process of its own, started from a small one. Prints the
slowest and the largest, and what a process takes that only loads a small good file: the
imports are most of it. The goal is under 1 s and 100 MiB for each. Names of files as
arguments measure only these.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.suites import (  # noqa: E402 - the path is set above
    DATA,
    Malformed,
    hostile,
    mutated,
    written,
)

MUTATIONS = 120
GOAL_S, GOAL_MIB = 1.0, 100.0
LOAD = """
import sys
from pathlib import Path
from reliability.errors import UsageError
from reliability.suites.loader import load_suite
try:
    load_suite(Path(sys.argv[1]), {})
except UsageError as error:
    sys.exit(2)
"""


def measure(path: Path) -> tuple[float, float, int]:
    """
    Load a file; return seconds, peak MiB and exit code of the process.

    The seconds are those of the processor where that is less than the wall's: loading
    waits for nothing, so the difference is what others did on the machine.
    """
    began_s = time.monotonic()
    argv = [sys.executable, "-c", LOAD, str(path)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - began_s
    return (
        min(wall_s, used.ru_utime + used.ru_stime),
        used.ru_maxrss / 1024,
        child.returncode,
    )


def main() -> None:
    """
    Measure every file and print the worst.
    """
    files: list[Malformed] = [*written(), *hostile(), *mutated(MUTATIONS)]
    if wanted := sys.argv[1:]:
        files = [one for one in files if one.name in wanted]
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in DATA.iterdir():
            (folder / path.name).symlink_to(path)
        base_s, base_mib, _ = measure(folder / "small.yml")
        for one in files:
            path = folder / "suite.yml"
            path.write_bytes(one.content)
            found.append((*measure(path), one.name))
    print(f"{len(files)} files; a good small one: {base_s:.2f} s, {base_mib:.0f} MiB")
    for place, unit in ((0, "s"), (1, "MiB")):
        for one in sorted(found, key=lambda each: each[place], reverse=True)[:5]:
            print(f"{one[place]:8.2f} {unit:4} {one[3]}")
    missed = [
        one for one in found if one[2] != 2 or one[0] >= GOAL_S or one[1] >= GOAL_MIB
    ]
    print(f"missed: {[one[3] for one in missed] or 'none'}")


if __name__ == "__main__":
    main()
