"""
Nobody outlives a child, and nobody else is touched: real daemons of every make.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from fakes.programs import is_running, run, run_sh, unique_sleep, wait_until

from reliability.process import ChildReport, stop_everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLOSED = "</dev/null >/dev/null 2>&1"

DAEMONS = {
    "in the group": f"{{}} {CLOSED} &",
    "own session": f"setsid {{}} {CLOSED} &",
    "double fork": f"(setsid sh -c '{{}} & exit' {CLOSED} &);",
    "clean environment": f"env -i setsid {{}} {CLOSED} &",
    "clean double fork": f"env -i setsid sh -c '{{}} & exit' {CLOSED} & sleep 0.05;",
    "ignores all": f"setsid sh -c 'trap \"\" TERM HUP INT; {{}}; :' {CLOSED} &",
}

every_daemon = pytest.mark.parametrize("kind", list(DAEMONS))


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    """
    After each test, no child of ours is left to stop.
    """
    yield

    assert 0 == stop_everything()


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], ChildReport]], list[ChildReport]]]:
    """
    Run something in a thread of its own; its report arrives in the list.
    """
    threads = []

    def start(call: Callable[[], ChildReport]) -> list[ChildReport]:
        reports: list[ChildReport] = []
        thread = threading.Thread(target=lambda: reports.append(call()))
        threads.append(thread)
        thread.start()
        return reports

    yield start
    for thread in threads:
        thread.join()


@every_daemon
def test_daemon_does_not_outlive_its_child(kind: str) -> None:
    """
    Whatever a child leaves behind is found and killed when it ends.
    """
    sleep = unique_sleep()
    report = run_sh(DAEMONS[kind].format(sleep) + " exit 4")

    assert 4 == report.exit_code
    assert not is_running(sleep)


@every_daemon
def test_daemon_does_not_outlive_a_cancel(kind: str) -> None:
    """
    The same holds for a child that is stopped.
    """
    sleep = unique_sleep()
    cancel = threading.Event()
    report = run_sh(
        DAEMONS[kind].format(sleep) + " echo ready; sleep 60",
        cancel=cancel,
        on_stdout_line=lambda _: cancel.set(),
    )

    assert report.cancelled
    assert not is_running(sleep)


def test_child_of_a_worker_thread_is_swept_too(
    in_thread: Callable[[Callable[[], ChildReport]], list[ChildReport]],
) -> None:
    """
    Orphans come to the main thread, and are found from any other.
    """
    reports = in_thread(lambda: run_sh(f"setsid {unique_sleep()} {CLOSED} &"))
    wait_until(lambda: bool(reports))

    assert [1] == [report.swept for report in reports]


def test_whole_tree_of_a_daemon_is_swept() -> None:
    """
    Each killed parent hands its children to us, until none is left.
    """
    sleep = unique_sleep()
    tree = f"{sleep} & {sleep} & setsid {sleep} & echo up; exec >&-; wait"
    report = run_sh(f"(setsid sh -c '{tree}' 2>&- &) | {{ read -r line; exit 6; }}")

    assert 6 == report.exit_code
    assert 4 == report.swept
    assert not is_running(sleep)


def test_pipe_held_by_a_stranger_does_not_hold_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A grandchild with our pipe in hand gets a moment, then an end.
    """
    monkeypatch.setattr("reliability.process.child.PIPE_END_LIMIT_S", 0.05)
    report = run_sh(f"setsid {unique_sleep()} & echo mine")

    assert (b"mine\n", 1) == (report.stdout.head, report.swept)


def test_last_words_of_a_pipeline_are_heard() -> None:
    """
    Who still writes when the child is gone is read for a moment before the sweep.
    """
    report = run_sh("(sleep 0.1; echo late) & echo early")

    assert b"early\nlate\n" == report.stdout.head


@every_daemon
def test_concurrent_children_do_not_sweep_each_other(
    kind: str,
    tmp_path: Path,
    in_thread: Callable[[Callable[[], ChildReport]], list[ChildReport]],
) -> None:
    """
    A daemon lives as long as its own child does, whoever else ends meanwhile.
    """
    sleep = unique_sleep()
    go = tmp_path / "go"
    elders = in_thread(
        lambda: run_sh(
            DAEMONS[kind].format(sleep) + f" until [ -e {go} ]; do sleep 0.01; done"
        )
    )
    wait_until(lambda: is_running(sleep))
    younger = run("true")
    is_alive = is_running(sleep)
    go.touch()
    wait_until(lambda: bool(elders))

    assert (0, True, False) == (younger.swept, is_alive, is_running(sleep))
    assert elders[0].swept > 0


@pytest.mark.parametrize("is_apart", [True, False])
def test_children_of_the_host_program_are_left_alone(*, is_apart: bool) -> None:
    """
    What the program around us started itself is neither killed nor reaped.
    """
    with (
        subprocess.Popen(["sleep", "60"], start_new_session=is_apart) as lasting,
        subprocess.Popen(["false"], start_new_session=is_apart, env={}) as brief,
    ):
        os.waitid(os.P_PID, brief.pid, os.WEXITED | os.WNOWAIT)
        swept = run_sh(f"setsid sleep 60 {CLOSED} &").swept
        stopped = stop_everything()
        states = (lasting.poll(), brief.wait())
        lasting.kill()

    assert (1, 0) == (swept, stopped)
    assert (None, 1) == states


def test_stop_everything_ends_running_children_and_their_daemons(
    in_thread: Callable[[Callable[[], ChildReport]], list[ChildReport]],
) -> None:
    """
    A call in another thread returns, and knows that its child was killed by us.
    """
    sleep = unique_sleep()
    reports = in_thread(lambda: run_sh(f"setsid {sleep} {CLOSED} & exec sleep 60"))
    wait_until(lambda: is_running(sleep))
    stopped = stop_everything()
    wait_until(lambda: bool(reports))

    assert stopped > 0
    assert -signal.SIGKILL == reports[0].exit_code
    assert (True, False) == (reports[0].cancelled, reports[0].was_killed)
    assert not is_running(sleep)


def test_orphan_that_could_be_an_elders_is_swept_with_the_elder(
    tmp_path: Path,
    in_thread: Callable[[Callable[[], ChildReport]], list[ChildReport]],
) -> None:
    """
    An orphan without a mark of its family waits for the oldest it might belong to.
    """
    sleep = unique_sleep()
    go = tmp_path / "go"
    elders = in_thread(
        lambda: run_sh(f"echo up; until [ -e {go} ]; do sleep 0.01; done")
    )
    run_sh(DAEMONS["clean environment"].format(sleep) + " sleep 0.05")
    is_alive = is_running(sleep)
    go.touch()
    wait_until(lambda: bool(elders))

    assert (True, False) == (is_alive, is_running(sleep))
