"""
The command line, as processes of its own: output, exit codes, errors.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes.runs import (
    command_line,
    own_environ,
    python,
    scripted,
)

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess


GOOD = "latency=0,pass-rate=1"
BAD = "latency=0,pass-rate=0"
SIMULATED = ["--backend", "simulated", "--loops", "3", "--delay", "0"]


def run_line(
    folder: Path, *words: object, profile: str = GOOD, **more: str
) -> CompletedProcess[str]:
    """
    Run `reliability run` on the simulator.
    """
    options = [*SIMULATED, "--simulator", profile, "--expect", "Hello"]
    return command_line("run", "a", *options, *words, folder=folder, environ=more)


def test_a_passing_run_exits_0_and_shows_verdict_and_files(tmp_path: Path) -> None:
    """
    Table and file names are plain text on standard output; no complaint anywhere.
    """
    done = run_line(tmp_path)

    assert 0 == done.returncode, done.stderr
    assert "PASS (simulated)  All 3 trials passed" in done.stdout
    for name in ("results.json", "report.html", "summary.md", "junit.xml", ".jsonl"):
        assert name in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "reliability:" not in done.stderr


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"text": "Hello"}, 0),
        ({"text": "No."}, 1),
        ({"status": 401}, 3),
        ({"status": 400}, 3),
    ],
)
def test_the_exit_code_follows_the_verdict(
    step: dict[str, object], code: int, tmp_path: Path
) -> None:
    """
    Only what was measured is 0 or 1.
    """
    done = run_line(tmp_path, "--quiet", profile=scripted(tmp_path, step))

    assert code == done.returncode


def test_json_is_all_that_stands_on_standard_output(tmp_path: Path) -> None:
    """
    The same document as `results.json`, whatever the verdict.
    """
    done = run_line(tmp_path, "--json", profile=BAD)
    written = tmp_path / "reliability-results/results.json"

    assert 1 == done.returncode
    assert json.loads(done.stdout) == json.loads(written.read_text(encoding="utf-8"))
    assert "fail" == json.loads(done.stdout)["verdict"]


def test_quiet_leaves_the_verdict_alone(tmp_path: Path) -> None:
    """
    One line on standard output and none on standard error.
    """
    done = run_line(tmp_path, "--quiet")

    assert 1 == done.stdout.count("\n")
    assert done.stdout.startswith("PASS (simulated): All 3 trials passed")
    assert "" == done.stderr


def test_variables_stand_in_for_flags_and_flags_win(tmp_path: Path) -> None:
    """
    Everything can be given by the environment, the agent too.
    """
    environ = {
        "RELIABILITY_AGENT": "by-variable",
        "RELIABILITY_BACKEND": "simulated",
        "RELIABILITY_LOOPS": "4",
        "RELIABILITY_DELAY": "0",
        "RELIABILITY_SIMULATOR": GOOD,
        "RELIABILITY_JSON": "true",
        "RELIABILITY_QUIET": "true",
    }
    done = command_line("run", "--loops", "2", folder=tmp_path, environ=environ)
    said = json.loads(done.stdout)

    assert ("by-variable", 2) == (said["agent"], said["counts"]["planned"])
    assert "" == done.stderr


def test_all_wrong_options_are_named_and_nothing_is_called(tmp_path: Path) -> None:
    """
    Exit code 2, each problem on a line of its own, and no file.
    """
    done = run_line(tmp_path, "--loops", "none", "--timeout", "-1", "--filename", "a/b")
    lines = done.stderr.splitlines()

    assert 2 == done.returncode
    assert "" == done.stdout
    assert ["--loops", "--timeout", "--filename"] == [line.split()[1] for line in lines]
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [["run", "a", "--lops", "3"], ["rn"], ["run", "a", "b"], ["verify"], [], ["show"]],
)
def test_a_line_that_is_not_understood_exits_2(
    words: list[str], tmp_path: Path
) -> None:
    """
    Unknown flags and commands, and words too many or too few.
    """
    done = command_line(*words, folder=tmp_path)

    assert 2 == done.returncode
    assert "Usage:" in done.stderr


def test_a_hostile_value_is_shown_without_acting(tmp_path: Path) -> None:
    """
    An error message prints no control character and no runner command.
    """
    done = run_line(tmp_path, "--backend", "x\x1b[2J\n::error::y")

    assert 2 == done.returncode
    assert "\x1b" not in done.stderr
    assert "::error" not in done.stderr


def test_a_broken_set_up_exits_3_with_a_remedy(tmp_path: Path) -> None:
    """
    No key: nothing was measured, and the message says what to set.
    """
    words = ["run", "a", "--backend", "messages", "--model", "m", "--loops", "1"]
    done = command_line(*words, folder=tmp_path)

    assert 3 == done.returncode
    assert done.stderr.startswith("reliability: No key for the Messages API. Set ")


def test_an_output_folder_that_cannot_be_made_exits_3(tmp_path: Path) -> None:
    """
    The message names the path.
    """
    done = run_line(tmp_path, "--output-dir", "/dev/null/x")

    assert 3 == done.returncode
    assert "/dev/null" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_of_our_own_never_exits_1(tmp_path: Path) -> None:
    """
    Python's usual exit code for a crash would say that the agent is not reliable.
    """
    code = (
        "from reliability import cli, run\n"
        "def broken(*_, **__): raise RuntimeError('ours')\n"
        "run.run = broken\n"
        "cli.main(['run', 'a', '--backend', 'simulated'])\n"
    )
    done = subprocess.run(
        python("-c", code),
        env=own_environ(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 3 == done.returncode
    assert "RuntimeError: ours" in done.stderr


def test_a_terminal_without_unicode_costs_no_verdict(tmp_path: Path) -> None:
    """
    What cannot be encoded is shown in another way.
    """
    done = run_line(tmp_path, profile=BAD, PYTHONIOENCODING="latin-1")

    assert 1 == done.returncode, done.stderr
    assert "FAIL (simulated)" in done.stdout


def test_colour_is_for_terminals_that_want_it(tmp_path: Path) -> None:
    """
    On a terminal the verdict is painted; NO_COLOR and pipes keep it plain.
    """
    painted = on_terminal(tmp_path, {})
    plain = on_terminal(tmp_path, {"NO_COLOR": "1"})

    assert "\x1b[32;1mPASS (simulated)\x1b[0m" in painted
    assert "\x1b" not in plain
    assert "PASS (simulated)" in plain


def on_terminal(folder: Path, environ: dict[str, str]) -> str:
    """
    Run on the simulator with a terminal for standard output and return what it showed.
    """
    import os
    import pty

    ours, theirs = pty.openpty()
    try:
        words = ["run", "a", *SIMULATED, "--simulator", GOOD]
        done = command_line(*words, folder=folder, environ=environ, stdout=theirs)
    finally:
        os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # Linux: the other end was closed.
        pass
    finally:
        os.close(ours)
    assert 0 == done.returncode, done.stderr
    return shown.decode()
