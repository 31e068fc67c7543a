"""
The shapes of the Messages API: messages, streams of events, errors.

Source: the public API reference (Messages, Streaming, Errors). Only what clients of it
read is here. Tokens are characters divided by 4, a rough count that makes costs
plausible and nothing more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHARS_PER_TOKEN = 4
MAX_PIECES = 8  # Enough to look like a stream; each piece costs a timer.

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    411: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    431: "request_too_large",
    504: "timeout_error",
    529: "overloaded_error",
}
MESSAGES = {
    "rate_limit_error": "Simulated: this request would exceed the rate limit.",
    "overloaded_error": "Simulated: Overloaded",
    "api_error": "Simulated: Internal server error",
    "authentication_error": "invalid x-api-key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    An answer of the model.

    Args:
        serial: Unique within the server; the message's and its tool call's id.
        model: As the request named it.
        text: None: no text block. An empty text is an answer without content.
        tool: Name of the tool that it calls; None: no call.
        tool_input: The call's input.
        stop_reason: Why it ended.
        input_tokens: Of the request.
    """

    serial: int
    model: str
    text: str | None
    tool: str | None
    tool_input: Mapping[str, object]
    stop_reason: str
    input_tokens: int

    def blocks(self) -> list[dict[str, object]]:
        """
        Return the content blocks.
        """
        blocks: list[dict[str, object]] = []
        if self.text:
            blocks.append({"type": "text", "text": self.text})
        if self.tool:
            blocks.append(
                {
                    "type": "tool_use",
                    "id": f"toolu_simulated{self.serial:08d}",
                    "name": self.tool,
                    "input": dict(self.tool_input),
                }
            )
        return blocks

    def output_tokens(self) -> int:
        """
        Return the rough count of tokens of all blocks.
        """
        tool_chars = len(_dumps(self.tool_input)) if self.tool else 0
        return count_tokens(len(self.text or "") + tool_chars)

    def to_json(self) -> bytes:
        """
        Return the body of an answer that is not streamed.
        """
        envelope = self._envelope(self.blocks(), self.stop_reason, self.output_tokens())
        return _dumps(envelope).encode()

    def events(self) -> Iterator[bytes]:
        """
        Yield the stream in parts: the opening, pieces of content, the closing.

        The first part ends with the first block's start and a ping; the last one
        begins with the last block's stop.
        """
        start = {"type": "message_start", "message": self._envelope([], None, 1)}
        pending = _event(start)
        ping = _event({"type": "ping"})
        for index, block in enumerate(self.blocks()):
            empty, deltas = _streamed(block)
            opened = {"index": index, "content_block": empty}
            pending += _event({"type": "content_block_start", **opened}) + ping
            ping = b""
            yield pending
            for delta in deltas:
                content = {"index": index, "delta": delta}
                yield _event({"type": "content_block_delta", **content})
            pending = _event({"type": "content_block_stop", "index": index})
        end = {"stop_reason": self.stop_reason, "stop_sequence": None}
        usage = {"output_tokens": self.output_tokens()}
        yield (
            pending
            + ping
            + _event({"type": "message_delta", "delta": end, "usage": usage})
            + _event({"type": "message_stop"})
        )

    def _envelope(
        self,
        content: list[dict[str, object]],
        stop_reason: str | None,
        output_tokens: int,
    ) -> dict[str, object]:
        """
        Return the message object around *content*.
        """
        return {
            "id": f"msg_simulated{self.serial:08d}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": self.input_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": output_tokens,
            },
        }


def error_object(
    status: int, *, request_id: str, error_type: str | None = None, message: str = ""
) -> dict[str, object]:
    """
    Return the API's error for *status*.

    Args:
        status: The HTTP status that it goes with.
        request_id: As in the `request-id` header.
        error_type: None: the one that belongs to the status.
        message: Empty: a usual one for the type.
    """
    kind = error_type or ERROR_TYPES.get(
        status, "api_error" if status >= 500 else "invalid_request_error"
    )
    text = message or MESSAGES.get(kind, f"Simulated: {kind}")
    error = {"type": kind, "message": text}
    return {"type": "error", "error": error, "request_id": request_id}


def error_event(error: Mapping[str, object]) -> bytes:
    """
    Return an `error` event for the middle of a stream.
    """
    return _event(error)


def to_body(value: object) -> bytes:
    """
    Return *value* as the JSON of a body.
    """
    return _dumps(value).encode()


def count_tokens(chars: int) -> int:
    """
    Return the rough number of tokens in *chars* characters, at least 1.
    """
    return max(1, chars // CHARS_PER_TOKEN)


def _streamed(
    block: Mapping[str, object],
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """
    Return a block as it starts in a stream, and the deltas that fill it.
    """
    if block["type"] == "text":
        pieces = _pieces(str(block["text"]))
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
        return {"type": "text", "text": ""}, [dict(delta) for delta in deltas]
    pieces = _pieces(_dumps(block["input"]))
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in pieces]
    return {**block, "input": {}}, [dict(delta) for delta in deltas]


def _pieces(text: str) -> list[str]:
    """
    Cut *text* into at most `MAX_PIECES` pieces of about the same length.
    """
    size = max(4, -(-len(text) // MAX_PIECES))
    return [text[at : at + size] for at in range(0, len(text), size)]


def _event(data: Mapping[str, object]) -> bytes:
    """
    Return one server-sent event, named by its own type.
    """
    return f"event: {data['type']}\ndata: {_dumps(data)}\n\n".encode()


def _dumps(value: object) -> str:
    """
    Return compact ASCII JSON: no line breaks, so it fits one `data:` line.
    """
    return json.dumps(value, separators=(",", ":"))
