"""
Reads a Messages API answer, streamed or whole, into one `Message`.

The stream is server-sent events as the API documents them: `message_start`,
`content_block_delta`, `message_delta`, `message_stop`, and `error` after a 200. A
stream that ends before `message_stop` is cut: what came is kept, `complete` is false.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reliability.model import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

_USAGE_FIELDS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}


@dataclass(slots=True)
class Message:
    """
    What has been read of an answer so far.

    Args:
        complete: The service said that the message has ended.
        error_type, error_text: From an `error` event; empty when there was none.
    """

    text: list[str] = field(default_factory=list)
    model: str = ""
    message_id: str = ""
    stop_reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    complete: bool = False
    error_type: str = ""
    error_text: str = ""

    @property
    def answer(self) -> str:
        """
        All text blocks, joined.
        """
        return "".join(self.text)

    @property
    def usage(self) -> Usage:
        """
        The last counts that the service stated.
        """
        return Usage(**self.counts)


def read_stream(lines: Iterable[bytes]) -> Message:
    """
    Read server-sent events until the message or the stream ends.
    """
    message = Message()
    for line in lines:
        if line.startswith(b"data:"):
            _take(message, _parsed(line[5:]))
            if message.complete or message.error_type:
                break
    return message


def read_whole(body: bytes) -> Message:
    """
    Read an answer that came in one piece; a body of another form is not complete.
    """
    message = Message()
    match _parsed(body):
        case {"type": "message", "content": list(blocks)} as whole:
            start = {"type": "message_start", "message": whole}
            deltas = ({"type": "content_block_delta", "delta": one} for one in blocks)
            delta = {"type": "message_delta", "delta": whole}
            for event in (start, *deltas, delta, {"type": "message_stop"}):
                _take(message, event)
        case {"type": "error"} as error:
            _take(message, error)
    return message


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _take(message: Message, event: dict[str, Any]) -> None:
    match event:
        case {"type": "message_start", "message": dict(start)}:
            message.model = str(start.get("model", ""))
            message.message_id = str(start.get("id", ""))
            _count(message, start.get("usage"))
        case {"type": "content_block_delta", "delta": {"text": str(text)}}:
            message.text.append(text)
        case {"type": "message_delta", "delta": dict(delta)}:
            message.stop_reason = str(delta.get("stop_reason") or "")
            _count(message, event.get("usage"))
        case {"type": "message_stop"}:
            message.complete = True
        case {"type": "error", "error": dict(error)}:
            message.error_type = str(error.get("type", "api_error"))
            message.error_text = str(error.get("message", ""))


def _count(message: Message, usage: object) -> None:
    if not isinstance(usage, dict):
        return
    for name, ours in _USAGE_FIELDS.items():
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            message.counts[ours] = value


def read_error(body: bytes) -> tuple[str, str]:
    """
    Return type and message of an error body; a body of another form is its own message.
    """
    match _parsed(body):
        case {"error": {"type": str(error_type), "message": str(text)}}:
            return error_type, text
    return "", body[:500].decode("utf-8", "replace").strip()
