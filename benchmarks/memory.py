"""
Measures memory: the peak of whole runs of 2,000 and of 20,000 trials, 100 at once.

Each run is a process of its own, with its log and all reports, against a simulator
without latency in another process. Prints the peak resident memory of each, the
difference, and the CPU time of a trial. Other numbers of trials: as arguments.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

LOOPS = (2_000, 20_000)
COMMAND = [sys.executable, "-m", "reliability"]
RUN = [
    *(*COMMAND, "run", "x", "--backend", "messages", "--model", "simulated-model"),
    *("--expect", "Hello", "--parallel", "--max-workers", "100", "--quiet"),
]


def measure(loops: int, environ: dict[str, str]) -> tuple[float, float]:
    """
    Run once and return the peak in MiB and the CPU time in seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        argv = [*RUN, "--loops", str(loops), "--output-dir", folder]
        with subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL) as child:
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"a run of {loops} trials ended with {child.returncode}")
    return used.ru_maxrss / 1024, used.ru_utime + used.ru_stime


def main() -> None:
    """
    Measure all sizes against one simulator and print the table.
    """
    sizes = [int(word) for word in sys.argv[1:]] or list(LOOPS)
    server = subprocess.Popen(
        [*COMMAND, "simulate", "latency=0,pass-rate=1", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    base_url = server.stdout.readline().split()[3]
    environ = {**os.environ, "ANTHROPIC_BASE_URL": base_url, "ANTHROPIC_API_KEY": "x"}
    try:
        rows = [(loops, *measure(loops, environ)) for loops in sizes]
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    for loops, peak_mib, cpu_s in rows:
        cpu_ms = 1000 * cpu_s / loops
        print(
            f"{loops:>7} trials   peak {peak_mib:6.1f} MiB   {cpu_ms:6.2f} ms a trial"
        )
    print(f"difference       {rows[-1][1] - rows[0][1]:10.1f} MiB")


if __name__ == "__main__":
    main()
