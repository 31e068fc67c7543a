"""
Measures `reliability analyze` on a log of many trials: seconds and peak memory.

The log has 100,000 trials with answers of 500 characters, a fifth of them distinct,
written by the journal itself. The goal is under 60 s and 1 GiB. A number as argument
makes another count.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.runs import events, run_simulated  # noqa: E402 - the path is set above

from reliability.clock import SystemClock  # noqa: E402 - the path is set above
from reliability.journal import Journal  # noqa: E402 - the path is set above

WORDS = [f"word{number}" for number in range(400)]


def answers(count: int) -> list[str]:
    """
    Return texts of 500 characters, many of them equal and many alike.
    """
    chance = random.Random(1)
    stems = [" ".join(chance.choices(WORDS, k=64))[:470] for _ in range(200)]
    endings = [" ".join(chance.choices(WORDS, k=6))[:29] for _ in range(100)]
    return [f"{chance.choice(stems)} {chance.choice(endings)}" for _ in range(count)]


def written(folder: Path, count: int) -> Path:
    """
    Write the log of a run with so many trials, in the form of a real one.
    """
    real = run_simulated(folder, loops="1")
    start, began, attempt, ended, _ = events(real)
    fields = dict(start.fields)
    fields["cases"] = [{**fields["cases"][0], "loops": count}]
    with Journal.create(
        folder,
        base_name="many",
        run_id="0badcafe",
        clock=SystemClock(),
        redact=dict,
    ) as journal:
        journal.append("run_started", fields)
        for number, answer in enumerate(answers(count), 1):
            own = {"trial": number, "loop": number}
            journal.append("trial_started", {**began.fields, **own})
            journal.append(
                "attempt_finished", {**attempt.fields, **own, "answer": answer}
            )
            journal.append("trial_finished", {**ended.fields, **own})
        return journal.path


def main() -> None:
    """
    Write the log, analyse it in a process of its own, print what that took.
    """
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as made:
        log = written(Path(made), count)
        argv = [sys.executable, "-m", "reliability", "analyze", str(log)]
        began_s = time.monotonic()
        with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            said = child.stdout.read().decode()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        took_s = time.monotonic() - began_s
    print(said)
    print(
        f"{count:,} trials: {took_s:.1f} s, {used.ru_maxrss / 1024:.0f} MiB, exit code "
        f"{child.returncode}"
    )


if __name__ == "__main__":
    main()
