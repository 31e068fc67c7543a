"""
The live progress of a run.
"""

from __future__ import annotations

import io
from typing import Any

from fakes.virtual_time import VirtualTime

from reliability.limits import Hold
from reliability.report.progress import Progress
from reliability.run_result import Tally

HOSTILE = (
    "</pre><script>alert(1)</script><img src=http://evil.example/x onerror=a>\n"
    "```\n| a | b |\n<details><summary>\n::set-output name=verdict::pass\n"
    "=== Loop 1/1 - 2026-01-01 00:00:00 UTC ===\n\x1b[2J\x9b1m\u202egnp\r---\n"
    "]]>\ufffe\x00 @team https://evil.example #1\n"
)
# Elements whose end may be left out, or that have none.
VOID = {"meta", "br"}


def show(progress: Progress, **changes: Any) -> None:
    """
    Show counts in the middle of a run.
    """
    usual: dict[str, Any] = {"in_flight": 2, "waiting": 1, "hold": None}
    tally = Tally(planned=10, passed=3, failed=1, invalid=1)
    progress.show(tally, **usual | changes)


def test_progress_redraws_one_line_of_a_terminal() -> None:
    """
    Within its width, again and again, and nothing is left at the end.
    """
    stream, time = io.StringIO(), VirtualTime()
    progress = Progress(stream, columns=40, clock=time)
    progress.begin(simulated=True)
    for _ in range(5):
        show(progress)
        time.now_s += 1
    progress.close()
    drawn = stream.getvalue().split("\r")

    assert "\n" not in stream.getvalue()
    assert all(len(line) < 40 for line in drawn)
    assert drawn[1].startswith("simulated")
    assert "" == drawn[-1]
    assert "" == drawn[-2].strip()


def test_progress_in_a_log_is_a_line_now_and_then() -> None:
    """
    Without a terminal a line every ten seconds is enough.
    """
    stream, time = io.StringIO(), VirtualTime()
    progress = Progress(stream, columns=None, clock=time)
    progress.begin(simulated=False)
    for _ in range(100):
        show(progress, hold=Hold(why="paused by the service", wait_s=7.0))
        time.now_s += 0.25
    progress.close()
    lines = stream.getvalue().splitlines()

    assert 2 == len(lines)
    assert "5/10" in lines[0]
    for part in ("pass 3", "fail 1", "invalid 1", "in flight 2", "paused"):
        assert part in lines[0]
