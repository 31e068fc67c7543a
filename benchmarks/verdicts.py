"""
Measures how often a gate is wrong, and how many trials it takes.

Two ways. `model`: outcomes and latencies are drawn, trials are handed to workers in
their order, and each end is told to the referee as the engine tells it; this is quick
enough for tens of thousands of repetitions. `engine`: the real scheduler, governor,
budget and referee, in virtual time, with fewer repetitions; and whole runs with log and
reports on the simulated backend.

At a true rate equal to the one asked, no more than 5 % of the runs may pass and no more
than 5 % fail, whatever the workers, the latencies and the losses; what exceeds that by
more than three standard deviations is marked. `--document` writes the tables into
docs/statistics.md. Options: --repeat N (of the model), --engine N, --runs N.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.virtual_time import play, right, trouble, wrong  # noqa: E402 - path first

from reliability.gate import Gate  # noqa: E402 - the path is set above
from reliability.kinds import ErrorKind  # noqa: E402 - the path is set above
from reliability.model import RunStatus, Verdict  # noqa: E402 - the path is set above
from reliability.run_result import CasePlan, Tally  # noqa: E402 - the path is set above
from reliability.stats import Referee, chances_of  # noqa: E402 - the path is set above
from reliability.stats.design import sequential_design  # noqa: E402 - the path is set
from reliability.stats.watch import Watch  # noqa: E402 - the path is set above

RATES = (0.5, 0.8, 0.9, 0.95)
SIZES = (20, 50, 100)
WORKERS = (1, 8, 32)
SLOWER = (1.0, 3.0, 10.0, 0.2)
LOST = 0.05
ALPHA = 0.05
BEGIN, END = "<!-- measured by benchmarks/verdicts.py -->", "<!-- end of measured -->"

_HEAD = (
    "| asked = true | trials | repetitions | worst false pass | worst false fail "
    "| mean trials begun: 1 / 8 / 32 workers |"
)
_HOW = (
    "Failures as slow as successes, 3 and 10 times slower, 5 times quicker; 5 % of the "
    "trials lost."
)


class Row(NamedTuple):
    """
    What many runs came to.
    """

    rate: float
    size: int
    workers: int
    slower: float
    passes: float
    fails: float
    trials: float
    repeats: int

    @property
    def is_kept(self) -> bool:
        """
        Whether neither error is above alpha by more than chance explains.
        """
        slack = 3 * math.sqrt(ALPHA * (1 - ALPHA) / self.repeats)
        return max(self.passes, self.fails) <= ALPHA + slack


def modelled(
    watch: Watch, chance: random.Random, rate: float, workers: int, slower: float
) -> tuple[Verdict, int]:
    """
    Let one run go; return its verdict and how many trials it began.
    """
    trials, begun, now = watch.design.trials, 0, 0.0
    running: list[tuple[float, int, bool | None]] = []
    while watch.verdict is None and (running or begun < trials):
        while begun < trials and len(running) < workers:
            if running and begun >= watch.frontier:
                break
            begun += 1
            passed: bool | None = chance.random() < rate
            took = chance.lognormvariate(0, 0.5) * (1 if passed else slower)
            if chance.random() < LOST:
                passed = None
            heapq.heappush(running, (now + took, begun, passed))
        now, index, passed = heapq.heappop(running)
        watch.settle(index, passed=passed)
    return watch.verdict or Verdict.INCONCLUSIVE, begun


def model_row(rate: float, size: int, workers: int, slower: float, repeats: int) -> Row:
    """
    Repeat the model at a true rate that is just the one asked.
    """
    chance = random.Random(f"{rate} {size} {workers} {slower}")
    design = sequential_design(size, rate, ALPHA, ALPHA)
    ends = [
        modelled(Watch(design), chance, rate, workers, slower) for _ in range(repeats)
    ]
    return summed(rate, size, workers, slower, ends)


def summed(
    rate: float,
    size: int,
    workers: int,
    slower: float,
    ends: list[tuple[Verdict, int]],
) -> Row:
    """
    Return what runs came to, given the verdict of each and the trials that it began.
    """
    verdicts = [verdict for verdict, _ in ends]
    return Row(
        rate,
        size,
        workers,
        slower,
        verdicts.count(Verdict.PASS) / len(ends),
        verdicts.count(Verdict.FAIL) / len(ends),
        sum(begun for _, begun in ends) / len(ends),
        len(ends),
    )


def engine_row(
    rate: float, size: int, workers: int, slower: float, repeats: int
) -> Row:
    """
    Repeat the real scheduler in virtual time.
    """
    chance = random.Random(f"engine {rate} {size} {workers} {slower}")
    ends = []
    lost = [trouble(ErrorKind.BAD_REQUEST)]
    for _ in range(repeats):
        script = {}
        for number in range(1, size + 1):
            took = chance.lognormvariate(0, 0.5)
            passed = chance.random() < rate
            script[number] = [right(took) if passed else wrong(took * slower)]
            if chance.random() < LOST:
                script[number] = lost
        plan = CasePlan(name="prompt", planned=size, min_pass_rate=rate)
        gate = Gate(min_pass_rate=rate, early_stop=True, max_invalid=1.0)
        referee = Referee(gate, [plan])
        story = play(script, trials=size, workers=workers, referee=referee)
        tally = Tally(planned=size, passed=1, failed=1)
        verdict = referee.judge([tally], RunStatus.COMPLETED)[0].verdict
        ends.append((verdict, len(story.attempts())))
    return summed(rate, size, workers, slower, ends)


def whole_runs(count: int) -> list[str]:
    """
    Make whole runs of the product, log and reports included; return a line on them.
    """
    from fakes.runs import run_simulated

    lines = []
    for true_rate in (0.8, 0.95, 0.5):
        verdicts: list[Verdict] = []
        used = 0
        for seed in range(count):
            with tempfile.TemporaryDirectory() as folder:
                result = run_simulated(
                    Path(folder),
                    loops="100",
                    parallel="true",
                    simulator=f"latency=0,pass-rate={true_rate},seed={seed}",
                    **{"min-pass-rate": "0.8", "max-workers": "8"},
                )
            verdicts.append(result.verdict)
            used += result.tally.measured
        passes = verdicts.count(Verdict.PASS) / count
        fails = verdicts.count(Verdict.FAIL) / count
        lines.append(
            f"| {true_rate:g} | {count} | {passes:.1%} | {fails:.1%} "
            f"| {used / count:.1f} |"
        )
    return lines


def table(rows: list[Row]) -> list[str]:
    """
    Return the rows as a Markdown table, each size and rate with its worst errors.
    """
    lines = [
        _HEAD,
        "|---|---|---|---|---|---|",
    ]
    for rate in RATES:
        for size in SIZES:
            group = [row for row in rows if (row.rate, row.size) == (rate, size)]
            if not group:
                continue
            means = []
            for workers in WORKERS:
                some = [row.trials for row in group if row.workers == workers]
                means.append(f"{sum(some) / len(some):.1f}")
            lines.append(
                f"| {rate:g} | {size} | {len(group)} x {group[0].repeats:,} "
                f"| {max(row.passes for row in group):.2%} "
                f"| {max(row.fails for row in group):.2%} | {' / '.join(means)} |"
            )
    return lines


def exact() -> list[str]:
    """
    Return what enumeration says of the same test, one worker and nothing lost.
    """
    lines = [
        "| asked | trials | true 0.5 | 0.8 | 0.9 | 0.95 | 0.99 | 1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rate in (0.8, 0.9, 0.95):
        for size in (20, 50, 100, 200):
            gate = Gate(min_pass_rate=rate, early_stop=True)
            cells = []
            for true_rate in (0.5, 0.8, 0.9, 0.95, 0.99, 1.0):
                found = chances_of(size, rate, true_rate, gate=gate)
                cells.append(
                    f"{found.passes:.0%} / {found.fails:.0%} / {found.mean_trials:.0f}"
                )
            lines.append(f"| {rate:g} | {size} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """
    Measure, print, and write the document when asked to.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=20_000)
    parser.add_argument("--engine", type=int, default=200)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--document", action="store_true")
    given = parser.parse_args()
    began_s = time.monotonic()
    rows: dict[str, list[Row]] = {"model": [], "engine": []}
    makers = {"model": (model_row, given.repeat), "engine": (engine_row, given.engine)}
    for kind, (make, repeats) in makers.items():
        settings = [(*one, repeats) for one in product(RATES, SIZES, WORKERS, SLOWER)]
        with ProcessPoolExecutor() as pool:
            for row in pool.map(make, *zip(*settings, strict=True)):
                rows[kind].append(row)
                mark = "" if row.is_kept else "  ABOVE"
                print(
                    f"{kind} p0={row.rate:g} N={row.size} W={row.workers} "
                    f"x{row.slower:g}: pass {row.passes:.2%} fail {row.fails:.2%} "
                    f"trials {row.trials:.1f}{mark}",
                    flush=True,
                )
    kept = {kind: sum(row.is_kept for row in found) for kind, found in rows.items()}
    counts = ", ".join(
        f"{kept[kind]} of {len(found)} settings of the {kind}"
        for kind, found in rows.items()
    )
    promise = "Errors at most 5 %, but for three standard deviations of chance"
    lines = [
        f"{promise}: in {counts}.",
        "",
        _HOW,
        "",
        "The model:",
        "",
        *table(rows["model"]),
        "",
        "The engine, in virtual time:",
        "",
        *table(rows["engine"]),
        "",
        "Whole runs with log and reports, 100 loops at 0.8, 8 workers:",
        "",
        "| true rate | runs | pass | fail | mean trials |",
        "|---|---|---|---|---|",
        *whole_runs(given.runs),
        "",
        "By enumeration, pass / fail / mean trials:",
        "",
        *exact(),
    ]
    print("\n".join(lines))
    print(f"\n{time.monotonic() - began_s:.0f} s")
    if given.document:
        path = ROOT / "docs" / "statistics.md"
        text = path.read_text(encoding="utf-8")
        head, _, rest = text.partition(BEGIN)
        _, _, tail = rest.partition(END)
        body = "\n".join(["", "", *lines, "", ""])
        path.write_text(head + BEGIN + body + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
