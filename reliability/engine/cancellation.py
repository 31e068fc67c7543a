"""
How a run is asked to stop: by a signal, or by whoever called the library.

Safe inside a signal handler: no lock is taken there that the interrupted code may hold.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Cancellation:
    """
    A request to stop that is seen by everybody; the second one is urgent.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.is_urgent = False
        self._wakers: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """
        Tell whether the run has been asked to stop.
        """
        return self.signal_number is not None

    def request(self, signal_number: int = signal.SIGINT) -> None:
        """
        Ask for the stop; only the first request's signal is kept.
        """
        if self.signal_number is None:
            self.signal_number = signal_number
        else:
            self.is_urgent = True
        for wake in tuple(self._wakers):
            wake()

    def on_request(self, wake: Callable[[], None]) -> None:
        """
        Call *wake* at the request, perhaps inside a signal handler: it must not block.

        When the request was made already, it is called now.
        """
        self._wakers.append(wake)
        # In this order: a request in between calls it twice, and never not at all.
        if self.requested:
            wake()


@contextmanager
def caught_signals(cancellation: Cancellation) -> Iterator[None]:
    """
    Turn SIGINT, SIGTERM and SIGHUP into a request to stop while inside.

    SIGHUP comes when a terminal is closed. Where it is ignored, as under nohup, it
    stays so. Outside the main thread, where Python allows no handlers, nothing is
    changed.
    """

    def request(signal_number: int, _frame: FrameType | None) -> None:
        cancellation.request(signal_number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        caught.append(signal.SIGHUP)
    before = {number: signal.signal(number, request) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
