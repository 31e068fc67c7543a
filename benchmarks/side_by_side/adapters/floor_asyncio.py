"""
The floor of the machine: asyncio streams and HTTP written by hand.

No product: it neither grades, logs nor tries again. It shows what the machine and the
server allow.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from job import count_answers, read_job

if TYPE_CHECKING:
    from collections.abc import Iterator

job = read_job()
url = urlsplit(job.base_url)
message = {"role": "user", "content": job.prompt}
body = json.dumps({"model": job.model, "max_tokens": 4096, "messages": [message]})
request = (
    f"POST /v1/messages HTTP/1.1\r\nhost: {url.netloc}\r\nx-api-key: none\r\n"
    f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
).encode()


async def work(numbers: Iterator[int], answers: list[str | None]) -> None:
    """
    Take calls as long as there are any, on one connection.
    """
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    for _ in numbers:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        content = json.loads(await reader.readexactly(length))
        answers.append(content["content"][0]["text"])
    writer.close()


async def main() -> list[str | None]:
    """
    Return all answers.
    """
    answers: list[str | None] = []
    numbers = iter(range(job.calls))
    async with asyncio.TaskGroup() as group:
        for _ in range(job.workers):
            group.create_task(work(numbers, answers))
    return answers


if __name__ == "__main__":
    count_answers(asyncio.run(main()), job.expected)
