"""
Serve one connection: read a request, find out what to do, do it, read the next.

Replies are written as they would come from the API, except that each one says in a
header that it is simulated. A request that is refused before its body was read ends
the connection, after what the client still sends was thrown away for a moment: a reset
would otherwise overtake the reply.

Nothing is printed or logged: what happened is in the counters.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING

from reliability.simulator import wire
from reliability.simulator.delivery import Exchange, deliver, message_of
from reliability.simulator.http1 import SERVICE_NAME, Head, HttpError
from reliability.simulator.intake import (
    discard_rest,
    parse_body,
    read_request,
    require_key,
    require_limit_on_output,
)
from reliability.simulator.planner import Planner
from reliability.simulator.quota import Quota
from reliability.simulator.replies import Refusal, error_reply, json_reply
from reliability.simulator.tally import Tally

if TYPE_CHECKING:
    from reliability.clock import Clock
    from reliability.simulator.profile import Profile

MODEL_ID = "simulated"
IDLE_TIMEOUT_S = 300.0  # For one request to arrive; also frees half-sent ones.
_METHODS = {
    "/": ("GET", "HEAD"),
    "/api/hello": ("GET", "HEAD"),
    "/v1/models": ("GET",),
    "/v1/messages": ("POST",),
    "/v1/messages/count_tokens": ("POST",),
}


class Service:
    """
    The protocol of the server, apart from where it listens.

    Args:
        profile: What it does.
        clock: For the rate limits; latencies are timers of the event loop.
    """

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self.tally = Tally()
        self._planner = Planner(profile)
        self._quota = Quota(profile, clock)
        self._serial = 0

    async def serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """
        Serve requests until the client has enough; never raises but for a cancel.
        """
        try:
            while await self._serve_request(reader, writer):
                pass
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # The client went away; whatever it had asked is settled already.
        except Exception:  # noqa: BLE001 - asyncio would print it; it is counted
            self.tally.add("defects")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await writer.wait_closed()

    async def _serve_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """
        Serve one request; returns whether the connection can take another one.
        """
        self._serial += 1
        serial = self._serial
        try:
            async with asyncio.timeout(IDLE_TIMEOUT_S):
                received = await read_request(reader, writer)
        except HttpError as error:
            self.tally.add("other_requests")
            writer.write(error_reply(serial, error.status, error.message, close=True))
            await discard_rest(reader, writer)
            return False
        if received is None:
            return False
        head, body = received
        if head.path == "/v1/messages" and head.method == "POST":
            await self._serve_model_request(serial, head, body, reader, writer)
        else:
            self.tally.add("other_requests")
            writer.write(self._other_reply(serial, head, body))
            await writer.drain()
        return head.keep_alive and not writer.is_closing()

    def _other_reply(self, serial: int, head: Head, body: bytes) -> bytes:
        """
        Return the reply to anything but a model request.
        """
        try:
            value = self._other_value(head, body)
        except Refusal as refusal:
            rest = refusal.headers
            reply = error_reply(serial, refusal.status, refusal.message, rest=rest)
        else:
            reply = json_reply(serial, 200, wire.to_body(value))
        if head.method == "HEAD":
            return reply[: reply.index(b"\r\n\r\n") + 4]
        return reply

    def _other_value(self, head: Head, body: bytes) -> dict[str, object]:
        """
        Return the JSON value of the reply to anything but a model request.
        """
        methods = _METHODS.get(head.path)
        if methods is None:
            raise Refusal(404, f"There is nothing at {head.path!r}.")
        if head.method not in methods:
            allow = ", ".join(methods)
            raise Refusal(405, f"Use {allow} here.", headers=f"allow: {allow}\r\n")
        if head.path == "/":
            return {"service": SERVICE_NAME, "stats": asdict(self.tally.snapshot())}
        if head.path == "/api/hello":
            return {"message": "hello"}
        require_key(head)
        if head.path == "/v1/models":
            return _model_list()
        parse_body(body)
        return {"input_tokens": wire.count_tokens(len(body))}

    async def _serve_model_request(
        self,
        serial: int,
        head: Head,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """
        Answer a model request, or do to it what the plan says.
        """
        ticket = self.tally.begin()
        rest = ""
        try:
            require_key(head)
            asked = parse_body(body)
            require_limit_on_output(asked)
            plan, settle = self._planner.preview(head.headers, asked)
            tokens = wire.count_tokens(len(body))
            message = message_of(plan, asked, serial=serial, input_tokens=tokens)
            rest = self._quota.admit(
                input_tokens=tokens,
                output_tokens=message.output_tokens() if message else 0,
            )
            settle()
            exchange = Exchange(writer=writer, ticket=ticket, serial=serial, rest=rest)
            streamed = asked.get("stream") is True
            await deliver(exchange, plan, message, streamed=streamed, reader=reader)
        except Refusal as refusal:
            ticket.settle(status=refusal.status)
            rest += refusal.headers
            writer.write(
                error_reply(serial, refusal.status, refusal.message, rest=rest)
            )
            await writer.drain()
        finally:
            ticket.settle("abandoned")


def _model_list() -> dict[str, object]:
    """
    Return the one model that there is; a request may name any other.
    """
    model = {
        "type": "model",
        "id": MODEL_ID,
        "display_name": "Simulated",
        "created_at": "1970-01-01T00:00:00Z",
    }
    page = {"first_id": MODEL_ID, "last_id": MODEL_ID, "has_more": False}
    return {"data": [model], **page}
