"""
A Python function as the agent: prompt in, answer out; for users of the library.

It runs in this process, in a thread of its own for each attempt, without isolation. A
thread cannot be ended: one that is over its time, or cancelled, is left to itself and
its answer is dropped. An exception is the agent's own failure.
"""

from __future__ import annotations

import hashlib
import inspect
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.agents.base import ANSWER_CAP_BYTES, Call, trouble_reply
from reliability.errors import AgentSetupError
from reliability.kinds import ErrorKind
from reliability.model import Reply, Setup, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.clock import Clock

_POLL_S = 0.1


class Function:
    """
    A function of the user's.

    Args:
        function: Called from many threads at once in a parallel run; None refuses every
            run, since only the library can hand one over.
    """

    needs_room = False

    def __init__(self, function: Callable[[str], str] | None, *, clock: Clock) -> None:
        self._function = function
        self._clock = clock
        self._cancel = threading.Event()

    def prepare(self) -> Setup:
        """
        Look at the function.

        Raises:
            AgentSetupError: when there is none.
        """
        if self._function is None:
            raise AgentSetupError(
                "The backend is function, and there is no function.",
                remedy="Call reliability.library.measure, or choose another backend.",
            )
        name = getattr(self._function, "__qualname__", repr(self._function))
        return Setup(
            fingerprint={"function": name, "function_sha256": _sha256(self._function)}
        )

    def attempt(self, call: Call) -> Reply:
        """
        Call the function once.
        """
        began_mono_s = self._clock.monotonic_s()
        results: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        threading.Thread(
            target=lambda: results.put(self._call(call.prompt)),
            name=f"agent-{call.trial.number}",
            daemon=True,
        ).start()
        while True:
            took_s = self._clock.monotonic_s() - began_mono_s
            if self._cancel.is_set():
                return trouble_reply(ErrorKind.CANCELLED, "the run was cancelled")
            if took_s >= call.timeout_s:
                text = f"no answer within {call.timeout_s:g} s"
                trouble = Trouble(kind=ErrorKind.TIMEOUT, text=text)
                return Reply(trouble=trouble, duration_s=took_s)
            try:
                reply = results.get(timeout=min(_POLL_S, call.timeout_s - took_s))
            except queue.Empty:
                continue
            took_s = self._clock.monotonic_s() - began_mono_s
            return replace(reply, duration_s=took_s)

    def cancel(self) -> None:
        """
        Wait for no answer any more.
        """
        self._cancel.set()

    def close(self) -> None:
        """
        Nothing was taken.
        """

    def _call(self, prompt: str) -> Reply:
        assert self._function is not None, "prepare() has looked"  # noqa: S101
        try:
            answer = self._function(prompt)
        except BaseException as error:  # noqa: BLE001 - the agent's own failure
            text = f"{type(error).__name__}: {error}"
            return trouble_reply(ErrorKind.AGENT_ERROR, text)
        if not isinstance(answer, str):
            text = f"it returned {type(answer).__name__}, not a text"
            return trouble_reply(ErrorKind.AGENT_ERROR, text)
        if not answer.strip():
            return trouble_reply(ErrorKind.EMPTY_ANSWER, "the answer is empty")
        if len(answer.encode("utf-8", "surrogatepass")) > ANSWER_CAP_BYTES:
            text = f"the answer is longer than {ANSWER_CAP_BYTES} bytes"
            return trouble_reply(ErrorKind.ANSWER_TOO_LONG, text)
        return Reply(answer=answer)


def _sha256(function: Callable[[str], str]) -> str:
    """
    Return the hash of the function's source; empty where there is none to read.
    """
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
