"""
Measures how often `reliability bisect` names the right one of 16 commits.

Real searches by the command: a git repository whose agent is a shell script, with a
pass rate that falls from 0.95 to 0.6 at a random commit. The goal: right in at least 9
of 10. Options: --repeat N.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMITS = 16
AGENT = """
if [ "$(od -An -N4 -tu4 /dev/urandom)" -lt "$(cat bound.txt)" ]
then echo Hello; else echo Goodbye; fi
"""
OPTIONS = (
    *("--backend", "command", "--command", "sh agent.sh", "--prompt", "Hi"),
    *("--run-as", "root", "--expect", "contains:Hello", "--parallel"),
    *("--max-workers", "4"),
)


def git(folder: Path, *words: str) -> str:
    """
    Run git in the repository and return what it prints.
    """
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    argv = ["git", *who, "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def searched(culprit: int) -> tuple[bool, str]:
    """
    Search once; return whether the culprit was named, and the command's last lines.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "agent.sh").write_text(AGENT, encoding="utf-8")
        git(folder, "init", "-q")
        commits = []
        for number in range(COMMITS + 1):
            rate = 0.6 if number >= culprit else 0.95
            (folder / "bound.txt").write_text(str(round(rate * (1 << 32))))
            (folder / "number.txt").write_text(str(number))
            git(folder, "add", ".")
            git(folder, "commit", "-q", "-m", f"commit {number}")
            commits.append(git(folder, "rev-parse", "HEAD").strip())
        argv = [sys.executable, "-m", "reliability", "bisect", commits[0], commits[-1]]
        done = subprocess.run(
            [*argv, *OPTIONS], cwd=folder, capture_output=True, text=True, check=False
        )
        _, _, named = done.stdout.partition("FOUND:")
        right = commits[culprit][:12] in named
        return right, done.stdout + done.stderr


def main() -> None:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=10)
    given = parser.parse_args()
    chance = random.Random(16)
    right = 0
    began_s = time.monotonic()
    for number in range(given.repeat):
        culprit = chance.randint(1, COMMITS)
        named, said = searched(culprit)
        right += named
        print(
            f"search {number + 1}, culprit {culprit}: {'right' if named else 'wrong'}"
        )
        if number == 0 or not named:
            print(said, flush=True)
    took_s = (time.monotonic() - began_s) / given.repeat
    print(f"Right in {right} of {given.repeat}; {took_s:.0f} s a search.")


if __name__ == "__main__":
    main()
