"""
`reliability bisect` as a process of its own: what it prints, and its exit codes.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from fakes.repositories import git
from fakes.runs import command_line

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

HOSTILE = "::error::no \x1b[31m##[group]\u202e"
TOLD = ("--good-rate", "0.9", "--bad-rate", "0.1", "--batch", "3")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """
    Three commits, c0 to c2; the agent's answer is another one from c2 on.
    """
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number, answer in enumerate(("Hello", "Hello", "Bye")):
        (folder / "agent.sh").write_text(f"echo {answer}", encoding="utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--allow-empty", "--message", HOSTILE)
        git(folder, "tag", f"c{number}")
    return folder


def bisect_line(repository: Path, *words: str) -> CompletedProcess[str]:
    """
    Search in the repository with its agent.
    """
    options = [
        *("--backend", "command", "--command", "sh agent.sh", "--delay", "0"),
        *("--run-as", "root", "--isolation", "none", "--expect", "Hello"),
        *("--output-dir", str(repository.parent / "out")),
    ]
    return command_line("bisect", *words, "greeter", *options, folder=repository)


def test_the_table_names_the_commit_and_shows_nothing_that_acts(
    repository: Path,
) -> None:
    """
    A line for each batch, a row for each commit, exit code 0; subjects are quoted.
    """
    done = bisect_line(repository, "c0", "c2", *TOLD)

    assert 0 == done.returncode, done.stderr
    assert "FOUND: It lowered the pass rate" in done.stdout
    assert "3 of 3" in done.stdout
    assert "0 of 3 passed" in done.stderr
    for acting in ("::", "##[", "\x1b", "\u202e"):
        assert acting not in done.stdout + done.stderr


def test_json_has_all_of_it_and_nothing_else_is_printed(repository: Path) -> None:
    """
    Commits with their counts and probabilities, for programs.
    """
    done = bisect_line(repository, "c0", "c2", *TOLD, "--json", "--quiet")
    told = json.loads(done.stdout)

    assert "" == done.stderr
    assert ("found", 3) == (told["end"], len(told["commits"]))
    assert [told["commits"][2]["commit"]] == told["culprits"]
    assert 0.9 <= told["commits"][2]["probability"] <= 1


def test_nobody_named_is_exit_code_4(repository: Path) -> None:
    """
    The agent of c1 is the agent of c0.
    """
    done = bisect_line(repository, "c0", "c1", *TOLD, "--quiet")

    assert 4 == done.returncode, done.stderr
    assert "INCONCLUSIVE: Nothing here lowered" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--good-rate", "1"), "--good-rate is 1: it must be"),
        (("--good-rate", "0.5", "--bad-rate", "0.6"), "is not below it"),
        (("--bad-rate", "often"), "--bad-rate is 'often'"),
        (("--loops", "0"), "--loops is '0'"),
        (("--confidence", "2"), "--confidence is '2'"),
    ],
)
def test_wrong_rules_are_exit_code_2(
    words: tuple[str, ...], said: str, repository: Path
) -> None:
    """
    Said before anything is called.
    """
    done = bisect_line(repository, "c0", "c2", *words)

    assert 2 == done.returncode
    assert said in done.stderr
    assert not (repository.parent / "out").exists()


def test_an_end_without_an_agent_is_exit_code_3(repository: Path) -> None:
    """
    Nothing can be said of it.
    """
    words = ("c0", "c2", "--command", f"./nothing-{sys.platform}")
    done = command_line(
        *("bisect", *words, "greeter", "--backend", "command", "--run-as", "root"),
        folder=repository,
    )

    assert 3 == done.returncode
    assert "GOOD, commit" in done.stderr
