"""
Is what the Messages API sent an answer, and if not, whose fault is it?

Status 200 alone says little: the stream may hold an error, or break off, or end in a
refusal. A deadline that passes is the agent's once the model has begun to speak, and
the service's before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.agents.base import ANSWER_CAP_BYTES
from reliability.agents.statuses import kind_of_error_type
from reliability.kinds import ErrorKind
from reliability.model import Trouble

if TYPE_CHECKING:
    from reliability.agents.stream import Message
    from reliability.http import HttpError

_KIND_OF_STOP = {
    "refusal": (ErrorKind.REFUSAL, "the model refused to answer"),
    "max_tokens": (
        ErrorKind.OUTPUT_LIMIT,
        "the answer was cut at max-output-tokens",
    ),
    "model_context_window_exceeded": (
        ErrorKind.CONTEXT_TOO_LONG,
        "the answer was cut at the end of the model's context window",
    ),
}


def judge_message(message: Message) -> Trouble | None:
    """
    Return why a message that has been read is no answer to grade; None when it is one.
    """
    if message.error_type:
        return Trouble(
            kind=kind_of_error_type(message.error_type, message.error_text),
            text=f"{message.error_type}: {message.error_text}",
        )
    if not message.complete:
        return Trouble(kind=ErrorKind.NETWORK, text="the answer was cut off")
    if message.stop_reason in _KIND_OF_STOP:
        kind, text = _KIND_OF_STOP[message.stop_reason]
        return Trouble(kind=kind, text=text)
    if message.is_too_long:
        text = (
            f"the answer has {message.text_bytes} bytes; of more than "
            f"{ANSWER_CAP_BYTES} only the beginning is kept"
        )
        return Trouble(kind=ErrorKind.ANSWER_TOO_LONG, text=text)
    if not message.answer.strip():
        return Trouble(kind=ErrorKind.EMPTY_ANSWER, text="the answer is empty")
    return None


def judge_break(error: HttpError, *, timeout_s: float, spoken: bool = False) -> Trouble:
    """
    Return whose doing it is that no whole answer came.

    Args:
        spoken: The model had begun, so that a deadline that passes is the agent's.
    """
    if error.kind == "aborted":
        return Trouble(kind=ErrorKind.CANCELLED, text="the run was cancelled")
    if error.kind != "timeout":
        return Trouble(kind=ErrorKind.NETWORK, text=str(error))
    if not spoken:
        return Trouble(kind=ErrorKind.NO_RESPONSE, text=str(error))
    text = f"no end within {timeout_s:g} s"
    return Trouble(kind=ErrorKind.TIMEOUT, text=text)
