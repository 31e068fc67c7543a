"""
The job of an adapter: what its contender was told to do, and what came of it.

Adapters run inside the contenders' own interpreters and import nothing of this project.
They find `job.json` in the folder that they are started in and leave `counts.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    What to do; as `scenario.Scenario` names it.
    """

    calls: int
    workers: int
    base_url: str
    model: str
    prompt: str
    expected: str
    command: list[str]


def read_job() -> Job:
    """
    Return the job of the folder at hand.
    """
    return Job(**json.loads(Path("job.json").read_text()))


def write_counts(**counts: float) -> None:
    """
    Say what came of the job: `passed`, `failed` and `lost` add up to its calls.
    """
    Path("counts.json").write_text(json.dumps(counts))


def count_answers(answers: list[str | None], expected: str) -> None:
    """
    Write the counts of answers, None being a call that was given up.
    """
    passed = sum(answer is not None and expected in answer for answer in answers)
    lost = sum(answer is None for answer in answers)
    write_counts(passed=passed, failed=len(answers) - passed - lost, lost=lost)
