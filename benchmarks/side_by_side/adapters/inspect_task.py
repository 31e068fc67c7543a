"""
The job as a task of Inspect AI: a sample a call, graded by `includes`.
"""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from job import read_job


@task
def calls() -> Task:
    """
    Ask the same prompt as often as the job says.
    """
    job = read_job()
    samples = [Sample(job.prompt, target=job.expected) for _ in range(job.calls)]
    return Task(dataset=samples, scorer=includes(ignore_case=False))
