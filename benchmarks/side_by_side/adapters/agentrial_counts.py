"""
Read agentrial's report; run after the measurement, not in it.

It tells no lost call from a wrong answer: an exception in the agent is a failed trial.
Only its reason tells, and it is counted by that here.
"""

from __future__ import annotations

import json
from pathlib import Path

from job import read_job, write_counts

if __name__ == "__main__":
    report = json.loads(Path("out.json").read_text())
    trials = [trial for result in report["results"] for trial in result["trials"]]
    passed = sum(trial["passed"] for trial in trials)
    lost = sum(
        not trial["passed"] and "Error code" in " ".join(trial["failures"])
        for trial in trials
    )
    lost += read_job().calls - len(trials)
    write_counts(passed=passed, failed=len(trials) - passed - lost, lost=lost)
