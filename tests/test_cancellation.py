"""
How a run is asked to stop.
"""

from __future__ import annotations

import os
import signal
import threading

import pytest

from reliability.engine.cancellation import Cancellation, caught_signals


def test_the_first_signal_is_the_one_that_counts() -> None:
    """
    GitHub's SIGTERM after its SIGINT does not change the exit code.
    """
    cancellation = Cancellation()
    cancellation.request(signal.SIGINT)
    cancellation.request(signal.SIGTERM)

    assert signal.SIGINT == cancellation.signal_number


def test_every_request_wakes_everybody() -> None:
    """
    Whoever waits is told, each time.
    """
    woken: list[str] = []
    cancellation = Cancellation()
    cancellation.on_request(lambda: woken.append("one"))
    cancellation.on_request(lambda: woken.append("other"))
    cancellation.request()
    cancellation.request()

    assert ["one", "other"] * 2 == woken


def test_whoever_comes_after_the_request_is_told_at_once() -> None:
    """
    A signal in the first moment of a run is not missed.
    """
    woken: list[str] = []
    cancellation = Cancellation()
    cancellation.request()
    cancellation.on_request(lambda: woken.append("late"))

    assert ["late"] == woken


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_a_request_and_handlers_are_put_back(number: int) -> None:
    """
    Inside, the process lives on and knows the signal; outside, all is as before.
    """
    before = signal.getsignal(number)
    cancellation = Cancellation()
    with caught_signals(cancellation):
        os.kill(os.getpid(), number)

        assert number == cancellation.signal_number
    assert before == signal.getsignal(number)


def test_under_nohup_a_closed_terminal_is_ignored() -> None:
    """
    Whoever ignores SIGHUP for us wants the run to go on.
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    cancellation = Cancellation()
    try:
        with caught_signals(cancellation):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert not cancellation.requested


def test_a_run_in_another_thread_leaves_the_handlers_alone() -> None:
    """
    The library may be called from a thread, where Python allows no handlers.
    """
    seen: list[object] = []

    def call() -> None:
        """
        Enter as `run` does.
        """
        with caught_signals(Cancellation()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()

    assert [signal.getsignal(signal.SIGINT)] == seen
