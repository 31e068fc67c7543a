"""
Rows 18 to 24 of the fault matrix: agents that stay, multiply, flood and fall silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes.faults import few_processes, needs_root, needs_strace, traced
from fakes.invariants import check_invariants, of_kind, text_of
from fakes.scenes import COOKIE_NAME, SECRET_NAME

if TYPE_CHECKING:
    from fakes.running import Ended
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

# Longer than anybody waits; its command line tells whose it is.
STAY = f"""sh -c 'sleep 600; :' "${COOKIE_NAME}" """
MOST_GROWTH_KIB = 64 * 1024


def _measured(scene: Scene, script: str, **given: Any) -> tuple[Ended, dict[str, Any]]:
    """
    Run one trial of an agent and return how the run and its attempt ended.
    """
    ended = scene.run(*scene.command(script, **{"loops": 1, **given}))
    events = check_invariants(scene, ended)
    (attempt,) = of_kind(events, "attempt_finished")
    return ended, attempt


@pytest.mark.parametrize("command", ["sh agent.sh", "sh -c 'sh agent.sh; exit 7'"])
def test_row_18_agent_that_ignores_sigterm_is_killed_after_the_grace(
    scene: Scene, command: str
) -> None:
    """
    Neither it nor its parent ends at SIGTERM: killed, counted as the agent's timeout.
    """
    script = "trap '' TERM; echo Hello; while :; do sleep 0.1; done"
    ended, attempt = _measured(scene, script, command=command, timeout=0.5)

    assert ended.code == 1
    assert attempt["kind"] == "timeout"
    assert attempt["exit_code"] == -9 or "7" in command


@pytest.mark.parametrize("code", [0, 5])
def test_row_19_grandchild_in_its_own_session_that_holds_the_pipe_is_swept(
    scene: Scene, code: int
) -> None:
    """
    It neither holds up the trial nor outlives it, and the agent's own end counts.
    """
    script = f"setsid {STAY} & echo Hello; exit {code}"
    ended, attempt = _measured(scene, script, timeout=300)

    assert ended.code == int(code > 0)
    assert attempt["exit_code"] == code
    assert attempt["evidence"]["swept_processes"] >= 1


@pytest.mark.parametrize(
    "start",
    [
        f"(setsid {STAY} &)",
        f"(env -i setsid {STAY} &)",
        f"setsid sh -c '(setsid sh -c \"sleep 600; :\" ${COOKIE_NAME} &) ; :' &",
        f"nohup {STAY} &",
    ],
    ids=["double fork", "clean environment", "two sessions", "nohup"],
)
def test_row_20_daemon_is_swept_when_its_parent_has_ended(
    scene: Scene, start: str
) -> None:
    """
    Double forks, cleaned environments, sessions below sessions: nobody stays.
    """
    script = f"exec 3>&1 >/dev/null 2>&1 </dev/null\n{start}\nsleep 0.2\necho Hello >&3"
    ended, attempt = _measured(scene, script)

    assert ended.code == 0, ended.console
    assert attempt["evidence"]["swept_processes"] >= 1


def test_row_21_bomb_of_two_hundred_forks_is_swept(scene: Scene) -> None:
    """
    Two hundred processes in sessions of their own, of four agents at once: none stays.
    """
    script = f"for n in $(seq 200); do setsid {STAY} >/dev/null 2>&1 & done; echo Hello"
    words = scene.command(script, loops=4, parallel=True, max_workers=4)
    ended = scene.run(*words)
    events = check_invariants(scene, ended)
    swept = [
        event["evidence"]["swept_processes"]
        for event in of_kind(events, "attempt_finished")
    ]

    assert ended.code == 0, ended.console
    assert len(swept) == 4
    assert sum(swept) >= 800


def test_row_21_bomb_that_meets_the_machines_limit_costs_no_verdict_of_ours(
    scene: Scene,
) -> None:
    """
    Where only 64 processes may be, agents fail or cannot start; we end, nobody stays.
    """
    script = (
        f"for n in $(seq 200); do setsid {STAY} >/dev/null 2>&1 & done; "
        "wait; echo Hello"
    )
    words = scene.command(
        script, loops=4, parallel=True, max_workers=4, max_attempts=2, timeout=2
    )
    with few_processes(64, scene.cookie) as prefix:
        ended = scene.run(*words, prefix=prefix)
        events = check_invariants(scene, ended)

    assert ended.code in {1, 3}, ended.console
    assert len(of_kind(events, "trial_finished")) == 4


def _refusing_forks(scene: Scene) -> list[str]:
    """
    Return the words that refuse each new process; threads come from clone3.
    """
    calls = "vfork,fork,clone"
    return traced(scene.folder / "trace", calls, f"{calls}:error=EAGAIN")


@needs_strace
def test_row_21_fork_that_is_refused_is_not_measured_and_names_the_limit(
    scene: Scene,
) -> None:
    """
    EAGAIN at each start of an agent: tried again as often as allowed, then exit 3.
    """
    words = scene.command("echo Hello", loops=1, max_attempts=2, run_as="root")
    ended = scene.run(*words, prefix=_refusing_forks(scene))
    events = check_invariants(scene, ended)
    attempts = of_kind(events, "attempt_finished")

    assert ended.code == 3
    assert len(attempts) == 2
    assert all("RLIMIT_NPROC" in attempt["reason"] for attempt in attempts)


@needs_root
@needs_strace
def test_row_21_fork_that_is_refused_before_the_first_trial_is_told(
    scene: Scene,
) -> None:
    """
    EAGAIN while the agent's user is looked at: exit 3 with the reason, and no log.
    """
    words = scene.command("echo Hello", loops=1)
    ended = scene.run(*words, prefix=_refusing_forks(scene))
    check_invariants(scene, ended, log="absent")

    assert ended.code == 3
    assert "Resource temporarily unavailable" in ended.stderr


def test_row_22_endless_output_keeps_head_tail_and_memory(scene: Scene) -> None:
    """
    Gigabytes without a newline: both ends are kept, the rest counted, memory flat.
    """
    quiet = scene.run(*scene.command("echo Hello", loops=1))
    script = f"""
    trap told=yes TERM
    flood() {{ head -c 4194304 /dev/zero | tr '\\0' y; }}
    echo THE-BEGINNING
    while [ -z "$told" ]; do flood; flood >&2; done
    echo; echo "THE-END ${SECRET_NAME}"
    """
    ended, attempt = _measured(scene, script, timeout=3)
    answer = text_of(scene, attempt, "answer")
    evidence = attempt["evidence"]

    assert attempt["kind"] == "timeout"
    assert ended.code == 1
    assert "THE-BEGINNING" in answer[:4096]
    assert "THE-END" in answer[-4096:]
    assert "yyyyyyyy" in answer
    for name in ("dropped_stdout_bytes", "dropped_stderr_bytes"):
        assert evidence[name] > MOST_GROWTH_KIB * 1024 / 2
    assert ended.peak_kib - quiet.peak_kib < MOST_GROWTH_KIB


@pytest.mark.parametrize("first", ["stdout", "stderr"])
def test_row_23_full_pipes_block_nobody(scene: Scene, first: str) -> None:
    """
    A mebibyte on each pipe before the end, one after the other: no deadlock, a pass.
    """
    size_bytes = 1024 * 1024 - 2000
    flood = f"head -c {size_bytes} /dev/zero | tr '\\0' x"
    order = [f"{flood}", f"{flood} >&2"]
    if first == "stderr":
        order.reverse()
    ended, attempt = _measured(scene, "; ".join([*order, "echo Hello"]))

    assert ended.code == 0, ended.console
    assert text_of(scene, attempt, "answer").count("x") >= size_bytes
    assert "xxx" in text_of(scene, attempt, "errors")


def test_row_24_agent_that_closes_its_outputs_still_has_a_deadline(
    scene: Scene,
) -> None:
    """
    End of file on both pipes is no end: the deadline ends it.
    """
    ended, attempt = _measured(scene, "exec >&- 2>&-; sleep 600; :", timeout=0.5)

    assert ended.code == 1
    assert attempt["kind"] == "timeout"
