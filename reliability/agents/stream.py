"""
Reads a Messages API answer, streamed or whole, into one `Message`.

The stream is server-sent events as the API documents them: `message_start`,
`content_block_delta`, `message_delta`, `message_stop`, and `error` after a 200. A
stream that ends before `message_stop` is cut: what came is kept, `complete` is false.
An answer beyond `ANSWER_CAP_BYTES` is read to its end, since the counts come last, but
only its beginning is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reliability.agents.base import ANSWER_CAP_BYTES
from reliability.agents.json_object import read_object
from reliability.model import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

_USAGE_FIELDS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}
_MOST_TOKENS = 10**15  # More is no count; a cost made of it stays a finite number.


@dataclass(slots=True)
class Message:
    """
    What has been read of an answer so far.

    Args:
        text: Pieces of the answer, up to the cap.
        text_bytes: How long the answer is, whatever of it is kept.
        spoken: The model has said something; thoughts count too.
        complete: The service said that the message has ended.
        error_type, error_text: From an `error` event; empty when there was none.
    """

    text: list[str] = field(default_factory=list)
    text_bytes: int = 0
    spoken: bool = False
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
    def is_too_long(self) -> bool:
        """
        Tell whether a part of the answer was not kept.
        """
        return self.text_bytes > ANSWER_CAP_BYTES

    @property
    def usage(self) -> Usage:
        """
        The last counts that the service stated.
        """
        return Usage(**self.counts)


def read_stream(lines: Iterable[bytes], message: Message | None = None) -> Message:
    """
    Read server-sent events until the message or the stream ends.

    Args:
        message: Is read into and returned. When *lines* raises, which goes on from
            here, it holds what came before. None for a new one.
    """
    message = message or Message()
    for line in lines:
        if line.startswith(b"data:"):
            _take(message, read_object(line[5:]) or {})
            if message.complete or message.error_type:
                break
    return message


def read_whole(body: bytes) -> Message:
    """
    Read an answer that came in one piece; a body of another form is not complete.
    """
    message = Message()
    match read_object(body) or {}:
        case {"type": "message", "content": list(blocks)} as whole:
            start = {"type": "message_start", "message": whole}
            deltas = ({"type": "content_block_delta", "delta": one} for one in blocks)
            delta = {"type": "message_delta", "delta": whole}
            for event in (start, *deltas, delta, {"type": "message_stop"}):
                _take(message, event)
        case {"type": "error"} as error:
            _take(message, error)
    return message


def _take(message: Message, event: dict[str, Any]) -> None:
    """
    Add what one event says; one of an unknown form says nothing.
    """
    # Not a `match`, which takes longer: this is done for each event of each answer.
    kind = event.get("type")
    if kind == "content_block_delta":
        if isinstance(delta := event.get("delta"), dict):
            message.spoken = True
            if isinstance(text := delta.get("text"), str):
                _add_text(message, text)
    elif kind == "message_start":
        if isinstance(start := event.get("message"), dict):
            message.model = str(start.get("model", ""))
            message.message_id = str(start.get("id", ""))
            _count(message, start.get("usage"))
    elif kind == "message_delta":
        if isinstance(delta := event.get("delta"), dict):
            message.stop_reason = str(delta.get("stop_reason") or "")
            _count(message, event.get("usage"))
    elif kind == "message_stop":
        message.complete = True
    elif kind == "error" and isinstance(error := event.get("error"), dict):
        message.error_type = str(error.get("type", "api_error"))
        message.error_text = str(error.get("message", ""))


def _add_text(message: Message, text: str) -> None:
    """
    Add a piece of the answer, or the part of it for which there is room.
    """
    if text.isascii():
        length_bytes = len(text)
    else:
        length_bytes = len(text.encode("utf-8", "surrogatepass"))
    room_bytes = ANSWER_CAP_BYTES - message.text_bytes
    message.text_bytes += length_bytes
    if length_bytes > room_bytes:
        raw = text.encode("utf-8", "surrogatepass")
        text = raw[: max(0, room_bytes)].decode("utf-8", "ignore")
    if text:
        message.text.append(text)


def _count(message: Message, usage: object) -> None:
    """
    Take the counts that make sense; each replaces the one before.
    """
    if not isinstance(usage, dict):
        return
    for name, ours in _USAGE_FIELDS.items():
        value = usage.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        if 0 <= value <= _MOST_TOKENS:
            message.counts[ours] = value


def read_error(body: bytes) -> tuple[str, str]:
    """
    Return type and message of an error body; a body of another form is its own message.
    """
    match read_object(body):
        case {"error": {"type": str(error_type), "message": str(text)}}:
            return error_type, text
    return "", body[:500].decode("utf-8", "replace").strip()
