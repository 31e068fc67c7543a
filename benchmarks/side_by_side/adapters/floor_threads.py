"""
The floor of a thread pool: the standard library's `http.client` and nothing else.

No product: it neither grades, logs nor tries again. It shows what the machine and the
server allow.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

from job import count_answers, read_job

job = read_job()
local = threading.local()
address = urlsplit(job.base_url).netloc
message = {"role": "user", "content": job.prompt}
body = json.dumps({"model": job.model, "max_tokens": 4096, "messages": [message]})
headers = {"content-type": "application/json", "x-api-key": "none"}


def ask(_number: int) -> str | None:
    """
    Return the answer of one call on this thread's own connection.
    """
    if not hasattr(local, "connection"):
        local.connection = HTTPConnection(address)
    local.connection.request("POST", "/v1/messages", body, headers)
    response = local.connection.getresponse()
    content = response.read()
    if response.status != 200:
        return None
    return str(json.loads(content)["content"][0]["text"])


if __name__ == "__main__":
    with ThreadPoolExecutor(job.workers) as pool:
        answers = list(pool.map(ask, range(job.calls)))
    count_answers(answers, job.expected)
