"""
Move a child's three pipes, and whatever else wakes the loop, in one thread.

It promises that nothing here blocks, that stdin is closed once written or once nobody
reads it, and that both outputs are read to their end however long they are.
"""

from __future__ import annotations

import os
import selectors
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from reliability.process.capture import LineSplitter, Recorder

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

_CHUNK_BYTES = 65536  # A pipe's usual capacity: one read empties it.


class Pipes:
    """
    The three pipes of one child and what is kept of them.

    Args:
        popen: The child, with unbuffered pipes; its stdin may be None.
        stdin: What is to be written to it.
        cap_bytes: How much of each output may be shown later.
        on_stdout_line: Gets each complete line; what it raises leaves `step`.
    """

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        *,
        stdin: bytes,
        cap_bytes: int,
        on_stdout_line: Callable[[bytes], None] | None,
    ) -> None:
        self._stdin = popen.stdin
        self._unwritten = memoryview(stdin)
        self._watched: set[int] = set()
        self.stdout = Recorder(cap_bytes)
        self.stderr = Recorder(cap_bytes)
        self.lines = LineSplitter(on_stdout_line) if on_stdout_line else None
        self._selector = selectors.PollSelector()
        self._open = ExitStack()
        self._open.callback(self._selector.close)
        if popen.stdin:
            self._watch(popen.stdin, selectors.EVENT_WRITE, self._write)
        if popen.stdout and popen.stderr:
            self._watch_output(popen.stdout, self._take_stdout)
            self._watch_output(popen.stderr, self.stderr.feed)

    @property
    def are_open(self) -> bool:
        """
        Whether any pipe is still open at the other side.
        """
        return bool(self._watched)

    def step(self, wait_s: float) -> bool:
        """
        Wait until something stirs and serve it; False when nothing did.
        """
        ready = self._selector.select(wait_s)
        for key, _ in ready:
            key.data()
        return bool(ready)

    def add_waker(self, fd: int, serve: Callable[[], None]) -> None:
        """
        Let another descriptor end the wait, once; it is closed with the pipes.
        """

        def serve_once() -> None:
            """
            Serve it, and never look at it again.
            """
            self._selector.unregister(fd)
            serve()

        self._open.callback(os.close, fd)
        self._selector.register(fd, selectors.EVENT_READ, serve_once)

    def silence(self) -> None:
        """
        Hand no more lines on; go on keeping what comes.
        """
        self.lines = None

    def close(self) -> None:
        """
        Close our ends.
        """
        self._open.close()

    def _watch(self, pipe: IO[bytes], event: int, serve: Callable[[], None]) -> None:
        """
        Serve a pipe whenever it is ready.
        """
        self._open.callback(pipe.close)
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe.fileno(), event, serve)
        self._watched.add(pipe.fileno())

    def _unwatch(self, fd: int) -> None:
        """
        Be done with a pipe.
        """
        self._selector.unregister(fd)
        self._watched.discard(fd)

    def _watch_output(self, pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
        """
        Hand each piece of an output to *take*, until its end.
        """
        fd = pipe.fileno()

        def read() -> None:
            """
            Read once; an empty piece is the pipe's end.
            """
            chunk = os.read(fd, _CHUNK_BYTES)
            if chunk:
                take(chunk)
            else:
                self._unwatch(fd)

        self._watch(pipe, selectors.EVENT_READ, read)

    def _write(self) -> None:
        """
        Write the next piece of stdin; close it at the end or when nobody reads.
        """
        pipe = self._stdin
        if pipe is None:
            return
        try:
            count = os.write(pipe.fileno(), self._unwritten[:_CHUNK_BYTES])
        except BrokenPipeError:
            count = len(self._unwritten)
        self._unwritten = self._unwritten[count:]
        if not self._unwritten:
            self._unwatch(pipe.fileno())
            pipe.close()

    def _take_stdout(self, chunk: bytes) -> None:
        """
        Keep a piece of stdout and hand its lines on.
        """
        self.stdout.feed(chunk)
        if self.lines:
            self.lines.feed(chunk)
