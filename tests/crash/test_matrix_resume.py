"""
Rows 42 to 45 of the fault matrix: runs that go on, agents that cheat, tiny runs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes.faults import needs_strace, numbers_of, traced
from fakes.invariants import check_invariants, of_kind

from reliability.journal.line import seal

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.scenes import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


def _half_done(scene: Scene, words: list[str]) -> Path:
    """
    Leave the log of a run that was killed between its last trial and its end.
    """
    trace = scene.folder / "calibration"
    out, scene.out = scene.out, scene.folder / "whole"
    place = words.index("--output-dir") + 1
    whole = [*words[:place], str(scene.out), *words[place + 1 :]]
    check_invariants(scene, scene.run(*whole, prefix=traced(trace, "write")))
    last = numbers_of(trace, "write", ".jsonl")[-4]
    scene.out = out
    fault = f"write:signal=KILL:when={last}"
    ended = scene.run(*words, prefix=traced(scene.folder / "trace", "write", fault))
    check_invariants(scene, ended, log="torn")
    scene.sweep_temporary()
    return scene.log()


def _rewrite_version(log: Path) -> None:
    """
    Make a log one of another version of ours.
    """
    first, rest = log.read_bytes().split(b"\n", 1)
    event = json.loads(first)
    del event["crc32"]
    event["versions"]["reliability"] = "0.0.0-other"
    body = json.dumps(event, separators=(",", ":")).encode()
    log.write_bytes(seal(body) + rest)


@needs_strace
@pytest.mark.parametrize(
    ("what", "said"),
    [("prompt", "prompt"), ("agent", "agent.sh"), ("version", "was '0.0'")],
)
def test_row_42_resume_refuses_what_has_changed_and_says_what(
    scene: Scene, what: str, said: str
) -> None:
    """
    Another prompt, program or version than before: refused by name, nothing is called.
    """
    called = scene.board / "called"
    prompt = scene.workspace / "prompt.txt"
    prompt.write_text("Say hello.")
    script = f"echo called >>{called}; cat >/dev/null; echo Hello"
    words = scene.command(script, prelude="", prompt_file=prompt, quiet=True)
    log = _half_done(scene, words)
    if what == "prompt":
        prompt.write_text("Say goodbye.")
    elif what == "agent":
        (scene.workspace / "agent.sh").write_text("echo Hello, Hello")
    else:
        _rewrite_version(log)
    before = (called.read_text(), log.read_bytes())
    ended = scene.run("resume", log)

    assert ended.code == 2, ended.console
    assert said in ended.stderr
    assert (called.read_text(), log.read_bytes()) == before
    assert len(scene.logs()) == 1
    check_invariants(scene, ended, log="torn", is_run=False)


@needs_strace
def test_row_42_changed_trials_are_labelled_when_they_are_wanted(scene: Scene) -> None:
    """
    With `--allow-changed` the earlier trials count, and each says that it is another's.
    """
    prompt = scene.workspace / "prompt.txt"
    prompt.write_text("Say hello.")
    words = scene.command("cat >/dev/null; echo Hello", prompt_file=prompt, quiet=True)
    log = _half_done(scene, words)
    prompt.write_text("Say hello again.")
    ended = scene.run("resume", log, "--allow-changed")
    events = check_invariants(scene, ended)
    reused = of_kind(events, "trial_reused")

    assert ended.code == 0, ended.console
    assert reused
    assert all(one["changed"] for one in reused)
    assert events[0]["changed"]


@pytest.mark.parametrize(("profile", "code"), [("pass-rate=1", 0), ("pass-rate=0", 1)])
def test_row_43_resume_of_a_finished_run_does_nothing_with_the_same_code(
    scene: Scene, profile: str, code: int
) -> None:
    """
    Nothing is called, no log is begun, and the exit code is the run's own.
    """
    first = scene.run(*scene.simulated(profile, answer="Hello", quiet=True))
    check_invariants(scene, first)
    before = {path.name: path.read_bytes() for path in scene.out.glob("*.jsonl*")}
    ended = scene.run("resume", scene.log())
    after = {path.name: path.read_bytes() for path in scene.out.glob("*.jsonl*")}
    check_invariants(scene, ended)

    assert (first.code, ended.code) == (code, code), ended.console
    assert before == after


def test_row_44_what_one_trial_leaves_helps_no_other(scene: Scene) -> None:
    """
    Left in its folder, HOME or temporary folder: gone, and the workspace as it was.
    """
    script = """
    for place in . "$HOME" "$TMPDIR" ..; do
      [ ! -e "$place/cheat" ] || { echo "Hello from $place"; exit; }
    done
    for place in . "$HOME" "$TMPDIR" ..; do touch "$place/cheat" 2>/dev/null; done
    echo nothing to find
    """
    (scene.workspace / "kept.txt").write_text("mine")
    words = scene.command(script, loops=4)
    before = sorted(path.name for path in scene.workspace.iterdir())
    ended = scene.run(*words)
    events = check_invariants(scene, ended)
    answers = {one["answer"] for one in of_kind(events, "attempt_finished")}

    assert ended.code == 1, answers
    assert events[-1]["counts"]["failed"] == 4, answers
    assert sorted(path.name for path in scene.workspace.iterdir()) == before
    assert (scene.workspace / "kept.txt").read_text() == "mine"


def test_row_45_zero_trials_are_refused_before_anything_is_called(scene: Scene) -> None:
    """
    No trial proves nothing: exit 2, and no log.
    """
    ended = scene.run(*scene.simulated(loops=0))
    check_invariants(scene, ended, log="absent")

    assert ended.code == 2
    assert "loops" in ended.stderr


def test_row_45_nothing_scored_is_never_a_pass(scene: Scene) -> None:
    """
    Every trial invalid: exit 3, and no pass rate is made up.
    """
    words = scene.scripted({"status": 400}, loops=4, on_inconclusive="warn")
    ended = scene.run(*words)
    events = check_invariants(scene, ended)

    assert ended.code == 3, ended.console
    assert events[-1]["counts"]["invalid"] == 4
    assert "nothing was measured" in ended.stdout


def test_row_45_one_trial_passes_with_its_wide_interval(scene: Scene) -> None:
    """
    One passing trial is a pass that says how little it proves.
    """
    ended = scene.run(*scene.simulated(loops=1))
    check_invariants(scene, ended)
    results = json.loads((scene.out / "results.json").read_text())

    assert ended.code == 0
    assert "at least 5.0%" in ended.stdout
    assert "5.0%" in (scene.out / "summary.md").read_text()
    assert 0.04 < results["lower"] < 0.06
