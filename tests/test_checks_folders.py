"""
What an agent may leave in its folder to mislead, stall or break whoever grades it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.evidence import evidence, left_in, left_room
from fakes.runs import ENVIRON, IN_PLACE, events, outcomes, texts

from reliability.checks.command import Command
from reliability.checks.files import Files
from reliability.checks.places import READ_CAP_BYTES
from reliability.errors import CheckError
from reliability.run import run
from reliability.settings import Settings
from reliability.suite import Case, Suite, Weighed

if TYPE_CHECKING:
    from reliability.checks.base import BaseCheck
    from reliability.run_result import RunResult


def open_descriptors() -> int:
    """
    Return how many files this process has open.
    """
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def grade_files(folder: Path, **given: Any) -> str:
    """
    Return why a check of files does not hold; empty when it does.
    """
    return Files(**given).grade(left_in(folder)).reason


def run_files(folder: Path, script: str, *checks: BaseCheck, **given: str) -> RunResult:
    """
    Run a script as the agent, in a copy of a folder with some files.
    """
    (folder / "project").mkdir(exist_ok=True)
    for name in ("keep.py", "sub/one.py", "sub/two.py"):
        path = folder / "project" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("one\n-- two\nthree\n", encoding="utf-8")
    (folder / "project" / "agent.sh").write_text(script, encoding="utf-8")
    usual = IN_PLACE | {
        "command": "sh agent.sh",
        "simulator": "",
        "isolation": "copy",
        "loops": "1",
        "expect": "",
    }
    settings = Settings.from_text(texts(folder, **usual | given))
    weighed = tuple(Weighed(check=check) for check in checks)
    case = Case(name="one", settings=settings, checks=weighed)
    return run(
        settings,
        suite=Suite(cases=(case,)),
        environ=ENVIRON,
        workspace=folder / "project",
    )


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    """
    Neither as the file nor as a folder on the way; its own presence is told.
    """
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_text("treasure")
    folder = tmp_path / "left"
    folder.mkdir()
    (folder / "file").symlink_to(tmp_path / "outside" / "a.txt")
    (folder / "way").symlink_to(tmp_path / "outside")
    (folder / "nowhere").symlink_to("/nonexistent")
    contain = {"file": "treasure", "way/a.txt": "treasure"}
    reason = grade_files(folder, contain=contain)

    assert "it is no regular file" in reason
    assert "way is a link, and no link is followed" in reason
    assert "way is a link" in grade_files(folder, exist=("way/a.txt",))
    assert "way is a link" in grade_files(folder, absent=("way/a.txt",))
    assert "" == grade_files(folder, exist=("file", "nowhere"))


def test_nothing_that_blocks_is_waited_for(tmp_path: Path) -> None:
    """
    Pipes, sockets and folders are no files to read, and say so at once.
    """
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("pipe", "folder", "socket"):
            assert "no regular file" in grade_files(tmp_path, contain={name: "a"})


def test_huge_files_are_read_as_far_as_the_cap(tmp_path: Path) -> None:
    """
    A terabyte costs no more than the cap; a text behind it is not found, and why.
    """
    with (tmp_path / "huge").open("wb") as file:
        file.write(b"start")
        file.truncate(2**40)
    reason = grade_files(tmp_path, contain={"huge": "end"})

    assert f"its first {READ_CAP_BYTES} bytes" in reason
    assert "" == grade_files(tmp_path, contain={"huge": "start\0"})


def test_odd_bytes_and_names_are_read_as_they_are(tmp_path: Path) -> None:
    """
    NULs, bytes that are no UTF-8, line breaks and controls in names.
    """
    name = "a\nb\x1b[31m\u202e"
    (tmp_path / name).write_bytes(b"\0\xff\xfe lamps \xed\xa0\x80")
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"x")

    assert "" == grade_files(tmp_path, contain={name: "lamps"})
    assert "" == grade_files(tmp_path, exist=(os.fsdecode(b"\xff"),))


def test_looking_leaves_no_file_open(tmp_path: Path) -> None:
    """
    Whatever is at the path, or is not.
    """
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("folder")
    paths = ("no", "no/a", "folder", "folder/no", "file", "file/a", "link", "link/a")
    before = open_descriptors()
    for path in paths:
        grade_files(tmp_path, contain={path: "a"}, exist=(path,), absent=(path,))

    assert before == open_descriptors()


def test_a_folder_that_is_gone_is_an_error_of_the_check(tmp_path: Path) -> None:
    """
    Nobody can say what was there.
    """
    with pytest.raises(CheckError, match="folder cannot be opened"):
        grade_files(tmp_path / "gone", absent=("a",))


LONG = "d" * 200
HIDES = [
    ("rm -r sub", Files(unchanged=("sub/*.py",)), "sub/one.py, sub/two.py"),
    ("rm -r sub; touch sub", Files(unchanged=("sub/one.py",)), "got sub/one.py"),
    ("rm keep.py; mkdir keep.py", Files(unchanged=("keep.py",)), "got keep.py/"),
    ("echo x >> sub/one.py", Files(unchanged=("**/sub/*.py",)), "got sub/one.py"),
    ("sed -i 's/-- two/x/' keep.py", Files(max_changed_lines=1), "got 2"),
    ("echo '++ a' >> keep.py", Files(max_changed_lines=0), "got 1"),
    ("printf 'a\\nb\\n' > 'x\ny'", Files(unchanged=("x*y",)), "got x\\ny"),
]


@pytest.mark.parametrize(("script", "check", "said"), HIDES)
def test_a_change_cannot_hide(
    script: str, check: Files, said: str, tmp_path: Path
) -> None:
    """
    Behind a folder that is removed or replaced, nor behind how a line begins.
    """
    ended = run_files(tmp_path, f"{script}\necho Hello\n", check)

    assert ["fail"] == outcomes(ended)
    assert said in ended.trials[0].reason


UNKNOWN = [
    (
        f"mkdir -p {LONG}/{LONG}/{LONG}; touch {LONG}/{LONG}/{LONG}/a.py",
        Files(unchanged=("**/*.py",)),
        "more files changed than the evidence names",
    ),
    (
        "for n in $(seq 300); do touch f$n; done; echo >> keep.py",
        Files(unchanged=("*.py",)),
        "more files changed than the evidence names",
    ),
    ("yes | head -c 200000 > keep.py", Files(max_changed_lines=60_000), "not tell all"),
    ("rm keep.py", Files(max_changed_lines=1), "those of removed files"),
]


@pytest.mark.parametrize(("script", "check", "said"), UNKNOWN)
def test_what_the_evidence_does_not_tell_is_no_pass(
    script: str, check: Files, said: str, tmp_path: Path
) -> None:
    """
    A name or a difference that was cut decides nothing.
    """
    ended = run_files(tmp_path, f"{script}\necho Hello\n", check)

    assert ["invalid"] == outcomes(ended)
    assert said in ended.trials[0].reason


@pytest.mark.parametrize(
    "check",
    [Files(changed=("*.py",)), Files(unchanged=("*.py",)), Files(max_changed_lines=9)],
)
@pytest.mark.parametrize("backend", ["command", "simulated"])
def test_without_a_copy_nobody_says_what_changed(
    check: Files, backend: str, tmp_path: Path
) -> None:
    """
    In the workspace itself, or without any folder: the log keeps why.
    """
    given = {"isolation": "none", "backend": backend}
    if backend == "simulated":
        given |= {"command": "", "run-as": "", "simulator": "latency=0,pass-rate=1"}
    ended = run_files(tmp_path, "echo >> keep.py; echo Hello", check, **given)
    (attempt,) = [one for one in events(ended) if one.event == "attempt_finished"]
    why = {"command": "nothing to compare with", "simulated": "no folder"}[backend]

    assert ["invalid"] == outcomes(ended)
    assert why in ended.trials[0].reason
    assert why in attempt.fields["evidence"]["workspace"]["unknown"]


def test_what_an_agent_leaves_at_home_does_not_reach_a_check(tmp_path: Path) -> None:
    """
    Programs obey files in HOME: a check's command has one of its own.
    """
    script = "echo evil > $HOME/.profile; echo evil > $TMPDIR/evil; echo Hello"
    look = 'test -d "$HOME" -a -d "$TMPDIR" && ! ls -A "$HOME" "$TMPDIR" | grep evil'
    ended = run_files(
        tmp_path, script, Command(run=f"sh -c '{look} && ! test -e \"$HOME/.profile\"'")
    )

    assert ["pass"] == outcomes(ended), ended.trials[0].reason


def test_what_a_check_leaves_is_gone_before_the_next(tmp_path: Path) -> None:
    """
    Each command has its files and its home for itself.
    """
    (tmp_path / "grade.sh").write_text(
        'ls "$RELIABILITY_CHECK_FILES"; touch "$HOME/x"; ls -A "$HOME"; exit 1'
    )
    leavings = left_room(tmp_path / "room")
    check = Command(run="sh grade.sh", files=(tmp_path / "grade.sh",))
    known = evidence(leavings=leavings)
    reasons = [check.grade(known).reason for _ in range(2)]

    assert ["grade.sh", "grade.sh"] == reasons
    assert {"workspace"} == {path.name for path in leavings.room.home.iterdir()}


def test_a_command_gets_whatever_was_answered(tmp_path: Path) -> None:
    """
    As JSON in ASCII, so that nothing in it can break the program's reading.
    """
    (tmp_path / "grade.py").write_text(
        "import json, sys\nprint(len(json.load(sys.stdin)['answer']))\nsys.exit(1)\n"
    )
    check = Command(run="python3 grade.py", files=(tmp_path / "grade.py",))
    known = evidence("\ud800\0\xff" * 1000, leavings=left_room(tmp_path / "room"))

    assert "3000" == check.grade(known).reason


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("kill -9 $$", "exit code -9"),
        ("sleep 60", "did not end within"),
        ("exit 2", "exit code 2"),
    ],
)
def test_a_command_that_ends_oddly_decides_nothing(
    script: str, why: str, tmp_path: Path
) -> None:
    """
    Only 0 and 1 are answers.
    """
    known = evidence(leavings=left_room(tmp_path / "room"))
    with pytest.raises(CheckError, match=why):
        Command(run=f"sh -c '{script}'", timeout=0.3).grade(known)
    with pytest.raises(CheckError, match="cannot be run"):
        Command(run="no-such-program").grade(known)


def test_a_command_with_endless_output_is_cut(tmp_path: Path) -> None:
    """
    Its reason is the first line, as far as it fits.
    """
    known = evidence(leavings=left_room(tmp_path / "room"))
    check = Command(run="sh -c 'yes word | tr -d \"\\n\" | head -c 3000000; exit 1'")

    assert 0 < len(check.grade(known).reason) <= 500
