"""
Measures start-up: `python -c pass`, `reliability --help`, and one whole `messages` run.

The run is one trial at zero latency, with its log and all reports, against a simulator
in a process of its own. Prints the median wall time of five runs each, in turn.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5


def median_s(argv: list[str], environ: dict[str, str]) -> float:
    """
    Return the median wall time of a command, after one run that is not counted.
    """
    walls_s = []
    for _ in range(RUNS + 1):
        began_s = time.perf_counter()
        subprocess.run(argv, check=True, env=environ, stdout=subprocess.DEVNULL)
        walls_s.append(time.perf_counter() - began_s)
    return statistics.median(walls_s[1:])


def main() -> None:
    """
    Measure all three and print them.
    """
    command = [sys.executable, "-m", "reliability"]
    server = subprocess.Popen(
        [*command, "simulate", "latency=0,pass-rate=1", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    base_url = server.stdout.readline().split()[3]
    environ = {**os.environ, "ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_API_KEY": "x"}
    run = [*command, "run", "x", "--backend", "messages", "--loops", "1", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        run += ["--model", "simulated-model", "--output-dir", folder]
        rows = {
            "python -c pass": median_s([sys.executable, "-c", "pass"], environ),
            "reliability --help": median_s([*command, "--help"], environ),
            "one messages trial": median_s(run, environ),
        }
    server.terminate()
    server.wait()
    server.stdout.close()
    for name, wall_s in rows.items():
        print(f"{name:<20} {wall_s:6.3f} s")


if __name__ == "__main__":
    main()
