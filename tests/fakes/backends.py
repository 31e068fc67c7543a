"""
Backends opened as a run opens them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from reliability.agents.messages import Messages
from reliability.clock import SystemClock
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reliability.kinds import ErrorKind
    from reliability.model import Reply

KEY = "sk-test-key-of-nobody"


@contextmanager
def messages(
    base_url: str | None, *, environ: Mapping[str, str] | None = None, **given: str
) -> Iterator[Messages]:
    """
    Open the backend as a run does, and close it.
    """
    texts = {"agent": "a", "backend": "messages", "model": "claude-haiku-4-5"}
    settings = Settings.from_text(texts | given)
    variables = {"ANTHROPIC_API_KEY": KEY} if environ is None else environ
    if base_url is not None:
        variables = {**variables, "ANTHROPIC_BASE_URL": base_url}
    backend = Messages(settings, environ=variables, clock=SystemClock())
    try:
        yield backend
    finally:
        backend.close()


def kind(reply: Reply) -> ErrorKind | None:
    """
    Return the kind of a reply's trouble.
    """
    return reply.trouble.kind if reply.trouble else None
