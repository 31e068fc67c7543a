"""
The commands that look at a log, and those that show what this is.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.runs import (
    command_line,
    own_environ,
    python,
    run_simulated,
)

from reliability.results import read_result

if TYPE_CHECKING:
    from reliability.run_result import RunResult

GOOD = "latency=0,pass-rate=1"
BAD = "latency=0,pass-rate=0"
SIMULATED = ["--backend", "simulated", "--loops", "3", "--delay", "0"]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make one finished run to look at.
    """
    return run_simulated(tmp_path_factory.mktemp("run"))


def test_show_prints_the_readable_log(result: RunResult, tmp_path: Path) -> None:
    """
    The very text that the run wrote beside its log.
    """
    done = command_line("show", result.log, folder=tmp_path)
    written = Path(result.log).with_suffix(".log").read_text(encoding="utf-8")

    assert (0, written) == (done.returncode, done.stdout)


def test_a_reader_that_goes_away_is_no_crash(result: RunResult, tmp_path: Path) -> None:
    """
    `reliability show LOG | true` says nothing on standard error and blames nobody.
    """
    shell = f"{' '.join(python('-m', 'reliability'))} show '{result.log}' | true"
    done = subprocess.run(
        ["bash", "-c", f"{shell}; exit ${{PIPESTATUS[0]}}"],
        env=own_environ(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "" == done.stderr
    assert done.returncode in {0, 141}


def test_output_that_cannot_be_written_is_not_0(
    result: RunResult, tmp_path: Path
) -> None:
    """
    A full disk behind standard output is not success.
    """
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = command_line("show", result.log, folder=tmp_path, stdout=full.fileno())

    assert 3 == done.returncode


def test_report_computes_everything_again(result: RunResult, tmp_path: Path) -> None:
    """
    Into another folder, equal to what the run wrote.
    """
    folder = tmp_path / "again"
    done = command_line("report", result.log, "--output-dir", folder, folder=tmp_path)

    assert 0 == done.returncode, done.stderr
    for path in folder.iterdir():
        assert path.read_bytes() == Path(result.log).with_name(path.name).read_bytes()
    assert "PASS (simulated)" in done.stdout


def test_report_of_a_killed_run_says_so(result: RunResult, tmp_path: Path) -> None:
    """
    The reports of a cut log are invalid and say that it is not locked.
    """
    cut = tmp_path / "cut.jsonl"
    lines = Path(result.log).read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:3]))

    done = command_line("report", cut, folder=tmp_path)

    assert "INVALID (simulated)" in done.stdout
    assert "not locked" in done.stdout
    assert read_result(cut).verdict == "invalid"


@pytest.mark.parametrize("command", ["show", "report", "verify"])
@pytest.mark.parametrize("name", ["nothing.jsonl", "."])
def test_a_log_that_cannot_be_opened_exits_3(
    command: str, name: str, tmp_path: Path
) -> None:
    """
    The message names the path.
    """
    done = command_line(command, tmp_path / name, folder=tmp_path)

    assert 3 == done.returncode
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_says_that_a_log_is_whole_and_locked(
    result: RunResult, tmp_path: Path
) -> None:
    """
    With the digest of the run, in either case of letters, it exits 0.
    """
    digest = result.log_sha256.upper()
    done = command_line("verify", result.log, "--sha256", digest, folder=tmp_path)

    assert 0 == done.returncode
    assert result.log_sha256 in done.stdout


def test_verify_refuses_another_digest(result: RunResult, tmp_path: Path) -> None:
    """
    A log that is whole but not the one that is meant exits 1.
    """
    done = command_line("verify", result.log, "--sha256", "0" * 64, folder=tmp_path)

    assert 1 == done.returncode
    assert f"Its SHA-256 is {result.log_sha256}, not {'0' * 64}." in done.stdout


def test_verify_names_the_byte_of_the_damage(result: RunResult, tmp_path: Path) -> None:
    """
    One flipped bit is found, and where its line begins.
    """
    content = bytearray(Path(result.log).read_bytes())
    start = content.index(b"\n") + 1
    content[start + 60] ^= 1
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(content)

    done = command_line("verify", path, folder=tmp_path)

    assert 1 == done.returncode
    assert f"Damaged at byte {start} " in done.stdout


def test_verify_repairs_a_torn_tail_and_keeps_a_copy(
    result: RunResult, tmp_path: Path
) -> None:
    """
    The half line is cut, the log as it was is named, and the rest is whole.
    """
    path = tmp_path / "torn.jsonl"
    content = Path(result.log).read_bytes()[:-7]
    path.write_bytes(content)

    torn = command_line("verify", path, folder=tmp_path)
    repaired = command_line("verify", path, "--repair", folder=tmp_path)
    copy = Path(repaired.stdout.splitlines()[0].rpartition(": ")[2])

    assert (1, 0) == (torn.returncode, repaired.returncode)
    assert content == copy.read_bytes()
    assert path.read_bytes().endswith(b"\n")


def test_the_demo_exits_0_whatever_its_agent_does(tmp_path: Path) -> None:
    """
    It says that it was a demo and that all of it was simulated.
    """
    done = command_line("demo", "--loops", "3", "--seed", "3", folder=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert "(simulated)" in done.stdout
    assert "This was a demo" in done.stdout
    assert (tmp_path / "demo-results/report.html").is_file()


def test_simulate_refuses_a_profile_with_mistakes(tmp_path: Path) -> None:
    """
    All of them at once, before it listens.
    """
    done = command_line("simulate", "sed=1,latency=x", folder=tmp_path)

    assert 2 == done.returncode
    assert 2 == len(done.stderr.splitlines())
