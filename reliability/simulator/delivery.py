"""
Deliver what the plan says to one model request: an answer, an error, or nothing.

The delay of a plan is the time until an answer is complete; a stream begins after half
of it and spends the rest between its parts. A request is settled in the counters
before the last byte of its reply is written.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.simulator import wire
from reliability.simulator.http1 import chunk, response_head
from reliability.simulator.intake import DISCARD_BYTES
from reliability.simulator.replies import (
    common_lines,
    json_reply,
    request_id,
    retry_after_line,
    retry_hint_line,
)

if TYPE_CHECKING:
    from reliability.simulator.planner import Plan
    from reliability.simulator.script import Step
    from reliability.simulator.tally import Ticket

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger of socket(7): RST, not FIN.


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """
    One model request on its way to a reply.

    Args:
        writer: The connection.
        ticket: Counts how it ends.
        serial: Unique within the server.
        rest: Header lines that every reply to it carries.
    """

    writer: asyncio.StreamWriter
    ticket: Ticket
    serial: int
    rest: str

    @property
    def request_id(self) -> str:
        """
        As in the `request-id` header.
        """
        return request_id(self.serial)


def message_of(
    plan: Plan, asked: dict[str, object], *, serial: int, input_tokens: int
) -> wire.Message | None:
    """
    Return the answer that the plan asks for, whole or cut; None for no answer.

    Args:
        serial: Of the request.
        input_tokens: Of the request.
    """
    step = plan.step
    if step.hang or step.drop == "before" or step.status != 200:
        return None
    return wire.Message(
        serial=serial,
        model=str(asked["model"]),
        text=plan.text,
        tool=step.tool,
        tool_input=step.input,
        stop_reason=step.stop_reason or ("tool_use" if step.tool else "end_turn"),
        input_tokens=input_tokens,
    )


async def deliver(
    exchange: Exchange,
    plan: Plan,
    message: wire.Message | None,
    *,
    streamed: bool,
    reader: asyncio.StreamReader,
) -> None:
    """
    Do what the plan says.

    Args:
        message: What `message_of` made of the plan.
        streamed: The client asked for a stream.
        reader: The client's end, to see it leave.
    """
    step = plan.step
    if step.hang:
        while await reader.read(DISCARD_BYTES):
            pass
        return
    if message is None:
        await asyncio.sleep(plan.delay_s)
        if step.drop:
            _reset(exchange)
            return
        await _send_error(exchange, step)
        return
    if streamed:
        await _stream(exchange, plan, message)
    else:
        await _send_whole(exchange, plan, message)


async def _send_error(exchange: Exchange, step: Step) -> None:
    """
    Send the step's error as a status.
    """
    status = 529 if step.status == 200 else step.status
    error = _error_of(exchange, step, status)
    rest = exchange.rest + retry_hint_line(status)
    if step.retry_after_s is not None:
        rest += retry_after_line(step.retry_after_s)
    exchange.ticket.settle(status=status)
    body = wire.to_body(error)
    exchange.writer.write(json_reply(exchange.serial, status, body, rest=rest))
    await exchange.writer.drain()


def _error_of(exchange: Exchange, step: Step, status: int) -> dict[str, object]:
    """
    Return the error that the step stands for.
    """
    return wire.error_object(
        status,
        request_id=exchange.request_id,
        error_type=step.error_type,
        message=step.error_message or "",
    )


async def _send_whole(exchange: Exchange, plan: Plan, message: wire.Message) -> None:
    """
    Send the answer in one piece after the delay.
    """
    await asyncio.sleep(plan.delay_s)
    writer = exchange.writer
    if plan.step.sse_error:
        await _send_error(exchange, plan.step)
        return
    body = message.to_json()
    reply = json_reply(exchange.serial, 200, body, rest=exchange.rest)
    if plan.step.drop:
        writer.write(reply[: len(reply) - len(body) // 2])
        _reset(exchange)
    elif not writer.is_closing():
        _settle_answer(exchange, plan)
        writer.write(reply)
        await writer.drain()


async def _stream(exchange: Exchange, plan: Plan, message: wire.Message) -> None:
    """
    Send the answer as events: half of the delay before the first one, then evenly.
    """
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    writer = exchange.writer
    parts = list(message.events())
    rest = (
        f"{common_lines(exchange.serial)}{exchange.rest}transfer-encoding: chunked\r\n"
    )
    head = response_head(
        200, content_type="text/event-stream; charset=utf-8", rest=rest
    )
    half = len(parts) // 2
    for number, part in enumerate(parts):
        share = 1.0 if len(parts) == 1 else 0.5 + 0.5 * number / (len(parts) - 1)
        wait_s = began_s + plan.delay_s * share - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if number == half and plan.step.drop:
            writer.write(head)
            _reset(exchange)
            return
        if number == half and plan.step.sse_error:
            _write_stream_error(exchange, plan.step, head)
            return
        if writer.is_closing():
            return
        last = number == len(parts) - 1
        if last:
            _settle_answer(exchange, plan)
        writer.write(head + chunk(part) + (b"0\r\n\r\n" if last else b""))
        head = b""
        await writer.drain()


def _write_stream_error(exchange: Exchange, step: Step, head: bytes) -> None:
    """
    End a stream with an `error` event.
    """
    error = _error_of(exchange, step, 529)
    exchange.ticket.settle("stream_errors")
    exchange.writer.write(head + chunk(wire.error_event(error)) + b"0\r\n\r\n")


def _settle_answer(exchange: Exchange, plan: Plan) -> None:
    """
    Count a whole answer.
    """
    names = ("answered", "wrong_answers") if plan.is_wrong else ("answered",)
    exchange.ticket.settle(*names, status=200)


def _reset(exchange: Exchange) -> None:
    """
    Close the connection so that the client sees a reset, not an orderly end.
    """
    exchange.ticket.settle("dropped")
    connection: socket.socket = exchange.writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    exchange.writer.transport.abort()
