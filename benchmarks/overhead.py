"""
Measures what a trial costs beside the agent's own work: CPU, not time.

First with an agent that does nothing: the engine (scheduler, pool, log), reading the
log back, and the reports, for 20,000 trials with 1 and with 50 workers; beside them
`ThreadPoolExecutor.map` of the same nothing. Then scenario B: 2,000 calls of 0.05 s at
100 at once, as a whole process, beside the standard library's HTTP client in a pool
against the same server. CPU is user and system time of all threads, which other
processes move less than wall time; still, compare rows of one table.

    python benchmarks/overhead.py [--trials N] [--calls N] [--repeat N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from reliability import run as story
from reliability.model import Reply, Setup, Usage
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.agents import Call
    from reliability.limits import Hold
    from reliability.run_result import RunResult, Tally

FLOOR = """
import http.client, json, sys, threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
url, calls, at_once = urlsplit(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
body = json.dumps({"model": "m", "max_tokens": 99, "stream": True,
                   "messages": [{"role": "user", "content": "hello"}]})
mine = threading.local()
def call(_number):
    if not hasattr(mine, "link"):
        mine.link = http.client.HTTPConnection(url.hostname, url.port)
    mine.link.request("POST", "/v1/messages", body, {"x-api-key": "x"})
    return mine.link.getresponse().read()
with ThreadPoolExecutor(at_once) as pool:
    assert all(b"message_stop" in body for body in pool.map(call, range(calls)))
"""


class NoOp:
    """
    An agent that does nothing, and keeps how much CPU was used when, in seconds.
    """

    needs_room = False

    def __init__(self) -> None:
        self.marks_s: dict[str, float] = {}
        usage = Usage(input_tokens=20, output_tokens=10)
        facts = {"request_id": "req_1", "stop_reason": "end_turn"}
        self._reply = Reply(
            answer="Hello!", usage=usage, cost_usd=0.001, turns=1, evidence=facts
        )

    def prepare(self) -> Setup:
        """
        Look at nothing.
        """
        return Setup()

    def attempt(self, call: Call) -> Reply:
        """
        Answer at once.
        """
        del call
        return self._reply

    def cancel(self) -> None:
        """
        Hear that the last trial has ended.
        """
        self.mark("trials ended")

    def close(self) -> None:
        """
        Hold nothing.
        """

    def mark(self, moment: str) -> None:
        """
        Keep the CPU time of this moment, the first time.
        """
        self.marks_s.setdefault(moment, time.process_time())

    def between_us(self, start: str, end: str, trials: int) -> float:
        """
        Return the CPU between two moments for each trial, in microseconds.
        """
        return (self.marks_s[end] - self.marks_s[start]) / trials * 1e6


class Watch:
    """
    A display that shows nothing and hears when the trials begin.
    """

    def __init__(self, agent: NoOp) -> None:
        self._agent = agent

    def begin(self, *, simulated: bool) -> None:
        """
        Hear that the log has begun.
        """
        del simulated
        self._agent.mark("trials begin")

    def show(
        self, tally: Tally, *, in_flight: int, waiting: int, hold: Hold | None
    ) -> None:
        """
        Show nothing.
        """

    def close(self) -> None:
        """
        Hold nothing.
        """


def measure_no_op(trials: int, workers: int) -> dict[str, float]:
    """
    Run the no-op agent and return CPU a trial in microseconds, by part.
    """
    agent = NoOp()

    def hear_result(_result: RunResult) -> None:
        agent.mark("result read")

    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(story, "open_agent", lambda *_args, **_more: agent),
    ):
        settings = Settings.from_text(
            {
                "backend": "simulated",
                "agent": "x",
                "loops": str(trials),
                "parallel": "true",
                "max-workers": str(workers),
                "output-dir": folder,
            }
        )
        story.run(
            settings,
            workspace=Path(folder),
            display=Watch(agent),
            on_result=hear_result,
        )
    agent.mark("end")
    return {
        "engine and log": agent.between_us("trials begin", "trials ended", trials),
        "log read back": agent.between_us("trials ended", "result read", trials),
        "reports": agent.between_us("result read", "end", trials),
        "ex.map of the same": _map_us(agent, trials, workers),
    }


def _map_us(agent: NoOp, trials: int, workers: int) -> float:
    began_s = time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(agent.attempt, range(trials)))
    return (time.process_time() - began_s) / trials * 1e6


@contextmanager
def simulator(profile: str) -> Iterator[str]:
    """
    Run a Messages API in a process of its own and yield its address.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "reliability", "simulate", profile, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[3]
        server.terminate()


def measure_process(argv: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """
    Run a command to its end; return its CPU and its wall time in seconds.
    """
    began_s = time.perf_counter()
    child = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{argv[:4]} ended with {child.returncode}")
    return used.ru_utime + used.ru_stime, time.perf_counter() - began_s


def measure_calls(calls: int, at_once: int) -> dict[str, tuple[float, float]]:
    """
    Make the calls of scenario B; return CPU a call in microseconds and wall in s.
    """
    with (
        simulator("latency=0.05,pass-rate=1") as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        environ = {**os.environ, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "x"}
        ours = [sys.executable, "-m", "reliability", "run", "x", "--quiet"]
        ours += ["--backend", "messages", "--model", "simulated-model", "--parallel"]
        ours += ["--max-workers", str(at_once), "--output-dir", folder, "--loops"]
        floor = [sys.executable, "-c", FLOOR, url, str(calls), str(at_once)]
        return {
            "ours, one call": measure_process([*ours, "1"], environ),
            "ours": measure_process([*ours, str(calls)], environ),
            "http.client in a pool": measure_process(floor, environ),
        }


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """
    Return the median of each row over the rounds.
    """
    return {name: statistics.median(row[name] for row in rounds) for name in rounds[0]}


def main() -> None:
    """
    Measure both and print the tables.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print(f"no-op agent, {given.trials} trials: CPU a trial in microseconds")
    for workers in (1, 50):
        rows = medians(
            [measure_no_op(given.trials, workers) for _ in range(given.repeat)]
        )
        for name, value in rows.items():
            print(f"  {workers:3} workers  {name:<22} {value:8.1f}")
    print(f"scenario B, {given.calls} calls at 100: CPU a call in microseconds, wall")
    rounds = [measure_calls(given.calls, 100) for _ in range(given.repeat)]
    for name in rounds[0]:
        cpu_s, wall_s = (
            statistics.median(values)
            for values in zip(*(row[name] for row in rounds), strict=True)
        )
        calls = 1 if name == "ours, one call" else given.calls
        print(f"  {name:<34} {cpu_s / calls * 1e6:8.0f} {wall_s:7.2f} s")


if __name__ == "__main__":
    main()
