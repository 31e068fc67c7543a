"""
Whom the processes of an agent run as, and what that user can reach.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from fakes.folders import needs_root, open_folder

from reliability.agents.user import (
    User,
    choose_user,
    parts_of_program,
    reach,
    require_reach,
)
from reliability.errors import AgentSetupError, UsageError

NOBODY = User(name="nobody", uid=65534, gid=65534)


@needs_root
def test_root_hands_its_rights_to_nobody() -> None:
    """
    Unless somebody else is named.
    """
    entry = pwd.getpwnam("nobody")

    assert (entry.pw_uid, entry.pw_gid) == (choose_user("").uid, choose_user("").gid)


@needs_root
@pytest.mark.parametrize("name", ["root", "0"])
def test_root_keeps_its_rights_when_asked_to(name: str) -> None:
    """
    None means as we are.
    """
    assert choose_user(name).uid is None


@needs_root
def test_a_user_is_found_by_name_and_by_number() -> None:
    """
    A number that no user has is a user nevertheless, with a group of that number.
    """
    daemon = pwd.getpwnam("daemon")

    assert (daemon.pw_uid, daemon.pw_gid) == (
        choose_user("daemon").uid,
        choose_user("daemon").gid,
    )
    assert choose_user("daemon").uid == choose_user(str(daemon.pw_uid)).uid
    assert User(name="54321", uid=54321, gid=54321) == choose_user("54321")


@pytest.mark.parametrize("name", ["no such user", "-1", "1e3", "4294967295", "²"])
def test_an_unknown_user_is_bad_usage(name: str) -> None:
    """
    Found before any call, with what to do.
    """
    with pytest.raises(UsageError, match="run-as is"):
        choose_user(name)


@pytest.fixture
def ordinary() -> object:
    """
    Be a user who is not root.
    """
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(54321)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.usefixtures("ordinary")
def test_without_root_there_is_no_choice() -> None:
    """
    As we are; who names another user is told, and root means what we have.
    """
    assert choose_user("").uid is None
    assert choose_user("root").uid is None
    assert choose_user(str(os.geteuid())).uid is None
    with pytest.raises(UsageError, match="only root can become another user"):
        choose_user("nobody")


@needs_root
def test_the_folder_that_is_closed_is_named() -> None:
    """
    Not the program in it: that may be open to all.
    """
    with open_folder() as folder:
        program = folder / "closed" / "bin" / "program"
        program.parent.mkdir(parents=True)
        program.touch(0o755)
        (folder / "closed").chmod(0o700)

        assert folder / "closed" == reach(NOBODY, [program])
        (folder / "closed").chmod(0o711)
        assert reach(NOBODY, [program]) is None
        program.chmod(0o744)
        assert program == reach(NOBODY, [program])
        assert reach(User(name="us"), [program]) is None


@needs_root
def test_what_a_link_leads_to_must_be_open_too() -> None:
    """
    As with an interpreter in the home of root.
    """
    with open_folder() as folder:
        (folder / "closed").mkdir(0o700)
        (folder / "closed" / "python").touch(0o755)
        (folder / "python").symlink_to(folder / "closed" / "python")

        with pytest.raises(AgentSetupError) as caught:
            require_reach(NOBODY, [folder / "python"], "The program 'python'")

    assert "The program 'python' cannot be used by user nobody" in str(caught.value)
    assert repr(str(folder / "closed")) in str(caught.value)
    assert "run-as: root" in str(caught.value)


@pytest.mark.parametrize(
    ("head", "parts"),
    [
        (b"\x7fELF", []),
        (b"#!/bin/sh\necho", ["/bin/sh"]),
        (b"#! /bin/sh -e\r\necho", ["/bin/sh"]),
        (b"#!/usr/bin/env sh\n", ["/usr/bin/env", "SH"]),
        (b"#!/usr/bin/env -S A=1 sh -e\n", ["/usr/bin/env", "SH"]),
        (b"#!/usr/bin/env no-such-program\n", ["/usr/bin/env"]),
        (b"#!/usr/bin/env 'torn\n", ["/usr/bin/env"]),
        (b"#!\n", []),
        (b"", []),
    ],
)
def test_a_script_needs_its_interpreter(
    head: bytes, parts: list[str], tmp_path: Path
) -> None:
    """
    The one in its first line, and what `env` would find.
    """
    (tmp_path / "sh").touch(0o755)
    script = tmp_path / "script"
    script.write_bytes(head)
    found = list(parts_of_program(script, {"PATH": str(tmp_path)}))
    named = [str(tmp_path / "sh") if part == "SH" else part for part in parts]

    assert [script, *map(Path, named)] == found


def test_a_program_that_is_not_there_has_no_parts(tmp_path: Path) -> None:
    """
    Somebody else says so.
    """
    gone = tmp_path / "gone"

    assert [gone] == list(parts_of_program(gone, {}))
