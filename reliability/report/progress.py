"""
Live progress: one line, redrawn on a terminal, else a new one now and then.

Progress is a courtesy: a stream that cannot be written (a full disk, a reader that has
gone) silences it and never ends a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from reliability.report.words import duration

if TYPE_CHECKING:
    from reliability.clock import Clock
    from reliability.limits import Hold
    from reliability.run_result import Tally

_REDRAW_S = 0.1
_LINE_EVERY_S = 10.0
_BAR_WIDTH = 24


class Progress:
    """
    Draws how far the run is.

    Args:
        columns: Redraw one line of at most this width; None prints a new line every
            ten seconds, the first after ten.
    """

    def __init__(self, stream: TextIO, *, columns: int | None, clock: Clock) -> None:
        self._stream = stream
        self._columns = columns
        self._label = ""
        self._clock = clock
        self._began_mono_s = clock.monotonic_s()
        self._drawn_mono_s = float("-inf") if columns else self._began_mono_s
        self._width = 0
        self._failed = False

    def begin(self, *, simulated: bool) -> None:
        """
        Hear whether the answers are simulated: every line then says so.
        """
        self._label = "simulated  " if simulated else ""

    def show(
        self, tally: Tally, *, in_flight: int, waiting: int, hold: Hold | None
    ) -> None:
        """
        Draw, unless it was drawn just now.
        """
        now_s = self._clock.monotonic_s()
        pause_s = _LINE_EVERY_S if self._columns is None else _REDRAW_S
        if self._failed or now_s - self._drawn_mono_s < pause_s:
            return
        self._drawn_mono_s = now_s
        counts = _counts(tally, in_flight, waiting, hold)
        counts.append(duration(now_s - self._began_mono_s))
        line = f"{self._label}{_bar(tally)} {'  '.join(counts)}"
        if self._columns is None:
            self._write(f"{line}\n")
            return
        # A line of the full width would wrap, and could not be redrawn.
        line = _fitted(self._label, line, counts, self._columns - 1)
        self._write("\r" + line.ljust(self._width))
        self._width = len(line)

    def close(self) -> None:
        """
        Remove the line from the terminal.
        """
        if self._width:
            self._write("\r" + " " * self._width + "\r")

    def _write(self, text: str) -> None:
        """
        Write, and go silent for good when that fails.
        """
        if self._failed:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._failed = True


def _bar(tally: Tally) -> str:
    """
    Draw the share of the trials that have ended.
    """
    filled = _BAR_WIDTH * (tally.measured + tally.invalid) // max(1, tally.planned)
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}]"


def _counts(tally: Tally, in_flight: int, waiting: int, hold: Hold | None) -> list[str]:
    """
    Return what there is to say, the most important first.
    """
    counts = [
        f"{tally.measured + tally.invalid}/{tally.planned}",
        f"pass {tally.passed}",
        f"fail {tally.failed}",
    ]
    if tally.invalid:
        counts.append(f"invalid {tally.invalid}")
    counts.append(f"in flight {in_flight}")
    if waiting:
        counts.append(f"waiting to retry {waiting}")
    if hold is not None:
        counts.append(_why(hold))
    return counts


def _why(hold: Hold) -> str:
    """
    Return why nothing starts now, and for how long if that is worth a number.
    """
    if hold.wait_s is None or hold.wait_s < 1:
        return hold.why
    return f"{hold.why} for {duration(hold.wait_s)}"


def _fitted(label: str, line: str, counts: list[str], width: int) -> str:
    """
    Shorten a line: first the bar goes, then whole counts from the end, then the rest.
    """
    counts = counts.copy()
    while len(line) > width and counts:
        line = label + "  ".join(counts)
        counts.pop()
    return line[:width]
