"""
The one door from an event to bytes: python-json-logger's formatter, a strict handler.

`logging` forgives: a handler that fails prints a traceback and goes on, and a full
disk looks like success. python-json-logger forgives too: it turns an unknown object
into `str()` and writes a bare `NaN`. A log that is the only source of truth must do
neither, so here every failure is raised to the one who appends.

An event travels as the record's `msg`, a dict, and never as attributes of the
record: so an event may have a field called `name`, `message` or `exc_info`.

Only a writer loads this module; `logging` and the formatter take 20 ms to import.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.json import JsonFormatter

from reliability.journal.line import LINE_CAP_BYTES, LINE_LIMIT_BYTES, seal

if TYPE_CHECKING:
    from collections.abc import Callable

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _quick_encoder() -> Callable[[dict[str, Any]], str]:
    """
    Return what writes JSON as `_ENCODER` does, made once.

    `JSONEncoder.encode` makes the C encoder anew for every object, which costs as much
    as encoding a short one. It is CPython's own; elsewhere the slow way is taken. What
    refers to itself ends in a RecursionError here, which is told likewise.
    """
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:
        return _ENCODER.encode
    text = json.encoder.encode_basestring_ascii
    encode = make(None, _ENCODER.default, text, None, ":", ",", False, False, False)
    return lambda members: "".join(encode(members, 0))


_encode = _quick_encoder()


def _serialize(members: dict[str, Any], **_options: Any) -> str:
    """
    Write JSON strictly, whatever the formatter's lenient options say.
    """
    return _encode(members)


class EventRecord(logging.LogRecord):
    """
    A log record that carries one event and none of what a call site would tell.

    Finding caller, thread and process costs more than the rest of an append.

    Args:
        members: The line's members in their order.
    """

    def __init__(self, members: dict[str, Any]) -> None:
        # python-json-logger takes a dict here.
        self.msg: Any = members
        self.exc_info = self.exc_text = self.stack_info = None


class EventFormatter(JsonFormatter):
    """
    Formats the event and nothing else, its members in their order.

    The inherited `add_fields` looks for renamed and static fields and for attributes
    of the record, of which there are none; that took a third of an append.
    """

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        """
        Take the event's members as they are.
        """
        del record
        log_data.update(message_dict)


class StrictHandler(logging.Handler):
    """
    Formats a record, seals the line, hands it on, and raises whatever goes wrong.

    Args:
        sink: Takes each whole line.
        make_shorter: Moves that many bytes of texts out of a line's members; False
            when no text is left that can move.
    """

    def __init__(
        self,
        sink: Callable[[bytes], None],
        make_shorter: Callable[[dict[str, Any], int], bool],
    ) -> None:
        super().__init__()
        self._sink = sink
        self._make_shorter = make_shorter
        self.setFormatter(EventFormatter([], json_serializer=_serialize))

    def emit(self, record: logging.LogRecord) -> None:
        """
        Write the record's event as one line.

        Raises:
            TypeError, ValueError, RecursionError: when the event is not JSON, or the
                line stays too long.
            JournalError: when the line or a side file cannot be written.
        """
        members: Any = record.msg
        line = seal(self.format(record).encode("ascii"))
        while (excess_bytes := len(line) - LINE_CAP_BYTES) > 0:
            if not self._make_shorter(members, excess_bytes):
                break
            line = seal(self.format(record).encode("ascii"))
        if len(line) > LINE_LIMIT_BYTES:
            raise ValueError(
                f"the line would have {len(line)} bytes, and a line may have "
                f"{LINE_LIMIT_BYTES}; long texts can move out of a line only from its "
                "fields or one level down"
            )
        self._sink(line)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """
        Raise: nothing that goes wrong here may be printed and forgotten.
        """
        del record
        raise  # noqa: PLE0704 - logging calls this inside its except block
