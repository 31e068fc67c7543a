"""
What people write themselves: a thread pool, one shared SDK client, and tenacity.

The SDK's own retries are off, so that there is one owner of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import anthropic
from job import count_answers, read_job
from tenacity import (
    RetryError,
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

MAX_TOKENS = 4096

job = read_job()
client = anthropic.Anthropic(max_retries=0)


@retry(
    wait=wait_random_exponential(min=1, max=60),
    stop=stop_after_attempt(6),
    retry=retry_if_exception_type(anthropic.APIError),
)
def ask() -> str:
    """
    Ask once and return the answer's text.
    """
    message = client.messages.create(
        model=job.model,
        max_tokens=MAX_TOKENS,
        messages=[{"role": "user", "content": job.prompt}],
    )
    return "".join(block.text for block in message.content if block.type == "text")


def one(_number: int) -> str | None:
    """
    Return an answer; None when six attempts brought none.
    """
    try:
        return ask()
    except RetryError:
        return None


if __name__ == "__main__":
    with ThreadPoolExecutor(job.workers) as pool:
        answers = list(pool.map(one, range(job.calls)))
    count_answers(answers, job.expected)
