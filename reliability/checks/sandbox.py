"""
Helper processes for what could stall a thread: user patterns, hostile JSON.

A helper serves one request after another, so a check costs a round trip and no start.
One that finds no end within its limit is killed, and only whoever asked waits for it;
at most `MOST_HELPERS` work at once, enough that a few without end leave others free.
They end with this process at the latest: `close_helpers` ends those that are free.
"""

from __future__ import annotations

import atexit
import json
import selectors
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from reliability.clock import SystemClock
from reliability.errors import CheckError

MOST_HELPERS = 16
_PROGRAM = Path(__file__).with_name("helper.py")
# In the image the libraries lie beside the package, where -I does not look.
_LIBRARIES = Path(__file__).parents[2]
_CHUNK_BYTES = 64 * 1024


def search(pattern: str, text: str, *, timeout_s: float) -> bool:
    """
    Tell whether *pattern* matches somewhere in *text*.

    Raises:
        CheckError: when that takes longer than *timeout_s*, or is no pattern.
    """
    request = {"work": "search", "pattern": pattern, "text": text}
    return bool(
        ask(request, what=f"the regular expression {pattern!r}", limit_s=timeout_s)
    )


def ask(request: dict[str, Any], *, what: str, limit_s: float) -> Any:
    """
    Let a helper do the work of *request* and return its reply.

    Args:
        what: Named in the errors.

    Raises:
        CheckError: when it takes longer than *limit_s*, cannot be done, or no helper
            can be started.
    """
    return _POOL.ask(request, what=what, limit_s=limit_s)


class _Slow(Exception):  # noqa: N818 - no error of ours: told as a CheckError
    """
    A helper found no end within its limit.
    """


class _Helper:
    """
    One helper process.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_PROGRAM), str(_LIBRARIES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None  # noqa: S101 - PIPE
        assert self._process.stdout is not None  # noqa: S101 - PIPE
        self._input, self._output = self._process.stdin, self._process.stdout

    def ask(self, line: bytes, limit_s: float) -> dict[str, Any]:
        """
        Return the reply to one request.

        Raises:
            _Slow: after *limit_s*; the helper is of no use then.
            OSError, ValueError: when the helper has ended.
        """
        clock = SystemClock()
        deadline_mono_s = clock.monotonic_s() + limit_s
        self._input.write(line)
        self._input.flush()
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while not received.endswith(b"\n"):
                left_s = deadline_mono_s - clock.monotonic_s()
                if left_s <= 0 or not selector.select(left_s):
                    raise _Slow
                piece = self._output.raw.read(_CHUNK_BYTES)  # type: ignore[attr-defined]
                if not piece:
                    raise OSError("the helper has ended")
                received += piece
        reply: dict[str, Any] = json.loads(received)
        return reply

    @property
    def is_alive(self) -> bool:
        """
        Tell whether the process is there: one that waits may have been killed.
        """
        return self._process.poll() is None

    def end(self) -> None:
        """
        End the process.
        """
        self._process.kill()
        self._process.wait()
        for stream in (self._input, self._output):
            try:
                stream.close()
            except OSError:  # What was still to be written has no reader any more.
                continue


class _Pool:
    """
    Helpers that are free, and how many may be at work.
    """

    def __init__(self) -> None:
        self._free: list[_Helper] = []
        self._lock = threading.Lock()
        self._seats = threading.BoundedSemaphore(MOST_HELPERS)

    def ask(self, request: dict[str, Any], *, what: str, limit_s: float) -> Any:
        """
        See `ask` of this module.
        """
        line = json.dumps({**request, "timeout_s": limit_s}).encode("ascii") + b"\n"
        with self._seats:
            reply = self._ask_one(line, what, limit_s)
        if "error" in reply:
            raise CheckError(f"{what} cannot decide: {reply['error']}")
        return reply["reply"]

    def _ask_one(self, line: bytes, what: str, limit_s: float) -> dict[str, Any]:
        helper = self._take()
        try:
            reply = helper.ask(line, limit_s)
        except _Slow:
            helper.end()
            raise CheckError(
                f"{what} did not end within {limit_s:g} s",
                remedy="Write it without nested repetition, or give it more time.",
            ) from None
        except (OSError, ValueError):
            helper.end()
            raise CheckError(f"{what} ended its helper process") from None
        except BaseException:
            helper.end()
            raise
        with self._lock:
            self._free.append(helper)
        return reply

    def _take(self) -> _Helper:
        with self._lock:
            while self._free:
                helper = self._free.pop()
                if helper.is_alive:
                    return helper
                helper.end()
        try:
            return _Helper()
        except OSError as error:
            raise CheckError(
                f"a helper process cannot be started: {error.strerror}",
                remedy="Lower max-workers or raise the limit.",
            ) from None

    def close(self) -> None:
        """
        End the helpers that are free.
        """
        with self._lock:
            helpers, self._free = self._free, []
        for helper in helpers:
            helper.end()


_POOL = _Pool()
atexit.register(_POOL.close)


def close_helpers() -> None:
    """
    End the helpers that are free; later requests start new ones.
    """
    _POOL.close()
