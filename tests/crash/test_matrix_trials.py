"""
Rows 37 to 41 of the fault matrix: attempts that fail, services that misbehave.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes.invariants import check_invariants, of_kind
from fakes.raw_server import RawServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.raw_server import Peer
    from fakes.running import Running
    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

MOST_WAIT_S = 660  # Ten minutes, and a tenth so that not all come back at once.


def _start_against(scene: Scene, server: RawServer, **given: Any) -> Running:
    """
    Start a run of the Messages API at *server*; the key is the planted secret.
    """
    words = scene.simulated(**{"loops": 1, **given})
    words[words.index("--backend") + 1] = "messages"
    place = words.index("--simulator")
    words[place : place + 2] = ["--model", "claude-haiku-4-5", "--prompt", "Say hello"]
    environ = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": scene.secret}
    return scene.start(*words, environ=environ)


def _error(scene: Scene, status: str, extra: str = "") -> bytes:
    """
    Return an error of the API that says the key back.
    """
    body = f'{{"type":"error","error":{{"type":"e","message":"key {scene.secret}"}}}}'
    return answer(body.encode(), status=status, extra=extra)


def test_row_37_trial_that_recovers_is_counted_once_with_all_its_attempts(
    scene: Scene,
) -> None:
    """
    Two failures, then an answer: three attempts, one trial, and the summary says so.
    """
    steps: list[dict[str, Any]] = [
        {"status": 529},
        {"drop": "middle"},
        {"text": f"Hello {scene.secret}"},
    ]
    ended = scene.run(*scene.scripted(*steps, loops=1))
    events = check_invariants(scene, ended)
    attempts = of_kind(events, "attempt_finished")
    (trial,) = of_kind(events, "trial_finished")
    summary = (scene.out / "summary.md").read_text()

    assert ended.code == 0, ended.console
    assert [bool(one["kind"]) for one in attempts] == [True, True, False]
    assert trial["attempts"] == 3
    assert events[-1]["counts"]["passed"] == 1
    assert "more than one attempt" in summary


@pytest.mark.parametrize(
    ("header", "least_s", "most_s"),
    [
        ("2", 2, 2.2),
        ("1e9", 600, MOST_WAIT_S),
        ("inf", 0, 60),
        ("nan", 0, 60),
        ("-1", 0, 60),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 600, MOST_WAIT_S),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 60),
        ("soon, I promise", 0, 60),
        ("\u0663", 0, 60),
    ],
)
def test_row_38_any_retry_after_is_a_wait_within_the_cap(
    scene: Scene, header: str, least_s: float, most_s: float
) -> None:
    """
    A number, a date or nonsense: clamped to ten minutes, never negative, never a crash.
    """

    def refuse(peer: Peer) -> None:
        while peer.request():
            extra = f"Retry-After: {header}\r\n".encode().decode("latin-1")
            peer.send(_error(scene, "429 Too Many Requests", extra))

    with RawServer(refuse) as server:
        running = _start_against(scene, server)
        running.wait_for("attempt_finished")
        running.signal(signal.SIGINT)
        ended = running.end()
    events = check_invariants(scene, ended)
    attempt = of_kind(events, "attempt_finished")[0]

    assert ended.code == 130, ended.console
    assert attempt["kind"] == "rate-limit"
    assert least_s <= attempt["retry_in_s"] <= most_s


@pytest.mark.parametrize(
    ("steps", "code", "said", "attempts"),
    [
        ([{"status": 529, "retry_after_s": 0}], 3, "529", 3),
        ([{"status": 500}], 3, "500", 3),
        ([{"drop": "before"}], 3, "network", 3),
        ([{"status": 401}], 3, "401", 1),
        ([{"text": "Goodbye"}], 1, "Goodbye", 1),
    ],
    ids=["overloaded", "server error", "dropped", "wrong key", "wrong answer"],
)
def test_row_39_failing_for_ever_is_3_for_infrastructure_and_1_for_wrong_answers(
    scene: Scene, steps: list[dict[str, Any]], code: int, said: str, attempts: int
) -> None:
    """
    When every attempt fails the last error is shown, and the exit code tells whose.
    """
    words = scene.scripted(*steps, loops=1, max_attempts=3)
    ended = scene.run(*words)
    events = check_invariants(scene, ended)

    assert ended.code == code, ended.console
    assert len(of_kind(events, "attempt_finished")) == attempts
    assert said in ended.console


def _half_open(peer: Peer) -> None:
    peer.request()
    peer.hold()


def _slow_drip(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    while True:
        peer.send(b":\n")
        time.sleep(0.02)


def _reset(peer: Peer) -> None:
    peer.request()
    peer.reset()


def _too_short(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nevent: ping\n\n")


def _no_http(peer: Peer) -> None:
    peer.request()
    peer.send(b"\0\xff\r\n\r\n" * 100)


@pytest.mark.parametrize(
    "talk",
    [_half_open, _slow_drip, _reset, _too_short, _no_http],
    ids=lambda talk: talk.__name__.strip("_"),
)
def test_row_40_connection_that_goes_wrong_ends_at_the_attempts_deadline(
    scene: Scene, talk: Callable[[Peer], None]
) -> None:
    """
    Half open, dripping, reset, too short or no HTTP at all: invalid and exit 3.
    """
    with RawServer(talk) as server:
        running = _start_against(scene, server, timeout=1, max_attempts=2)
        ended = running.end()
    events = check_invariants(scene, ended)
    kinds = {one["kind"] for one in of_kind(events, "attempt_finished")}

    assert ended.code == 3, ended.console
    assert kinds <= {"network", "no-response", "server-error"}
    assert len(of_kind(events, "attempt_finished")) == 2


def test_row_41_outage_is_met_with_bounded_spread_attempts_and_an_early_stop(
    scene: Scene,
) -> None:
    """
    Fifty trials against 503: the run stops early, and nobody comes back in step.
    """
    words = scene.scripted(
        {"status": 503}, loops=50, parallel=True, max_attempts=5, quiet=True
    )
    ended = scene.start(*words).end(hang_s=200)
    events = check_invariants(scene, ended)
    attempts = of_kind(events, "attempt_finished")
    waits = [one["retry_in_s"] for one in attempts if one["retry_in_s"] is not None]
    started = {one["trial"] for one in of_kind(events, "trial_started")}

    assert ended.code == 3, ended.console
    assert events[-1]["stopped_by"] == "outage"
    assert len(attempts) < 150  # All of them would be two hundred and fifty.
    assert len(set(waits)) > len(waits) / 2
    assert started == {one["trial"] for one in of_kind(events, "trial_finished")}
