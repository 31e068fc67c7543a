"""
As whom a program starts, and in the user's words why it cannot: every case is real.
"""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from fakes.programs import run, run_sh

from reliability.errors import AgentSetupError, MeasureError
from reliability.process import ProgramError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "content", "mode", "words"),
    [
        ("none", None, 0, "Command not found"),
        ("plain", b"#!/bin/sh\n", 0o644, "not executable"),
        ("binary", b"\x7fELF garbage", 0o755, "this machine's kind"),
        ("script", b"#!/no/such/interpreter\n", 0o755, "interpreter"),
    ],
)
def test_program_that_cannot_run_is_a_setup_error(
    tmp_path: Path, name: str, content: bytes | None, mode: int, words: str
) -> None:
    """
    The error names the program and what is wrong with it.
    """
    program = tmp_path / name
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(AgentSetupError, match=words) as caught:
        run(str(program))

    assert repr(str(program)) in str(caught.value)
    assert 3 == caught.value.exit_code


def test_missing_command_names_the_path_that_was_searched() -> None:
    """
    The child's PATH counts, not ours.
    """
    with pytest.raises(ProgramError, match="PATH is '/nowhere'"):
        run("sh", "-c", ":", env={"PATH": "/nowhere"})


@pytest.mark.parametrize("argv", [(), ("echo", "a\0b"), ("echo", "\ud800")])
def test_argv_that_cannot_be_is_a_setup_error(argv: tuple[str, ...]) -> None:
    """
    Nothing, a NUL or a lone surrogate is refused in words, not by a traceback.
    """
    with pytest.raises(ProgramError):
        run(*argv)


def test_missing_folder_is_not_blamed_on_the_program(tmp_path: Path) -> None:
    """
    The error names the folder.
    """
    with pytest.raises(MeasureError, match=r"in folder .*gone.*No such file") as caught:
        run("true", cwd=tmp_path / "gone")

    assert not isinstance(caught.value, ProgramError)


def test_arguments_too_long_for_the_system_say_what_to_do() -> None:
    """
    E2BIG points at stdin.
    """
    with pytest.raises(MeasureError, match="stdin"):
        run("true", "x" * 2**20)


@contextmanager
def limited(limit: int, value: int) -> Iterator[None]:
    """
    Lower one of our own limits for a while.
    """
    soft, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(limit, (soft, hard))


def test_lack_of_files_names_the_limit() -> None:
    """
    EMFILE is a measuring problem with a name and a number, not a broken agent.
    """
    run("true")  # Loads what the first child needs, for which no file would be left.
    with (
        limited(resource.RLIMIT_NOFILE, 3),
        pytest.raises(MeasureError, match=r"all 3 open files .*NOFILE") as caught,
    ):
        run("true")

    assert not isinstance(caught.value, AgentSetupError)


def test_lack_of_processes_names_the_limit() -> None:
    """
    EAGAIN is a measuring problem with a name and a number, not a broken agent.
    """
    # The limit never binds root, and binds another user from the second process on.
    uid = None if os.geteuid() else 54321
    with subprocess.Popen(["sleep", "60"], user=uid) as first:
        with (
            limited(resource.RLIMIT_NPROC, 0),
            pytest.raises(MeasureError, match=r"NPROC 0, pids\.max") as caught,
        ):
            run("true", uid=uid)
        first.kill()

    assert not isinstance(caught.value, AgentSetupError)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_child_as_another_user_has_no_group_of_ours() -> None:
    """
    User and group are set, all others dropped, and its daemons are still swept.
    """
    groups = os.getgroups()
    os.setgroups([4242])
    try:
        report = run_sh(
            "id -u; id -G; setsid sleep 60 >&- 2>&- &", uid=65534, gid=65534
        )
    finally:
        os.setgroups(groups)

    assert (b"65534\n65534\n", 1) == (report.stdout.head, report.swept)
