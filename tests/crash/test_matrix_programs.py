"""
Rows 25 to 30 of the fault matrix: how agents are fed, how they end, what cannot start.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from fakes.faults import limited
from fakes.invariants import check_invariants, of_kind, text_of

if TYPE_CHECKING:
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

# Under nohup children inherit that SIGHUP is ignored, and do not die of it.
_IGNORED = {n for n in (signal.SIGHUP,) if signal.getsignal(n) is signal.SIG_IGN}
DEADLY = tuple(
    number
    for number in (
        1,
        2,
        3,
        4,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        24,
        25,
        26,
        27,
        29,
        30,
        31,
    )
    if number not in _IGNORED
)
LONG_BYTES = 131_072  # One argument of this length is more than Linux takes.

# Trials 1 to 256 end with codes 0 to 255, the later ones by a signal each.
_ALL_ENDS = f"""
ulimit -c 0
trial=${{RELIABILITY_TRIAL_ID#*-}}
trial=${{trial%-*}}
echo Hello
[ "$trial" -gt 256 ] || exit $((trial - 1))
set -- {" ".join(map(str, DEADLY))}
shift $((trial - 257))
kill -"$1" $$
sleep 600
"""


@pytest.mark.parametrize("command", ["sh agent.sh", "sh agent.sh {prompt_file}"])
def test_row_25_agent_that_reads_stdin_sees_its_end_at_once(
    scene: Scene, command: str
) -> None:
    """
    The prompt and then end of file; with a prompt file, end of file alone.
    """
    script = 'cat; [ $# -eq 0 ] || cat "$1"; echo "; Hello"'
    words = scene.command(
        script, prelude="", command=command, prompt="How are you?", loops=1
    )
    ended = scene.run(*words)
    (attempt,) = of_kind(check_invariants(scene, ended), "attempt_finished")

    assert ended.code == 0, ended.console
    assert attempt["answer"] == "How are you?; Hello"


def test_row_26_every_exit_code_and_signal_is_passed_through(scene: Scene) -> None:
    """
    Codes 0 to 255 and every deadly signal: kept as they were, each signal named.
    """
    loops = 256 + len(DEADLY)
    words = scene.command(
        _ALL_ENDS,
        prelude="",
        loops=loops,
        parallel=True,
        max_workers=4,
        max_attempts=1,
        quiet=True,
    )
    ended = scene.run(*words)
    events = check_invariants(scene, ended)
    attempts = {one["trial"]: one for one in of_kind(events, "attempt_finished")}
    codes = [attempts[trial]["exit_code"] for trial in range(1, loops + 1)]

    assert ended.code == 1
    assert codes == [*range(256), *(-number for number in DEADLY)]
    for trial, number in enumerate(DEADLY, 257):
        assert signal.Signals(number).name in attempts[trial]["reason"]


@pytest.mark.parametrize("end", ["kill -9 $$", "exit 137"])
def test_row_27_agent_that_is_killed_from_outside_is_told_with_the_usual_cause(
    scene: Scene, end: str
) -> None:
    """
    SIGKILL that is not ours is told as a lack of memory, and the other trials go on.
    """
    script = f"""
    case $RELIABILITY_TRIAL_ID in *-2-*) {end} ;; esac
    echo Hello
    """
    ended = scene.run(*scene.command(script, max_attempts=1))
    events = check_invariants(scene, ended)
    outcomes = [one["outcome"] for one in of_kind(events, "trial_finished")]
    (attempt,) = [one for one in of_kind(events, "attempt_finished") if one["reason"]]

    assert ended.code != 0
    assert outcomes[0] == outcomes[2] == "pass"
    assert "SIGKILL" in attempt["reason"]
    assert "memory" in attempt["reason"]


def test_row_28_too_many_open_files_name_the_limit_and_start_nothing_by_half(
    scene: Scene,
) -> None:
    """
    Forty files for twenty workers: exit 3 with the limit; each started trial has ended.
    """
    words = scene.command(
        "sleep 2; echo Hello", loops=20, parallel=True, max_workers=20, max_attempts=1
    )
    ended = scene.run(*words, prefix=limited("--nofile=40"))
    events = check_invariants(scene, ended)
    started = {one["trial"] for one in of_kind(events, "trial_started")}
    finished = {one["trial"]: one for one in of_kind(events, "trial_finished")}
    refused = [one for one in finished.values() if one["outcome"] == "invalid"]

    assert ended.code == 3, ended.console
    assert started == set(finished)
    assert refused
    assert any("RLIMIT_NOFILE" in one["reason"] for one in refused)
    assert "RLIMIT_NOFILE" in ended.console


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("no-such-program-here", "PATH is"),
        ("./not-executable", "may not be executed"),
        ("./of-another-machine", "of this machine's kind"),
        ("./without-interpreter", "interpreter"),
    ],
)
def test_row_29_program_that_cannot_run_stops_the_run_without_another_attempt(
    scene: Scene, program: str, said: str
) -> None:
    """
    Missing, not executable, of another machine: exit 3 with the reason, tried once.
    """
    for name, content, mode in (
        ("not-executable", b"#!/bin/sh\necho Hello\n", 0o644),
        ("of-another-machine", b"\x7fELF\x02\x01\x01" + bytes(57), 0o755),
        ("without-interpreter", b"#!/no/such/sh\necho Hello\n", 0o755),
    ):
        (scene.workspace / name).write_bytes(content)
        (scene.workspace / name).chmod(mode)
    ended = scene.run(*scene.command("", command=program))
    is_found = bool(scene.logs())
    events = check_invariants(scene, ended, log="locked" if is_found else "absent")

    assert ended.code == 3, ended.console
    assert said in ended.console
    assert len(of_kind(events, "attempt_finished")) <= 1


@pytest.mark.parametrize("size_bytes", [LONG_BYTES, 4 * LONG_BYTES])
def test_row_30_prompt_longer_than_an_argument_may_be_arrives_whole(
    scene: Scene, size_bytes: int
) -> None:
    """
    It goes by standard input, or in the file that the command asks for.
    """
    prompt = scene.workspace / "prompt.txt"
    prompt.write_text("x" * size_bytes)
    for command in ("sh agent.sh", "sh agent.sh {prompt_file}"):
        script = 'cat "$@" | wc -c; echo Hello'
        ended = scene.run(
            *scene.command(
                script, prelude="", command=command, prompt_file=prompt, loops=1
            )
        )
        events = check_invariants(scene, ended)
        (attempt,) = of_kind(events, "attempt_finished")

        assert ended.code == 0, ended.console
        assert text_of(scene, attempt, "answer").split() == [str(size_bytes), "Hello"]


def test_row_30_nul_in_a_prompt_is_refused_before_anything_is_called(
    scene: Scene,
) -> None:
    """
    A NUL in a prompt's file is a mistake in the options: exit 2, no log, no call.
    """
    called = scene.board / "called"
    prompt = scene.workspace / "prompt.txt"
    prompt.write_bytes(b"Say\0hello")
    ended = scene.run(*scene.command(f"touch {called}", prompt_file=prompt))
    check_invariants(scene, ended, log="absent")

    assert ended.code == 2
    assert "NUL" in ended.stderr
    assert not called.exists()


def test_row_30_lone_surrogate_is_escaped_in_log_and_reports(scene: Scene) -> None:
    """
    A byte that is no UTF-8, in the prompt and in the answer: shown, nothing breaks.
    """
    prompt = os.fsdecode(b"Say \xff and \xed\xa0\x80 please")
    script = "cat >/dev/null; printf 'Hello \\377 \\355\\240\\200\\n'"
    ended = scene.run(*scene.command(script, prelude="", prompt=prompt, loops=1))
    events = check_invariants(scene, ended)

    assert ended.code == 0, ended.console
    assert events[0]["prompt"] == prompt
    for path in scene.out.iterdir():
        path.read_text(encoding="utf-8")
