"""
Progress that cannot be shown, or has little room, costs nothing.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.virtual_time import VirtualTime

from reliability.report.progress import Progress
from reliability.run_result import Tally

if TYPE_CHECKING:
    from typing import TextIO

TALLY = Tally(planned=1000, passed=300, failed=100, invalid=100)


def full_disk() -> TextIO:
    """
    Return a stream that fails when it is flushed.
    """
    return Path("/dev/full").open("w", encoding="utf-8")


def broken_pipe() -> TextIO:
    """
    Return a pipe that nobody reads.
    """
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", encoding="utf-8")


def closed() -> TextIO:
    """
    Return a stream that raises ValueError.
    """
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("make", [full_disk, broken_pipe, closed])
@pytest.mark.parametrize("columns", [80, None])
def test_stream_that_fails_never_ends_a_run(make: object, columns: int | None) -> None:
    """
    The first failure is swallowed, and nothing is written after it.
    """
    assert callable(make)
    stream, time = make(), VirtualTime()
    progress = Progress(stream, columns=columns, clock=time)
    progress.begin(simulated=True)
    for _ in range(3):
        time.now_s += 11
        progress.show(TALLY, in_flight=1, waiting=0, hold=None)
    progress.close()
    try:
        stream.close()
    except OSError:
        stream.close()

    assert stream.closed


def test_log_has_no_line_before_ten_seconds() -> None:
    """
    "0 of 10" at the start says nothing, and a short run needs no progress at all.
    """
    stream, time = io.StringIO(), VirtualTime()
    progress = Progress(stream, columns=None, clock=time)
    lines = []
    for _ in range(22):
        progress.show(TALLY, in_flight=1, waiting=0, hold=None)
        lines.append(len(stream.getvalue().splitlines()))
        time.now_s += 1

    assert [0] * 10 + [1] * 10 + [2] * 2 == lines


@pytest.mark.parametrize("columns", [20, 40, 50, 60, 80])
def test_bar_goes_before_any_count_is_cut(columns: int) -> None:
    """
    A count that lost its last digit is a lie; a bar is only a picture.
    """
    stream, time = io.StringIO(), VirtualTime()
    progress = Progress(stream, columns=columns, clock=time)
    progress.begin(simulated=False)
    progress.show(TALLY, in_flight=12, waiting=34, hold=None)
    drawn = stream.getvalue().strip("\r ")
    whole = ["500/1000", "pass 300", "fail 100", "invalid 100", "in flight 12"]
    whole += ["waiting to retry 34", "0.0 s"]
    counts = drawn.partition("] ")[2] if drawn.startswith("[") else drawn

    assert len(drawn) < columns
    assert whole[: len(counts.split("  "))] == counts.split("  ")
    assert drawn.startswith("[") == (counts.split("  ") == whole)
