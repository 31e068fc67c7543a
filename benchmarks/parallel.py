"""
Measures what `--parallel` gains: 200 simulated trials of 0.2 s, one by one and at once.

Whole processes, each with its full log and reports. Prints both wall times, their
ratio, and whether every trial had the same outcome: the simulator answers by trial, so
it must.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOOPS = 200
PROFILE = "seed=11,pass-rate=0.8,latency=0.2"


def measure(folder: Path, *mode: str) -> tuple[float, dict[int, str]]:
    """
    Run once and return the wall time in seconds and each trial's outcome.
    """
    argv = [sys.executable, "-m", "reliability", "run", "x", "--backend", "simulated"]
    argv += ["--loops", str(LOOPS), "--simulator", PROFILE, "--expect", "Hello"]
    argv += ["--quiet", "--output-dir", str(folder), *mode]
    began_s = time.perf_counter()
    subprocess.run(argv, check=False, stdout=subprocess.DEVNULL)
    wall_s = time.perf_counter() - began_s
    results = json.loads((folder / "results.json").read_text())
    return wall_s, {trial["number"]: trial["outcome"] for trial in results["trials"]}


def main() -> None:
    """
    Measure both ways and print the table.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parallel_s, at_once = measure(folder / "p", "--parallel", "--max-workers", "50")
        sequential_s, one_by_one = measure(folder / "s", "--delay", "0")
    print(f"sequential, delay 0     {sequential_s:7.2f} s")
    print(f"parallel, 50 workers    {parallel_s:7.2f} s")
    print(f"ratio                   {sequential_s / parallel_s:7.1f}")
    print(f"same outcomes           {at_once == one_by_one} ({len(at_once)} trials)")


if __name__ == "__main__":
    main()
