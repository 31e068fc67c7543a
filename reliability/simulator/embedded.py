"""
A simulator in a thread of its own, for as long as a `with` block lasts.

It promises that the block begins when connections are accepted and that after it no
thread and no socket is left. Requests that are under way at its end are cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Self

from reliability.simulator.server import Server

if TYPE_CHECKING:
    from types import TracebackType

    from reliability.simulator.profile import Profile
    from reliability.simulator.tally import Stats


class Simulator:
    """
    Context manager: serves from a thread of its own; for one `with` block.

    Args:
        profile: What the server does.
        host: Where it listens. Anything but loopback lets others ask it too.
        port: 0: any free one.

    Attributes:
        base_url: Such as `http://127.0.0.1:40123`; empty before the block.
    """

    def __init__(
        self, profile: Profile, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.base_url = ""
        self._server = Server(profile, host=host, port=port)
        self._settled = threading.Event()
        self._error: BaseException | None = None
        self._stop_server: _Stop | None = None
        # A daemon: an interpreter that ends without __exit__ must not wait for it.
        self._thread = threading.Thread(
            target=self._run, name="reliability-simulator", daemon=True
        )

    def __enter__(self) -> Self:
        """
        Start to serve.

        Raises:
            UsageError: when the host and port cannot be listened on.
        """
        self._thread.start()
        self._settled.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """
        Cut what is under way, close every connection and end the thread.
        """
        if self._stop_server is not None:
            self._stop_server.send()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def stats(self) -> Stats:
        """
        Return the counters, also after the block.
        """
        return self._server.stats()

    def _run(self) -> None:
        """
        Run the event loop of the server; what it raises is raised by `__enter__`.
        """
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - it belongs to the other thread
            self._error = error
        finally:
            self._settled.set()

    async def _serve(self) -> None:
        """
        Serve until `__exit__`.
        """
        stop = _Stop(asyncio.get_running_loop())
        self._stop_server = stop

        def on_ready(base_url: str) -> None:
            self.base_url = base_url
            self._settled.set()

        await self._server.serve(until=stop.event, on_ready=on_ready)


class _Stop:
    """
    An event of a loop that another thread can set.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.event = asyncio.Event()
        self._loop = loop

    def send(self) -> None:
        """
        Set the event from any thread; a loop that has ended already needs none.
        """
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.event.set)
