"""
Read the newest log of Inspect AI; run after the measurement, not in it.
"""

from __future__ import annotations

from pathlib import Path

from inspect_ai.log import read_eval_log
from job import read_job, write_counts

if __name__ == "__main__":
    (log,) = Path("logs").glob("*.eval")
    samples = read_eval_log(str(log)).samples or []
    scores = [each.scores["includes"].value for each in samples if each.scores]
    passed = scores.count("C")
    lost = read_job().calls - len(scores)
    write_counts(passed=passed, failed=len(scores) - passed, lost=lost)
