"""
Fifty agents at once that do everything an agent must not.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fakes.folders import picture
from fakes.invariants import check_invariants, of_kind

if TYPE_CHECKING:
    from fakes.scenes import Scene

pytestmark = pytest.mark.crash

AGENTS = 50
FLOOD_BYTES = 30_000_000
MOST_KIB = AGENTS * 8 * 1024
# A worker holds the first and last mebibyte of an answer, and that a few times while it
# is written; fifty floods would be 1.5 GB.


@pytest.mark.skipif(os.geteuid() != 0, reason="the fence around files needs root")
def test_fifty_hostile_agents_leave_no_process_no_file_and_no_memory(
    scene: Scene,
) -> None:
    """
    Daemons, deaf to SIGTERM, floods of output, writes outside: the run ends unharmed.
    """
    (scene.workspace / "kept.txt").write_text("as it was")
    (scene.workspace / "folder").mkdir()
    script = f"""
        trap '' TERM HUP INT
        for n in 1 2 3; do
            setsid sh -c "trap '' TERM; sleep 300" >/dev/null 2>&1 &
        done
        (setsid sleep 300 &)
        for place in '{scene.workspace}' '{scene.out}' /etc /root; do
            echo bad > "$place/bad" ; rm -rf "$place/kept.txt"
        done 2>/dev/null
        rm -rf ./* 2>/dev/null
        head -c {FLOOD_BYTES} /dev/zero | tr '\\0' x
        sleep 300
    """
    words = scene.command(
        script, loops=AGENTS, parallel=True, max_workers=AGENTS, timeout=20
    )
    before = picture(scene.workspace)
    ended = scene.start(*words).end(hang_s=240)
    events = check_invariants(scene, ended)
    attempts = of_kind(events, "attempt_finished")

    assert ended.code == 1, ended.console
    assert len(attempts) == AGENTS
    assert {"timeout"} == {attempt["kind"] for attempt in attempts}
    assert all(attempt["evidence"]["swept_processes"] >= 4 for attempt in attempts)
    assert picture(scene.workspace) == before
    assert ended.peak_kib < MOST_KIB
