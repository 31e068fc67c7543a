"""
Take a request in: read it from its connection and refuse what the API would refuse.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

from reliability.simulator.http1 import MAX_HEAD_BYTES, Head, HttpError, parse_head
from reliability.simulator.replies import Refusal

LINGER_TIMEOUT_S = 1.0
DISCARD_BYTES = 65536


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[Head, bytes] | None:
    """
    Return the next request and its body; None when the client closed before it.

    Raises:
        HttpError: when it is malformed or too large.
    """
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        message = f"The headers are larger than {MAX_HEAD_BYTES} bytes."
        raise HttpError(431, message) from error
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise HttpError(400, "The request ends in the middle of its head.") from error
    head = parse_head(raw)
    if not head.content_length:
        return head, b""
    if head.expects_continue:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return head, await reader.readexactly(head.content_length)


async def discard_rest(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """
    Throw away what the client still sends, so that it can read the reply.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_TIMEOUT_S):
            await writer.drain()
            writer.write_eof()
            while await reader.read(DISCARD_BYTES):
                pass


def require_key(head: Head) -> None:
    """
    Refuse a request without credentials; any text is a valid key here.
    """
    if not (head.headers.get("x-api-key") or head.headers.get("authorization")):
        raise Refusal(401, "x-api-key header is required")


def parse_body(body: bytes) -> dict[str, object]:
    """
    Return a request's JSON object, with at least a model and a message.

    Raises:
        Refusal: 400, saying what is wrong.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "The request body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Refusal(400, "The request body is not a JSON object.")
    model = value.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal(400, "model: Field required")
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "messages: at least one message is required")
    if not all(isinstance(message, dict) for message in messages):
        raise Refusal(400, "messages: each one is an object")
    return value


def require_limit_on_output(asked: dict[str, object]) -> None:
    """
    Refuse a model request without a usable `max_tokens`.
    """
    limit = asked.get("max_tokens")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise Refusal(400, "max_tokens: Field required")
