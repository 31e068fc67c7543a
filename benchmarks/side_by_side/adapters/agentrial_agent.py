"""
The job as an agent of agentrial: one shared SDK client with the SDK's own retries.
"""

from __future__ import annotations

import anthropic
from agentrial.types import AgentInput, AgentOutput
from job import read_job

client = anthropic.Anthropic()
job = read_job()


def ask(asked: AgentInput) -> AgentOutput:
    """
    Ask once.
    """
    message = client.messages.create(
        model=job.model,
        max_tokens=4096,
        messages=[{"role": "user", "content": asked.query}],
    )
    return AgentOutput(output=message.content[0].text)
