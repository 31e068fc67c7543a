"""
Measures how often `--against` finds an agent that was made worse on purpose.

Real runs: a git repository, a command as the agent, whose pass rate stands in a file;
the commit has one rate, the working tree another. 40 trials a side, 50 repetitions of
a drop from 0.95 to 0.75, and 50 of no change. The goal: found in at least 80 % of the
first, called regressed in at most 5 % of the second. The exact chances are printed
beside. Options: --repeat N, --loops N.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from test_against import compared, git  # noqa: E402 - the path is set above

from reliability.model import Verdict  # noqa: E402 - the path is set above
from reliability.stats.tables import Arm, boschloo  # noqa: E402 - the path is set above

BASE = 0.95
# A shell starts in a millisecond, where Python takes fifteen.
AGENT = """
if [ "$(od -An -N4 -tu4 /dev/urandom)" -lt "$(cat bound.txt)" ]
then echo Hello; else echo Goodbye; fi
"""


def bound(rate: float) -> str:
    """
    Return the number below which a draw of four bytes passes.
    """
    return str(round(rate * (1 << 32)))


def found(rate: float, loops: int) -> Verdict:
    """
    Compare a working tree of *rate* with a commit of the base rate.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "repository"
        folder.mkdir()
        (folder / "agent.sh").write_text(AGENT, encoding="utf-8")
        (folder / "bound.txt").write_text(bound(BASE), encoding="utf-8")
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", "first")
        (folder / "bound.txt").write_text(bound(rate), encoding="utf-8")
        return compared(folder, command="sh agent.sh", loops=str(loops)).verdict


def exact(rate: float, loops: int) -> float:
    """
    Return the chance that the test calls it regressed, by enumeration.
    """

    def law(true_rate: float) -> list[float]:
        """
        Return the chances of each count.
        """
        return [
            math.comb(loops, count)
            * true_rate**count
            * (1 - true_rate) ** (loops - count)
            for count in range(loops + 1)
        ]

    before, after = law(BASE), law(rate)
    chance = 0.0
    for base in range(loops, -1, -1):
        for head in range(base + 1):
            if boschloo(Arm(base, loops), Arm(head, loops)) > 0.05:
                break
            chance += before[base] * after[head]
        if before[base] < 1e-7:
            break
    return chance


def main() -> None:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=50)
    parser.add_argument("--loops", type=int, default=40)
    given = parser.parse_args()
    for rate, goal in ((0.75, "at least 80 %"), (BASE, "at most 5 %")):
        began_s = time.monotonic()
        verdicts = [found(rate, given.loops) for _ in range(given.repeat)]
        failed = verdicts.count(Verdict.FAIL)
        print(
            f"{BASE:g} to {rate:g}, {given.loops} a side: regressed in {failed} of "
            f"{given.repeat} ({failed / given.repeat:.0%}; goal {goal}; by "
            f"enumeration {exact(rate, given.loops):.1%}), "
            f"{time.monotonic() - began_s:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
