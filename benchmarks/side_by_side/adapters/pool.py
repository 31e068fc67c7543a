"""
What people write themselves around a command: a thread pool and `subprocess.run`.

Each child gets an empty HOME of its own, since sharing one is not what is compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from job import read_job, write_counts

job = read_job()


def one(_number: int) -> tuple[str | None, float]:
    """
    Run the command once; returns its answer, if it has one, and its wall time.
    """
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "HOME": home, "TMPDIR": home}
        began_s = time.perf_counter()
        done = subprocess.run(
            job.command,
            check=False,
            input=job.prompt,
            capture_output=True,
            text=True,
            env=environ,
        )
        took_s = time.perf_counter() - began_s
    return (answer_of(done.stdout) if done.returncode == 0 else None), took_s


def answer_of(printed: str) -> str:
    """
    Return the answer in what was printed: a result of Claude Code, or the text itself.
    """
    return json.loads(printed)["result"] if printed.startswith("{") else printed


if __name__ == "__main__":
    with ThreadPoolExecutor(job.workers) as pool:
        ended = list(pool.map(one, range(job.calls)))
    answers = [answer for answer, _ in ended]
    passed = sum(job.expected in answer for answer in answers if answer is not None)
    lost = answers.count(None)
    write_counts(
        passed=passed,
        failed=len(answers) - passed - lost,
        lost=lost,
        mean_call_s=sum(took_s for _, took_s in ended) / len(ended),
    )
