"""
The process door against real programs: what goes in, what comes out, how it ends.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.programs import PATH, run, run_sh
from hypothesis import given, settings, strategies as st

from reliability.process import ProgramError, stop_everything

if TYPE_CHECKING:
    from collections.abc import Iterator

arguments = st.text(
    st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=30
)


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    """
    After each test, no child of ours is left to stop.
    """
    yield

    assert 0 == stop_everything()


def test_every_exit_code_is_passed_through() -> None:
    """
    0 to 255 arrive as they are.
    """
    codes = [run_sh(f"exit {code}").exit_code for code in range(256)]

    assert list(range(256)) == codes


@pytest.mark.parametrize(
    "number",
    sorted(
        signal.valid_signals()
        - {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
        - {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
    ),
)
def test_every_deadly_signal_is_passed_through(number: int) -> None:
    """
    A child that dies of a signal is told by that signal's negative number.
    """
    report = run_sh(f"ulimit -c 0; kill -{int(number)} $$")

    assert -number == report.exit_code
    assert report.describe_exit().startswith("killed ")


@settings(max_examples=40, deadline=None)
@given(st.lists(arguments, min_size=1, max_size=5))
def test_arguments_arrive_exactly(argv: list[str]) -> None:
    """
    No quote, blank, newline, dollar or dash is interpreted on the way.
    """
    report = run("sh", "-c", r'printf "%s\0" "$@"', "sh", *argv)

    assert b"".join(os.fsencode(word) + b"\0" for word in argv) == report.stdout.head


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_stdin_arrives_exactly(prompt: bytes) -> None:
    """
    Any bytes can be a prompt, and the end of file follows them.
    """
    assert prompt == run("cat", stdin=prompt).stdout.head


def test_prompt_of_one_mebibyte_passes_both_ways() -> None:
    """
    A prompt larger than a pipe neither blocks nor loses a byte.
    """
    prompt = random.Random(1).randbytes(2**20)

    assert prompt == run("cat", stdin=prompt, cap_bytes=2**21).stdout.head


def test_unread_prompt_is_no_error() -> None:
    """
    A child that ends without reading its prompt is judged by its own code.
    """
    assert 7 == run_sh("exit 7", stdin=b"x" * 2**20).exit_code


def test_closed_stdin_does_not_end_the_child() -> None:
    """
    A child that closes stdin and runs on is heard to its end.
    """
    report = run_sh("exec <&-; sleep 0.05; echo done", stdin=b"x" * 2**20)

    assert (b"done\n", 0) == (report.stdout.head, report.exit_code)


def test_child_without_prompt_sees_the_end_of_file() -> None:
    """
    Who waits for stdin does not wait for ever.
    """
    assert 0 == run("cat").exit_code


def test_both_outputs_are_drained_at_once() -> None:
    """
    A mebibyte on each output, interleaved, makes no deadlock.
    """
    report = run_sh(
        "i=0; while [ $i -lt 16 ]; do head -c 65536 /dev/zero;"
        " head -c 65536 /dev/zero >&2; i=$((i+1)); done"
    )

    assert (2**20, 2**20) == (report.stdout.total_bytes, report.stderr.total_bytes)


def test_endless_output_does_not_grow_memory() -> None:
    """
    A flood is drained and counted, not kept: with lines, and in one endless line.
    """
    lines = itertools.count()
    tracemalloc.start()
    report = run_sh(
        "yes | head -c 200000; head -c 20000000 /dev/zero; echo",
        cap_bytes=1000,
        on_stdout_line=lambda _: next(lines) and None,
    )
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 20_200_001 == report.stdout.total_bytes
    assert (100_000, 1) == (next(lines), report.dropped_lines)
    assert peak_bytes < 12 * 2**20


def test_child_that_closes_its_outputs_still_has_a_deadline() -> None:
    """
    Silence is not an end: the child is waited for and then stopped.
    """
    report = run_sh("exec >&- 2>&-; exec sleep 60", timeout_s=0.1)

    assert (True, -signal.SIGTERM) == (report.timed_out, report.exit_code)


def test_environment_is_what_was_given_and_the_cookie() -> None:
    """
    Nothing of our own environment reaches the child.
    """
    report = run("env", env={"PATH": PATH, "A": "1\n2"}, cookie="c-1")

    assert {b"PATH=" + PATH.encode(), b"A=1", b"2", b"RELIABILITY_TRIAL_ID=c-1"} == set(
        report.stdout.head.splitlines()
    )


def test_child_starts_in_its_folder_and_session(tmp_path: Path) -> None:
    """
    The child leads a session of its own, in the folder that it was given.
    """
    report = run_sh("pwd; ps -o sid= -p $$", cwd=tmp_path)
    folder, session = report.stdout.head.decode().split()

    assert (str(tmp_path), report.pid) == (folder, int(session))


def test_no_file_of_ours_reaches_the_child() -> None:
    """
    Only 0, 1 and 2 are open in a child, even if we hold inheritable files.
    """
    read_fd, write_fd = os.pipe()
    os.set_inheritable(write_fd, True)
    report = run_sh("ls /proc/$$/fd")
    os.close(read_fd)
    os.close(write_fd)

    assert b"0\n1\n2\n" == report.stdout.head


def test_cancel_in_mid_run_lets_the_child_end_in_its_own_way() -> None:
    """
    The child gets SIGTERM, and what it says in its grace is kept.
    """
    cancel = threading.Event()
    report = run_sh(
        "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done",
        cancel=cancel,
        on_stdout_line=lambda _: cancel.set(),
    )

    assert (True, False, 5) == (report.cancelled, report.timed_out, report.exit_code)
    assert b"ready\nbye\n" == report.stdout.head


def test_last_words_in_an_enlarged_pipe_are_kept() -> None:
    """
    What a child wrote at its very end is read even if one read does not hold it.
    """
    source = """if True:
        import fcntl, os, signal
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 2**20)
        def end(*_):
            os.write(1, bytes(2**19))
            os._exit(0)
        signal.signal(signal.SIGTERM, end)
        os.write(1, b"ready\\n")
        signal.pause()
    """
    cancel = threading.Event()
    report = run(
        sys.executable,
        *("-I", "-S", "-c", source),
        cancel=cancel,
        on_stdout_line=lambda _: cancel.set(),
    )

    assert (0, 6 + 2**19) == (report.exit_code, report.stdout.total_bytes)


def test_child_that_ignores_the_request_is_killed() -> None:
    """
    SIGKILL follows SIGTERM after the grace, for the child and for its group.
    """
    cancel = threading.Event()
    report = run_sh(
        "trap '' TERM; echo ready; while :; do sleep 0.01; done",
        cancel=cancel,
        on_stdout_line=lambda _: cancel.set(),
        grace_s=0.1,
    )

    assert (True, -signal.SIGKILL) == (report.cancelled, report.exit_code)


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_error_in_the_line_callback_ends_the_child(kind: type[BaseException]) -> None:
    """
    The exception is raised here, after the child is gone.
    """
    pids = []

    def fail(line: bytes) -> None:
        pids.append(int(line))
        raise kind

    with pytest.raises(kind):
        run_sh(
            "trap 'echo 1; exit' TERM; echo $$; sleep 60 & wait", on_stdout_line=fail
        )

    assert not Path(f"/proc/{pids[0]}").exists()
    assert 1 == len(pids)


def test_error_in_the_started_callback_ends_the_child() -> None:
    """
    A caller that gives up at the start leaves nothing running.
    """

    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run("sleep", "60", on_started=fail)


def test_started_is_told_once_the_program_runs() -> None:
    """
    The callback comes before the end and only for a program that started.
    """
    told: list[str] = []
    run("true", on_started=lambda: told.append("true"))
    with pytest.raises(ProgramError):
        run("no-such-program", on_started=lambda: told.append("no"))

    assert ["true"] == told
