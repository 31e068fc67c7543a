"""
The command backend with real programs.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fakes.backends import kind
from fakes.runs import ENVIRON, PATH, a_call, a_room, events, outcomes, run_command

from reliability.agents.command import Command
from reliability.clock import SystemClock
from reliability.errors import AgentSetupError
from reliability.kinds import ErrorKind
from reliability.redact import Redactor
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reliability.model import Reply


@contextmanager
def command(
    folder: Path, line: str, *, environ: Mapping[str, str] = ENVIRON
) -> Iterator[Command]:
    """
    Open the backend as a run does, and close it.
    """
    settings = Settings.from_text({"agent": "a", "backend": "command", "command": line})
    backend = Command(
        settings,
        environ=environ,
        workspace=folder,
        redactor=Redactor(["hush-hush-hush"]),
        clock=SystemClock(),
    )
    try:
        yield backend
    finally:
        backend.close()


def reply_of(
    folder: Path, line: str, *, environ: Mapping[str, str] = ENVIRON, **changes: Any
) -> Reply:
    """
    Return what one attempt of a program brings.
    """
    room = a_room(folder / "room", folder)
    with command(folder, line, environ=environ) as backend:
        backend.prepare()
        return backend.attempt(a_call(room=room, **changes))


def test_the_prompt_comes_on_standard_input(tmp_path: Path) -> None:
    """
    Byte for byte, in UTF-8; the answer loses its last newline alone.
    """
    reply = reply_of(tmp_path, "cat", prompt="Grüße\n\n'$HOME' `x`\n\n")

    assert (None, "Grüße\n\n'$HOME' `x`\n") == (kind(reply), reply.answer)
    assert 0 == reply.exit_code


def test_the_prompt_comes_in_a_file_where_the_command_asks_for_one(
    tmp_path: Path,
) -> None:
    """
    The word may be part of another; standard input is empty then.
    """
    line = "sh -c 'cat; cat \"${1#--file=}\"' x --file={prompt_file}"

    assert "Say hello." == reply_of(tmp_path, line).answer


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    """
    What would be special to a shell is a word like any other.
    """
    reply = reply_of(tmp_path, "echo '$HOME' ';' '>x' '{prompt}'")

    assert "$HOME ; >x {prompt}" == reply.answer
    assert not (tmp_path / "x").exists()


def test_the_program_works_in_the_workspace(tmp_path: Path) -> None:
    """
    Also when it is named by a path that is relative to it.
    """
    script = tmp_path / "tools" / "agent"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\npwd\n", encoding="utf-8")
    script.chmod(0o755)

    assert str(tmp_path) == reply_of(tmp_path, "tools/agent").answer


@pytest.mark.parametrize(
    ("script", "expected", "text"),
    [
        ("echo Hi; exit 3", ErrorKind.AGENT_ERROR, "exit code 3"),
        ("kill -11 $$", ErrorKind.AGENT_ERROR, "killed by SIGSEGV"),
        ("exit 0", ErrorKind.EMPTY_ANSWER, "the answer is empty"),
        ("echo", ErrorKind.EMPTY_ANSWER, "the answer is empty"),
    ],
)
def test_an_end_in_an_error_is_the_agents_own(
    script: str, expected: ErrorKind, text: str, tmp_path: Path
) -> None:
    """
    A program that fails has failed: it is not measured again.
    """
    reply = reply_of(tmp_path, f"sh -c '{script}'")

    assert expected is kind(reply)
    assert reply.trouble is not None
    assert reply.trouble.text.startswith(text)
    assert not reply.trouble.rule.infrastructure


def test_a_timeout_is_a_failure_and_keeps_what_was_said(tmp_path: Path) -> None:
    """
    Too slow is not good enough; the program is gone afterwards.
    """
    reply = reply_of(tmp_path, "sh -c 'echo so far; sleep 60'", timeout_s=0.3)

    assert ErrorKind.TIMEOUT is kind(reply)
    assert "so far" == reply.answer
    assert reply.trouble is not None
    assert "no end within 0.3 s" == reply.trouble.text


def test_an_attempt_after_a_cancel_ends_at_once(tmp_path: Path) -> None:
    """
    Cancelled is neither pass nor fail.
    """
    with command(tmp_path, "sleep 60") as backend:
        backend.cancel()
        reply = backend.attempt(a_call(room=a_room(tmp_path)))

    assert ErrorKind.CANCELLED is kind(reply)


@pytest.mark.parametrize("line", ["no-such-program-here", "./nothing", "/etc/passwd"])
def test_a_program_that_cannot_be_run_is_found_before_any_call(
    line: str, tmp_path: Path
) -> None:
    """
    The error names the program and where it was looked for.
    """
    with command(tmp_path, line) as backend, pytest.raises(AgentSetupError) as caught:
        backend.prepare()

    where = {"/": "/etc/passwd", ".": str(tmp_path)}.get(line[0], PATH)
    assert repr(line) in str(caught.value)
    assert where in str(caught.value)


def test_a_program_that_vanishes_stops_the_run(tmp_path: Path) -> None:
    """
    What was there at the beginning and is not any more can pass in no later trial.
    """
    with command(tmp_path, "./gone") as backend:
        reply = backend.attempt(a_call(room=a_room(tmp_path)))

    assert ErrorKind.MISSING_PROGRAM is kind(reply)


def test_secrets_leave_neither_answer_nor_errors(tmp_path: Path) -> None:
    """
    Both streams are redacted before anything else sees them.
    """
    reply = reply_of(
        tmp_path, "sh -c 'echo is hush-hush-hush; echo hush-hush-hush >&2'"
    )

    assert "is [redacted]" == reply.answer
    assert "[redacted]\n" == reply.errors


def test_the_powers_of_the_job_stay_with_the_job(tmp_path: Path) -> None:
    """
    Of the environment the program gets what is harmless, and folders of its own.
    """
    kept = {"PATH": PATH, "LANG": "C.UTF-8", "HTTPS_PROXY": "http://proxy:1"}
    powers = {
        *("MY_API_KEY", "GITHUB_SHA", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY"),
        *("ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_TOKEN"),
        *("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "INPUT_LOOPS"),
        *("RELIABILITY_LOOPS", "RUNNER_TEMP", "GH_TOKEN", "GITHUB_PATH", "STATE_x"),
    }
    environ = {**kept, **dict.fromkeys(powers, "power"), "HOME": "/root"}
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = json.loads(
        reply_of(tmp_path, f'python3 -c "{program}"', environ=environ).answer
    )

    assert kept == {name: seen.get(name) for name in kept}
    assert set() == powers & set(seen)
    assert str(tmp_path / "room/home") == seen["HOME"]
    assert str(tmp_path / "room/tmp") == seen["TMPDIR"]


def test_what_one_trial_leaves_at_home_does_not_help_the_next(tmp_path: Path) -> None:
    """
    HOME and TMPDIR are new for each trial, so no trial learns from another.
    """
    script = """
    for folder in "$HOME" "$TMPDIR"; do
      [ -z "$(ls -A "$folder")" ] || exit 1
      touch "$folder/left"
    done
    echo Hello
    """
    result = run_command(tmp_path, script, loops="4")

    assert ["pass"] * 4 == outcomes(result)


def test_a_failing_program_is_fail_in_the_log_with_its_evidence(tmp_path: Path) -> None:
    """
    Exit code and standard error are there for whoever asks why.
    """
    result = run_command(tmp_path, "echo Hello; echo why >&2; exit 7", loops="1")
    (attempt,) = [one for one in events(result) if one.event == "attempt_finished"]

    assert ["fail"] == outcomes(result)
    assert 7 == attempt.fields["exit_code"]
    assert "why\n" == attempt.fields["errors"]
    assert "Hello" == attempt.fields["answer"]
    assert not attempt.fields["infrastructure"]


def test_files_that_the_command_names_are_compared_by_their_hashes(
    tmp_path: Path,
) -> None:
    """
    Two runs of another script under the same name are not of the same agent.
    """
    os.mkfifo(tmp_path / "fifo")
    options = {"command": "sh agent.sh fifo . no-such-file"}
    first = run_command(tmp_path, "echo Hello", **options)
    second = run_command(tmp_path, "echo Hello, Hello", **options)
    prints = [result.fingerprint["agent.sh_sha256"] for result in (first, second)]

    assert prints[0] == hashlib.sha256(b"echo Hello").hexdigest()
    assert prints[1] == hashlib.sha256(b"echo Hello, Hello").hexdigest()
    assert not {"fifo_sha256", "._sha256", "no-such-file_sha256"} & {*first.fingerprint}


def test_of_a_worktree_the_commit_is_compared_and_no_file_of_the_workspace(
    tmp_path: Path,
) -> None:
    """
    The agent sees the commit's script, whatever the workspace has under that name.
    """
    absolute = tmp_path / "absolute.sh"
    absolute.write_text("echo other", encoding="utf-8")
    script = tmp_path / "agent.sh"
    script.write_text("echo Hello", encoding="utf-8")
    git = ("git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@x")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "one")):
        subprocess.run([*git, *words], check=True, env={"PATH": os.environ["PATH"]})
    script.write_text("exit 1", encoding="utf-8")
    command = f"sh agent.sh {absolute}"
    result = run_command(tmp_path, "exit 1", command=command, isolation="worktree")

    assert "agent.sh_sha256" not in result.fingerprint
    assert f"{absolute}_sha256" in result.fingerprint
    assert "commit" in result.fingerprint
    assert {"pass"} == set(outcomes(result))
