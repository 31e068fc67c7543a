"""
Read this project's results; run after the measurement, not in it.
"""

from __future__ import annotations

import json
from pathlib import Path

from job import read_job, write_counts

if __name__ == "__main__":
    results = json.loads(Path("results/results.json").read_text())
    counts = results["counts"]
    passed, failed = counts["passed"], counts["failed"]
    times_s = [trial["duration_s"] for trial in results["trials"]]
    write_counts(
        passed=passed,
        failed=failed,
        lost=read_job().calls - passed - failed,
        mean_call_s=sum(times_s) / max(1, len(times_s)),
    )
