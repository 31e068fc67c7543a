"""
The command backend: what an end in an error says, and answers of any length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.runs import ENVIRON, a_call, a_room

from reliability.agents.base import ANSWER_CAP_BYTES, CLASSIC_WARNING
from reliability.agents.command import Command
from reliability.clock import SystemClock
from reliability.errors import AgentSetupError
from reliability.kinds import ErrorKind
from reliability.redact import Redactor
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.model import Reply


def command(folder: Path, line: str, **given: str) -> Command:
    """
    Return the backend for a command line.
    """
    options = {"agent": "a", "backend": "command", "command": line, **given}
    return Command(
        Settings.from_text(options),
        environ=ENVIRON,
        workspace=folder,
        redactor=Redactor([]),
        clock=SystemClock(),
    )


def reply_of(folder: Path, script: str) -> Reply:
    """
    Return what one attempt of a shell script brings.
    """
    (folder / "agent.sh").write_text(script, encoding="utf-8")
    backend = command(folder, "sh agent.sh")
    try:
        return backend.attempt(a_call(room=a_room(folder)))
    finally:
        backend.close()


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("exit 3", "exit code 3"),
        ("echo one >&2; echo ' two ' >&2; echo ' ' >&2; exit 1", "exit code 1: two"),
        (
            "printf 'torn' >&2; kill -11 $$",
            "killed by SIGSEGV: torn",
        ),
    ],
)
def test_a_crash_is_told_by_its_last_words(
    script: str, text: str, tmp_path: Path
) -> None:
    """
    The last line that says anything is where a traceback has its error.
    """
    trouble = reply_of(tmp_path, script).trouble

    assert trouble is not None
    assert (ErrorKind.AGENT_ERROR, text) == (trouble.kind, trouble.text)


@pytest.mark.parametrize("script", ["kill -9 $$", "sh -c 'kill -9 $$'; exit $?"])
def test_a_kill_that_was_not_ours_is_no_failure_of_the_agents(
    script: str, tmp_path: Path
) -> None:
    """
    The kernel kills so when memory runs out; with less at once it may go better.
    """
    trouble = reply_of(tmp_path, f"printf 'torn' >&2; {script}").trouble

    assert trouble is not None
    assert ErrorKind.OUT_OF_MEMORY is trouble.kind
    assert trouble.text.startswith("killed (SIGKILL), perhaps because memory ran out")
    assert "torn" in trouble.text
    assert (True, True) == (trouble.rule.infrastructure, trouble.rule.retry)


def test_long_last_words_are_cut(tmp_path: Path) -> None:
    """
    The log has all of them; a reason is one line.
    """
    script = "python3 -c 'raise ValueError(\"x\" * 500)'"
    reply = reply_of(tmp_path, script)

    assert reply.trouble is not None
    assert f"exit code 1: ValueError: {'x' * 188}" == reply.trouble.text
    assert "x" * 500 in reply.errors


@pytest.mark.parametrize("size_bytes", [ANSWER_CAP_BYTES, 3 * ANSWER_CAP_BYTES])
def test_an_answer_that_is_not_kept_whole_is_not_graded(
    size_bytes: int, tmp_path: Path
) -> None:
    """
    What a check looks for may stand in what is gone; up to the cap nothing is.
    """
    is_whole = size_bytes <= ANSWER_CAP_BYTES
    reply = reply_of(tmp_path, f"head -c {size_bytes} /dev/zero")

    assert is_whole == (reply.trouble is None)
    assert is_whole == ("left out" not in reply.answer)
    if reply.trouble is not None:
        assert ErrorKind.ANSWER_TOO_LONG is reply.trouble.kind
        assert f"has {size_bytes} bytes" in reply.trouble.text
        assert reply.trouble.rule.infrastructure
        assert not reply.trouble.rule.retry
        assert not reply.trouble.rule.fatal


def test_an_answer_that_grows_when_it_is_shown_stays_whole(tmp_path: Path) -> None:
    """
    A byte that is no UTF-8 takes three as text; nothing is cut for that.
    """
    reply = reply_of(tmp_path, r"head -c 900000 /dev/zero | tr '\0' '\377'")

    assert reply.trouble is None
    assert "\ufffd" * 900_000 == reply.answer


def test_the_classic_prompt_is_warned_of(tmp_path: Path) -> None:
    """
    It asks for an agent of Claude Code, of which a program knows nothing.
    """
    assert (CLASSIC_WARNING,) == command(tmp_path, "cat").prepare().warnings
    assert () == command(tmp_path, "cat", prompt="Say hello.").prepare().warnings


@pytest.mark.parametrize("line", ["./nothing", "/etc/passwd"])
def test_path_is_not_blamed_for_a_program_that_is_one(
    line: str, tmp_path: Path
) -> None:
    """
    A program with a slash in its name is looked for nowhere else.
    """
    with pytest.raises(AgentSetupError) as caught:
        command(tmp_path, line).prepare()

    assert str(tmp_path / line) in str(caught.value)
    assert "PATH" not in str(caught.value)
