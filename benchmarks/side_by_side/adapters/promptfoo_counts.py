"""
Read promptfoo's results; run after the measurement, not in it.
"""

from __future__ import annotations

import json
from pathlib import Path

from job import read_job, write_counts

if __name__ == "__main__":
    stats = json.loads(Path("out.json").read_text())["results"]["stats"]
    passed, failed = stats["successes"], stats["failures"]
    write_counts(passed=passed, failed=failed, lost=read_job().calls - passed - failed)
