"""
A Messages API for benchmarks: the simulator's decisions behind a leaner transport.

    python lean_server.py 'latency=0.05,seed=1' [--close-after N --closed-s S]

It prints its base URL, serves until SIGTERM, then prints its counters as JSON.

The product's own simulator takes about 0.24 ms of CPU a request, so that hundreds of
requests in one instant would wait for it and not for their latency. This one parses no
more of a request than it needs. What is answered (right or wrong, faults, latency) is
drawn by the simulator's own pure functions, so the same profile means the same here.

It promises less than the simulator: no scripts, no limits on tokens, no checks of what
is asked, and a streamed answer comes whole when its latency is over. `--close-after`
is of `limit`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import signal
import socket
import struct
import time
from collections import Counter
from typing import TYPE_CHECKING, cast

from limit import Limit

from reliability.simulator import wire
from reliability.simulator.chance import (
    Identity,
    answer_of,
    fault_of,
    latency_s_of,
)
from reliability.simulator.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.simulator.script import Step

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TRIAL = re.compile(rb"\r\nx-reliability-trial: *([^\r]+)", re.IGNORECASE)
_ATTEMPT = re.compile(rb"\r\nx-reliability-attempt: *([^\r]+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger of socket(7): RST, not FIN.


class Service:
    """
    What to answer, and the counters.
    """

    def __init__(self, profile: Profile, limit: Limit) -> None:
        self.profile = profile
        self.limit = limit
        self.counts: Counter[str] = Counter()
        self.serial = 0
        self._asked: Counter[tuple[str, str]] = Counter()
        self._bodies: dict[tuple[str, bool], bytes] = {}

    def identity(self, head: bytes) -> Identity:
        """
        Return who asks, by the simulator's headers, else by order of arrival.
        """
        trial = _TRIAL.search(head)
        if trial is None:
            self.counts["nameless"] += 1
            return Identity(trial=str(self.counts["nameless"]))
        attempt = _ATTEMPT.search(head)
        key = (trial[1].decode(), attempt[1].decode() if attempt else "1")
        self._asked[key] += 1
        return Identity(trial=key[0], attempt=key[1], request_number=self._asked[key])

    def answer_body(self, text: str, *, streamed: bool) -> bytes:
        """
        Return an answer's body, made once for each text.
        """
        key = (text, streamed)
        if key not in self._bodies:
            message = wire.Message(
                serial=1,
                model="simulated-model",
                text=text,
                tool=None,
                tool_input={},
                stop_reason="end_turn",
                input_tokens=12,
            )
            whole = b"".join(message.events()) if streamed else message.to_json()
            self._bodies[key] = whole
        return self._bodies[key]

    def stats(self) -> dict[str, object]:
        """
        Return the counters, named as the simulator's `Stats`.
        """
        statuses = {
            name.removeprefix("status_"): count
            for name, count in self.counts.items()
            if name.startswith("status_")
        }
        return {
            "requests": self.counts["requests"],
            "answered": self.counts["status_200"],
            "wrong_answers": self.counts["wrong_answers"],
            "by_status": statuses,
            "dropped": self.counts["dropped"],
            "abandoned": self.counts["abandoned"],
            "max_in_flight": self.counts["max_in_flight"],
        }


class Connection(asyncio.Protocol):
    """
    One client's connection; requests come one after the other on it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._pending = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Remember where to write to.
        """
        # uvloop's transport is none of asyncio's classes, though it acts as one.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """
        Let go; what is still due is counted as abandoned.
        """
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """
        Serve each whole request that has arrived.
        """
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end])
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                if b"100-continue" in head.lower() and self._transport:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self._received[end + 4 : whole])
            del self._received[:whole]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        """
        Plan the reply to one request.
        """
        service = self._service
        if not head.startswith(b"POST /v1/messages"):
            value = {"service": "reliability-simulator", "stats": service.stats()}
            self._write(200, json.dumps(value).encode())
            return
        counts = service.counts
        counts["requests"] += 1
        counts["in_flight"] += 1
        counts["max_in_flight"] = max(counts["max_in_flight"], counts["in_flight"])
        service.serial += 1
        allowed, lines = service.limit.ask()
        if not allowed:
            self._fail(429, lines)
            return
        identity = service.identity(head)
        fault = fault_of(service.profile, identity)
        if fault is not None and fault.status != 200:
            self._fail(fault.status, lines)
            return
        streamed = _STREAM.search(body) is not None

        def finish() -> None:
            self._finish(identity, fault, lines, streamed=streamed)

        delay_s = latency_s_of(service.profile, identity)
        if fault is not None and fault.drop == "before":
            finish()
        elif delay_s:
            asyncio.get_running_loop().call_later(delay_s, finish)
        else:
            finish()

    def _fail(self, status: int, lines: str) -> None:
        """
        Send an error of the API at once.
        """
        self._service.counts["in_flight"] -= 1
        self._service.counts[f"status_{status}"] += 1
        error = wire.error_object(status, request_id="req_simulated")
        self._write(status, wire.to_body(error), lines)

    def _finish(
        self, identity: Identity, fault: Step | None, lines: str, *, streamed: bool
    ) -> None:
        """
        Send the answer, or reset the connection before or in the middle of it.
        """
        service = self._service
        service.counts["in_flight"] -= 1
        if self._transport is None:
            service.counts["abandoned"] += 1
            return
        text = answer_of(service.profile, identity.trial)
        body = service.answer_body(text, streamed=streamed)
        if fault is not None:
            service.counts["dropped"] += 1
            self._reset(body if fault.drop == "middle" else b"")
            return
        service.counts["status_200"] += 1
        if text != service.profile.answer:
            service.counts["wrong_answers"] += 1
        self._write(200, body, lines, streamed=streamed)

    def _reset(self, body: bytes) -> None:
        """
        Close so that the client sees a reset, after half of *body* if there is one.
        """
        assert self._transport is not None
        if body:
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            self._transport.write(head + body[: len(body) // 2])
        connection: socket.socket = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def _write(
        self, status: int, body: bytes, lines: str = "", *, streamed: bool = False
    ) -> None:
        """
        Send a whole reply.
        """
        if self._transport is None:
            return
        kind = "text/event-stream" if streamed else "application/json"
        head = (
            f"HTTP/1.1 {status} X\r\nx-reliability-simulator: 1\r\n"
            f"request-id: req_{self._service.serial}\r\n"
            f"content-type: {kind}\r\n{lines}content-length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


async def serve(service: Service, announce: Callable[[str], None]) -> None:
    """
    Serve on a free port of loopback until SIGTERM.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(
        lambda: Connection(service), "127.0.0.1", 0, backlog=1024
    )
    announce(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await ended.wait()
    server.close()


def main() -> None:
    """
    Serve, then tell what was counted and how much CPU it took.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("profile")
    parser.add_argument("--close-after", type=int, default=0)
    parser.add_argument("--closed-s", type=float, default=0.0)
    given = parser.parse_args()
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    profile = Profile.parse(given.profile)
    limit = Limit(
        profile,
        close_after=given.close_after,
        closed_s=given.closed_s,
        monotonic_s=time.monotonic,
    )
    service = Service(profile, limit)
    began_cpu_s = time.process_time()
    asyncio.run(serve(service, lambda url: print(url, flush=True)))
    cpu_s = round(time.process_time() - began_cpu_s, 4)
    print(json.dumps({"stats": service.stats(), "cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    main()
