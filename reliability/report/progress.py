"""
Live progress: one line, redrawn on a terminal, else a new one now and then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from reliability.report.words import duration

if TYPE_CHECKING:
    from reliability.clock import Clock
    from reliability.model import Tally

_REDRAW_S = 0.1
_LINE_EVERY_S = 10.0
_BAR_WIDTH = 24


class Progress:
    """
    Draws how far the run is.

    Args:
        columns: Redraw one line of at most this width; None prints a new line every
            ten seconds.
    """

    def __init__(self, stream: TextIO, *, columns: int | None, clock: Clock) -> None:
        self._stream = stream
        self._columns = columns
        self._label = ""
        self._clock = clock
        self._began_mono_s = clock.monotonic_s()
        self._drawn_mono_s = float("-inf")
        self._width = 0

    def begin(self, *, simulated: bool) -> None:
        """
        Hear whether the answers are simulated: every line then says so.
        """
        self._label = "simulated  " if simulated else ""

    def show(
        self, tally: Tally, *, in_flight: int, waiting: int, paused_s: float
    ) -> None:
        """
        Draw, unless it was drawn just now.
        """
        now_s = self._clock.monotonic_s()
        pause_s = _LINE_EVERY_S if self._columns is None else _REDRAW_S
        if now_s - self._drawn_mono_s < pause_s:
            return
        self._drawn_mono_s = now_s
        line = self._line(tally, in_flight, waiting, paused_s, now_s)
        if self._columns is None:
            self._stream.write(line + "\n")
        else:
            # A line of the full width would wrap, and could not be redrawn.
            line = line[: self._columns - 1]
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        self._stream.flush()

    def close(self) -> None:
        """
        Remove the line from the terminal.
        """
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _line(
        self, tally: Tally, in_flight: int, waiting: int, paused_s: float, now_s: float
    ) -> str:
        ended = tally.measured + tally.invalid
        filled = _BAR_WIDTH * ended // tally.planned
        bar = "#" * filled + "." * (_BAR_WIDTH - filled)
        parts = [
            f"{self._label}[{bar}] {ended}/{tally.planned}",
            f"pass {tally.passed}",
            f"fail {tally.failed}",
        ]
        if tally.invalid:
            parts.append(f"invalid {tally.invalid}")
        parts.append(f"in flight {in_flight}")
        if waiting:
            parts.append(f"waiting to retry {waiting}")
        if paused_s >= 1:
            parts.append(f"paused by the service for {paused_s:.0f} s")
        parts.append(duration(now_s - self._began_mono_s))
        return "  ".join(parts)
