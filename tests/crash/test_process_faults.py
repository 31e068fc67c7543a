"""
The process door under faults of the system and hostile programs: slow ones.

Faults of system calls are injected by strace into a Python that runs one child.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.programs import is_running, run, run_sh, unique_sleep

from reliability.process import stop_everything

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.crash

needs_strace = pytest.mark.skipif(
    not shutil.which("strace"), reason="strace injects the fault"
)

HOST = """
import signal, sys
from fakes.programs import run_sh
from reliability.process import stop_everything
{before}
try:
    report = run_sh(sys.argv[1], timeout_s=5)
    print(report.exit_code, report.swept, stop_everything())
except Exception as error:
    print(type(error).__name__, error)
"""


def run_host(script: str, *prefix: str, before: str = "") -> str:
    """
    Run one shell script through the door of another Python; say what it reported.
    """
    host = [sys.executable, "-c", HOST.format(before=before), script]
    done = subprocess.run(
        [*prefix, *host],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@needs_strace
@pytest.mark.parametrize(
    ("inject", "expected"),
    [
        ("pidfd_open:error=ENOSYS", "3 1 0"),
        ("pidfd_open:error=EMFILE", "3 1 0"),
        ("prctl:error=EPERM", "3 1 0"),
        ("sched_setscheduler:error=EPERM", "3 1 0"),
    ],
)
def test_missing_system_call_costs_no_promise(inject: str, expected: str) -> None:
    """
    Without a pidfd, a subreaper or the mark, the code arrives and the daemon goes.
    """
    sleep = unique_sleep()
    trace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={inject}")
    said = run_host(f"setsid {sleep} </dev/null >/dev/null 2>&1 & exit 3", *trace)

    assert expected == said
    assert not is_running(sleep)


@needs_strace
def test_group_is_killed_even_where_nobody_can_be_adopted() -> None:
    """
    Without a subreaper and without a cookie, the group is still one.
    """
    sleep = unique_sleep()
    trace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=prctl:error=EPERM")
    said = run_host(
        f"env -i {sleep} </dev/null >/dev/null 2>&1 & sleep 0.2; exit 3", *trace
    )

    assert said.startswith("3 ")
    assert not is_running(sleep)


@needs_strace
@pytest.mark.parametrize(
    ("number", "words"), [("ENOMEM", "no memory left"), ("EAGAIN", "RLIMIT_NPROC")]
)
def test_refused_fork_names_the_limit(number: str, words: str) -> None:
    """
    A fork that the system refuses is a measuring problem with a name.
    """
    calls = "vfork,fork,clone,clone3"
    trace = ("strace", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:error={number}")
    said = run_host("exit 0", *trace)

    assert said.startswith("MeasureError Cannot start 'sh'")
    assert words in said


def test_host_that_ignores_sigchld_gets_no_made_up_code() -> None:
    """
    Where the system reaps for us the code is lost, and is told as lost, not as 0.
    """
    before = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"

    assert run_host("exit 3", before=before) == "None 0 0"


def test_forked_host_sweeps_for_itself() -> None:
    """
    A fork of the host adopts its own orphans, and touches none of the host's.
    """
    sleep = unique_sleep()
    before = "import os; run_sh('true'); os.fork() and sys.exit(os.wait()[1])"
    said = run_host(
        f"setsid {sleep} </dev/null >/dev/null 2>&1 & exit 3", before=before
    )

    assert said == "3 1 0"
    assert not is_running(sleep)


def test_flood_until_the_deadline_leaves_memory_flat() -> None:
    """
    Gigabytes with and without newlines cost next to no memory.
    """
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = run("yes", timeout_s=1, on_stdout_line=lambda _: None)
    blank = run_sh("yes | tr -d '\\n'", timeout_s=1, on_stdout_line=lambda _: None)
    after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert (lines.timed_out, blank.timed_out) == (True, True)
    assert lines.stdout.dropped_bytes > 0
    assert blank.stdout.dropped_bytes > 0
    assert after_kib - before_kib < 32 * 1024


def test_bomb_of_sessions_is_swept() -> None:
    """
    Two hundred processes, each in a session of its own and one below the other.
    """
    sleep = unique_sleep()
    script = 'if [ "$1" -gt 0 ]; then setsid sh -c "$0" "$0" $(($1 - 1)) & fi; ' + sleep
    cancel = threading.Event()
    report = run(
        "sh",
        "-c",
        f'setsid sh -c "$1" "$1" 200 & until [ "$(pgrep -fxc "{sleep}")" -ge 200 ];'
        " do sleep 0.1; done; echo up; sleep 60",
        "sh",
        script,
        cancel=cancel,
        on_stdout_line=lambda _: cancel.set(),
        timeout_s=60,
    )

    assert report.cancelled
    assert report.swept >= 200
    assert not is_running(sleep)


def test_many_children_at_once_leave_nobody() -> None:
    """
    Five hundred children on sixteen threads, a fifth with daemons of every kind.
    """
    sleep = unique_sleep()
    scripts = [
        "exit 1",
        "exit 2",
        "exit 3",
        f"setsid {sleep} </dev/null >/dev/null 2>&1 & exit 4",
        f"env -i setsid {sleep} </dev/null >/dev/null 2>&1 & exit 5",
    ] * 100
    with ThreadPoolExecutor(16) as pool:
        codes = [report.exit_code for report in pool.map(run_sh, scripts)]

    assert codes == [1, 2, 3, 4, 5] * 100
    assert not is_running(sleep)
    assert stop_everything() == 0


def test_hundred_kills_in_mid_run_leave_nobody() -> None:
    """
    A hundred cancels at different moments, with a tool in a session of its own.
    """
    sleep = unique_sleep()
    for number in range(100):
        cancel = threading.Event()
        timer = threading.Timer(number / 5000, cancel.set)
        timer.start()
        run_sh(f"setsid {sleep} & trap '' TERM; wait", cancel=cancel, grace_s=0.02)
        timer.join()

        assert not is_running(sleep)
