"""
Listen, serve connections, and end without leaving any of them behind.

`Server` is the part that an event loop runs; `serve_forever` is the foreground server
of the command line, `embedded.Simulator` the one in a thread of its own.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from reliability.clock import SystemClock
from reliability.errors import UsageError
from reliability.simulator.http1 import MAX_HEAD_BYTES
from reliability.simulator.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.simulator.profile import Profile
    from reliability.simulator.tally import Stats

BACKLOG = 512  # Hundreds of workers may connect in the same instant.
_ROUNDS_TO_A_TASK = 5  # An accepted connection takes the loop three.
_END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Server:
    """
    A simulator on a host and port.

    Args:
        profile: What it does.
        host: Where it listens. Anything but loopback lets others ask it too.
        port: 0: any free one.
    """

    def __init__(self, profile: Profile, *, host: str, port: int) -> None:
        self._service = Service(profile, SystemClock())
        self._host = host
        self._port = port
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def serve(
        self, *, until: asyncio.Event, on_ready: Callable[[str], None]
    ) -> None:
        """
        Serve until *until* is set; every connection is closed on return.

        Args:
            until: Ends the service, answers under way included.
            on_ready: Gets the base URL once connections are accepted.

        Raises:
            UsageError: when the host and port cannot be listened on.
        """
        asyncio.get_running_loop().set_exception_handler(self._count_defect)
        try:
            server = await asyncio.start_server(
                self._serve_connection,
                self._host,
                self._port,
                limit=MAX_HEAD_BYTES,
                backlog=BACKLOG,
            )
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"The simulator cannot listen on {self._host}:{self._port}: {error}.",
                remedy="Choose another port; 0 takes any free one.",
            ) from error
        try:
            on_ready(_base_url(self._host, server.sockets[0].getsockname()[1]))
            await until.wait()
        finally:
            await _stop_accepting(server)
            server.close()
            await self._close_connections()
            await server.wait_closed()

    def stats(self) -> Stats:
        """
        Return the counters; safe to call from any thread, also after the end.
        """
        return self._service.tally.snapshot()

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """
        Serve one connection and know of it while it lasts.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._open[task] = writer
        try:
            await self._service.serve_connection(reader, writer)
        except asyncio.CancelledError:
            # Only the end of the server cancels, and this task ends with it. Some
            # versions of asyncio.streams report a cancelled task as a failed one.
            pass
        finally:
            del self._open[task]

    async def _close_connections(self) -> None:
        """
        Cut every connection, answered or not, and wait until its task has ended.
        """
        tasks = dict(self._open)
        for task, writer in tasks.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _count_defect(
        self, _loop: asyncio.AbstractEventLoop, _context: dict[str, Any]
    ) -> None:
        """
        Count what asyncio would print.
        """
        self._service.tally.add("defects")


def serve_forever(
    profile: Profile, *, host: str, port: int, on_ready: Callable[[str], None]
) -> None:
    """
    Serve in the foreground until SIGINT or SIGTERM, then return.

    Only for the main thread, which is the one that gets signals. The handlers that
    were there before are put back.

    Args:
        profile: What the server does.
        host: Where it listens. Anything but loopback lets others ask it too.
        port: 0: any free one.
        on_ready: Gets the base URL once connections are accepted.

    Raises:
        UsageError: when the host and port cannot be listened on.
    """

    async def serve() -> None:
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _END_SIGNALS:
            loop.add_signal_handler(number, until.set)
        server = Server(profile, host=host, port=port)
        await server.serve(until=until, on_ready=on_ready)

    previous = {number: signal.getsignal(number) for number in _END_SIGNALS}
    try:
        asyncio.run(serve())
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


async def _stop_accepting(server: asyncio.Server) -> None:
    """
    Let every connection that was accepted reach its task, and accept no more.

    `Server.close` alone leaves the socket of one that is half way there open.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _ in range(_ROUNDS_TO_A_TASK):
        await asyncio.sleep(0)


def _base_url(host: str, port: int) -> str:
    """
    Return the URL that a client on this machine uses.
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
