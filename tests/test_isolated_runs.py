"""
Whole runs of programs in rooms of their own: what they find, and what they leave.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from fakes.folders import needs_root, open_folder, picture
from fakes.runs import (
    ENVIRON,
    PATH,
    events,
    outcomes,
    run_command,
    run_simulated,
    texts,
)
from hypothesis import HealthCheck, given, settings, strategies as st

from reliability.errors import AgentSetupError, UsageError
from reliability.kinds import ErrorKind
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

COPY = {"isolation": "copy", "run_as": "", "delay": "0"}
USERS = ["", "root"]
VANDAL = """
echo more >> file; rm -r sub; chmod 777 run; : > other; mkdir -p new/folder
echo new > new/folder/file; ln -sf /etc/passwd link; mv run ran; touch -d @0 .
echo Hello
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """
    A workspace with a few files, closed to other users as pytest's folders are.
    """
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    for name in ("file", "other", "run", "sub/inner"):
        (folder / name).write_text(f"{name}\n", encoding="utf-8")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("file")
    return folder


def run_in(folder: Path, script: str, **given: str) -> RunResult:
    """
    Run a script as the agent, in a copy unless *given* says otherwise.
    """
    options = {name.replace("_", "-"): text for name, text in (COPY | given).items()}
    return run_command(folder, script, **options)


def attempts(result: RunResult) -> list[dict[str, Any]]:
    """
    Return what the log has of each attempt.
    """
    return [
        dict(event.fields)
        for event in events(result)
        if event.event == "attempt_finished"
    ]


def left_by(result: RunResult) -> dict[str, Any]:
    """
    Return the evidence of what the only attempt left behind.
    """
    (attempt,) = attempts(result)
    evidence: dict[str, Any] = attempt["evidence"]
    return evidence


@pytest.mark.parametrize("run_as", USERS)
def test_the_workspace_is_as_it_was(run_as: str, workspace: Path) -> None:
    """
    Whatever an agent does in its folder, and whoever it is.
    """
    before = picture(workspace)
    result = run_in(workspace, VANDAL, loops="2", run_as=run_as)

    assert ["pass", "pass"] == outcomes(result)
    assert before == picture(workspace)


DEEDS = [
    *("echo x >> {}", "rm -rf {}", "chmod 000 {}", "chmod 777 {}", ": > {}"),
    *("touch -d @1 {}", "mv {} moved", "ln -f {} hard", "ln -sfn /etc {}"),
    *("mkdir -p {}/deep", "mkfifo {}.pipe", "truncate -s 1G {}", "cp file {}"),
    *("rm -rf {0}; mkdir {0}", "sed -i s/i/o/ {}", "echo x | tee {} >&2"),
]
PLACES = ["file", "other", "run", "sub", "sub/inner", "link", ".", "new"]


@pytest.mark.crash
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(PLACES)), max_size=12),
    st.sampled_from(USERS),
)
def test_no_deed_of_an_agent_reaches_the_workspace(
    workspace: Path, deeds: list[tuple[str, str]], run_as: str
) -> None:
    """
    Deeds in any order; the next trial finds everything as the first one did.
    """
    lines = ["ls -lR | cksum >&2; cat file"]
    lines += [f"({deed.format(place)})" for deed, place in deeds]
    script = "\n".join([*lines, "true"])
    (workspace / "agent.sh").write_text(script, encoding="utf-8")
    before = picture(workspace)
    result = run_simulated(
        workspace,
        **{
            **{name.replace("_", "-"): text for name, text in COPY.items()},
            "backend": "command",
            "command": "sh agent.sh",
            "simulator": "",
            "run-as": run_as,
            "loops": "2",
            "expect": "file",
        },
    )
    first, second = attempts(result)

    assert before == picture(workspace)
    assert ["pass", "pass"] == outcomes(result)
    assert first["errors"].split("\n")[0] == second["errors"].split("\n")[0]


def test_what_one_trial_leaves_does_not_help_the_next(workspace: Path) -> None:
    """
    An agent that cheats with what it left, or with an earlier log, gets no further.
    """
    script = "ls -A; test -e left && echo Hello; touch left; true"
    (workspace / "out").mkdir()
    (workspace / "out" / "old.jsonl").write_text("Hello", encoding="utf-8")
    result = run_in(workspace, script, loops="3")

    assert ["fail"] * 3 == outcomes(result)
    assert all("out" not in each["answer"].split() for each in attempts(result))


def test_trials_see_the_same_place_one_after_the_other(workspace: Path) -> None:
    """
    The path is part of a prompt that a cache may know.
    """
    result = run_in(workspace, 'echo Hello; pwd; echo "$HOME"', loops="3")
    answers = {attempt["answer"] for attempt in attempts(result)}

    assert 1 == len(answers)
    assert "/1/work/project\n" in answers.pop()


def test_parallel_trials_do_not_meet(workspace: Path) -> None:
    """
    Each has a folder, a HOME and a TMPDIR of its own.
    """
    script = """
    for folder in . "$HOME" "$TMPDIR"; do
      test -e "$folder/mark" && exit 1
      touch "$folder/mark"
    done
    sleep 0.2; pwd; echo Hello
    """
    options = {"parallel": "true", "max-workers": "4", "loops": "4"}
    result = run_in(workspace, script, **options)

    assert ["pass"] * 4 == outcomes(result)
    assert 4 == len({attempt["answer"] for attempt in attempts(result)})


def test_what_an_agent_left_is_in_the_log(workspace: Path) -> None:
    """
    Names, and a diff of what is text.
    """
    evidence = left_by(run_in(workspace, VANDAL, loops="1"))["workspace"]

    assert ["new/", "new/folder/", "new/folder/file", "ran"] == evidence["added"]
    assert ["file", "link", "other"] == evidence["changed"]
    assert ["run", "sub/"] == evidence["removed"]
    assert 0 == evidence["left_out"]
    assert "--- a/file\n+++ b/file\n@@ -1 +1,2 @@\n file\n+more\n" in evidence["diff"]


def test_of_an_agent_that_changed_nothing_nothing_is_said(workspace: Path) -> None:
    """
    Neither an empty diff nor a word.
    """
    assert "workspace" not in left_by(run_in(workspace, "cat file", loops="1"))


def test_home_is_no_part_of_the_evidence(workspace: Path) -> None:
    """
    What a program keeps for itself is its own affair.
    """
    script = 'echo x > "$HOME/x"; echo x > "$TMPDIR/x"; echo Hello'

    assert "workspace" not in left_by(run_in(workspace, script, loops="1"))


def test_a_failed_attempt_keeps_its_evidence_too(workspace: Path) -> None:
    """
    That is when somebody wants to look.
    """
    evidence = left_by(run_in(workspace, "echo x > file; exit 3", loops="1"))

    assert ["file"] == evidence["workspace"]["changed"]


def test_without_isolation_changes_stay_and_it_says_so(workspace: Path) -> None:
    """
    The next trial finds them; nothing is compared.
    """
    script = "cat file; echo Hello >> file"
    result = run_in(workspace, script, isolation="none", run_as="root", loops="2")

    assert ["fail", "pass"] == outcomes(result)
    assert "file\nHello\nHello\n" == (workspace / "file").read_text(encoding="utf-8")
    assert any("isolation is none" in text for text in result.warnings)
    assert "workspace" not in attempts(result)[0]["evidence"]


def make_repository(folder: Path) -> None:
    """
    Commit all that is in a folder.
    """
    person = ("-c", "user.name=t", "-c", "user.email=t@t")
    for words in (
        ("init", "--quiet"),
        ("add", "."),
        (*person, "commit", "--quiet", "--message=first"),
    ):
        subprocess.run(
            ["git", "-C", str(folder), *words],
            env={**ENVIRON, "HOME": os.devnull},
            check=True,
            timeout=20,
        )


@pytest.mark.parametrize("run_as", USERS)
def test_a_worktree_has_the_commit_and_leaves_the_repository_alone(
    run_as: str, workspace: Path
) -> None:
    """
    Also when the agent commits, and when the repository is another owner's.
    """
    script = """
    cat file >&2; ls >&2; echo agent > file
    git -c user.name=a -c user.email=a@b commit --quiet --all --message=agent >&2
    rm -r sub .git; echo Hello
    """
    (workspace / "agent.sh").write_text(script, encoding="utf-8")
    make_repository(workspace)
    (workspace / "file").write_text("not committed\n", encoding="utf-8")
    (workspace / "untracked").touch()
    if os.geteuid() == 0:
        for path in [workspace, *workspace.rglob("*")]:
            os.chown(path, 1001, 1001, follow_symlinks=False)
    # Who has our rights renews the time of an object that git has already.
    times = os.geteuid() == 0 and run_as != "root"
    before = picture(workspace, times=times)
    result = run_in(workspace, script, isolation="worktree", run_as=run_as, loops="2")

    assert ["pass", "pass"] == outcomes(result)
    assert before == picture(workspace, times=times)
    for attempt in attempts(result):
        assert attempt["errors"].startswith("file\nagent.sh\nfile\nlink\n")
        assert "untracked" not in attempt["errors"]
        assert ["file"] == attempt["evidence"]["workspace"]["changed"]
        assert [".git/", "sub/"] == attempt["evidence"]["workspace"]["removed"]


def test_no_repository_is_found_before_any_trial(workspace: Path) -> None:
    """
    Nothing was called, and no log is begun.
    """
    with pytest.raises(AgentSetupError, match="needs a repository"):
        run_in(workspace, "echo Hello", isolation="worktree")

    assert not (workspace / "out").exists()


def test_a_command_sees_what_the_user_names_and_nothing_else(workspace: Path) -> None:
    """
    An API key of the job's environment is not an agent's.
    """
    (workspace / "agent.sh").write_text("env -0", encoding="utf-8")
    environ = {
        **ENVIRON,
        **dict.fromkeys(("MY_KEY", "OTHER_KEY", "GITHUB_TOKEN", "INPUT_X"), "value"),
    }
    given = {"backend": "command", "command": "sh agent.sh", "simulator": ""}
    result = run(
        Settings.from_text(
            texts(workspace, **given, expect="PATH", loops="1", pass_env="MY_KEY")
        ),
        environ=environ,
        workspace=workspace,
    )
    seen = {pair.split("=", 1)[0] for pair in attempts(result)[0]["answer"].split("\0")}
    own = {"HOME", "TMPDIR", "PWD", "RELIABILITY_TRIAL_ID"}
    if os.geteuid() == 0:
        own |= {"USER", "LOGNAME"}

    assert {"PATH", "MY_KEY"} | own == seen - {"", "OLDPWD", "_", "SHLVL"}


def test_set_up_prepares_each_attempt_and_is_no_deed_of_the_agents(
    workspace: Path,
) -> None:
    """
    In its folder, with its HOME, as its user; its time is not the agent's.
    """
    program = 'id -u; pwd; echo "$HOME"; mkdir lib; echo 1 > lib/x; sleep 0.3'
    script = 'cat lib/x >/dev/null && id -u && pwd && echo "$HOME"; echo 2 > own'
    result = run_in(
        workspace,
        f"{script}",
        setup=shlex.join(["sh", "-c", f"({program}) > made-by-setup"]),
        loops="2",
        expect="home",
    )

    assert ["pass", "pass"] == outcomes(result)
    for attempt in attempts(result):
        assert ["own"] == attempt["evidence"]["workspace"]["added"]
        assert [] == attempt["evidence"]["workspace"]["changed"]
        assert attempt["duration_s"] < 0.3


def test_a_set_up_that_fails_makes_the_attempt_invalid(workspace: Path) -> None:
    """
    The agent was never asked, so it has not failed; why is in the log.
    """
    setup = "sh -c 'echo first >&2; echo no network >&2; exit 7'"
    result = run_in(workspace, "echo Hello", setup=setup, loops="1", max_attempts="1")
    (attempt,) = attempts(result)

    assert ["invalid"] == outcomes(result)
    assert ErrorKind.SETUP_FAILED == attempt["kind"]
    assert "setup: exit code 7: no network" == attempt["reason"]
    assert attempt["infrastructure"]


def test_a_set_up_that_fails_once_is_tried_again(workspace: Path) -> None:
    """
    In a fresh room: infrastructure may come back.
    """
    mark = workspace.parent / "mark"
    setup = f"sh -c 'test -e {mark} || {{ touch {mark}; exit 1; }}'"
    result = run_in(workspace, "echo Hello", setup=setup, loops="1", run_as="root")

    assert ["pass"] == outcomes(result)
    assert [ErrorKind.SETUP_FAILED, ""] == [each["kind"] for each in attempts(result)]


def test_a_program_for_set_up_that_is_not_there_is_told(workspace: Path) -> None:
    """
    By its name, as an infrastructure problem.
    """
    result = run_in(
        workspace, "echo Hello", setup="no-such-tool", loops="1", max_attempts="1"
    )

    assert "Command not found: 'no-such-tool'" in attempts(result)[0]["reason"]


@pytest.mark.parametrize("script", ["echo Hello", "exit 1"])
def test_teardown_runs_whatever_came_of_the_attempt(
    script: str, workspace: Path
) -> None:
    """
    It sees what the agent left; its failure is evidence and nothing else.
    """
    teardown = "sh -c 'ls >&2; echo torn >> file; exit 5'"
    result = run_in(
        workspace, f"touch left; {script}", teardown=teardown, loops="1", run_as="root"
    )
    evidence = left_by(result)

    assert ["fail" if "exit" in script else "pass"] == outcomes(result)
    assert "exit code 5" == evidence["teardown"]["end"]
    assert "left\n" in evidence["teardown"]["errors"]
    assert [] == evidence["workspace"]["changed"]


def test_a_teardown_that_ends_well_is_not_mentioned(workspace: Path) -> None:
    """
    No news.
    """
    result = run_in(workspace, "echo Hello", teardown="true", loops="1")

    assert "teardown" not in left_by(result)


@pytest.mark.parametrize("name", ["setup", "teardown"])
def test_commands_around_an_attempt_need_a_folder(name: str, tmp_path: Path) -> None:
    """
    A backend without processes has none.
    """
    with pytest.raises(UsageError, match=f"A {name} command is given"):
        Settings.from_text(texts(tmp_path, **{name: "true"}))


def test_an_unknown_user_is_found_before_any_trial(workspace: Path) -> None:
    """
    Nothing was called, and no log is begun.
    """
    with pytest.raises(UsageError, match="run-as is 'no-such-user'"):
        run_in(workspace, "echo Hello", run_as="no-such-user")

    assert not (workspace / "out").exists()


@needs_root
def test_a_program_that_is_closed_to_its_user_is_found_before_any_trial(
    workspace: Path,
) -> None:
    """
    An interpreter in the home of root is the usual case.
    """
    closed = workspace.parent / "python"
    closed.write_text("#!/bin/sh\necho Hello\n", encoding="utf-8")
    closed.chmod(0o755)
    with pytest.raises(AgentSetupError, match="cannot be used by user nobody"):
        run_in(workspace, "", command=str(closed))
    (workspace / "tool").write_text(f"#!{closed}\n", encoding="utf-8")
    (workspace / "tool").chmod(0o755)
    with pytest.raises(AgentSetupError, match="run-as: root"):
        run_in(workspace, "", command="./tool")


@needs_root
def test_a_program_of_the_workspace_is_run_from_the_copy(workspace: Path) -> None:
    """
    The workspace may be closed to that user; its copy is not.
    """
    (workspace / "tool").write_text("#!/bin/sh\nid -un; echo Hello\n", encoding="utf-8")
    (workspace / "tool").chmod(0o700)
    result = run_in(workspace, "", command="./tool", loops="1")

    assert ["pass"] == outcomes(result)
    assert "nobody\nHello" == attempts(result)[0]["answer"]


@needs_root
def test_a_workspace_that_is_closed_cannot_be_worked_in(workspace: Path) -> None:
    """
    Without isolation the agent's user must be able to enter it.
    """
    with pytest.raises(AgentSetupError, match="The workspace cannot be used by user"):
        run_in(workspace, "echo Hello", isolation="none")
    with open_folder() as folder:
        result = run_in(folder, "id -un; echo Hello", isolation="none", loops="1")

        assert "nobody\nHello" == attempts(result)[0]["answer"]


def test_the_prompt_file_is_the_agents_to_read(workspace: Path) -> None:
    """
    Also when the agent is another user.
    """
    result = run_in(
        workspace,
        'cat "$1"; stat -c %a "$1"',
        command="sh agent.sh {prompt_file}",
        prompt="Say Hello.",
        loops="1",
    )

    assert "Say Hello.600" == attempts(result)[0]["answer"]


def test_nothing_of_a_run_is_left(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    No room, no origin.
    """
    with open_folder() as folder:
        folder.chmod(0o777)
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        run_in(workspace, VANDAL, loops="3", parallel="true")

        assert [] == list(folder.iterdir())


def test_what_is_known_of_the_folder_is_in_json(workspace: Path) -> None:
    """
    Odd names do not tear the log.
    """
    script = "touch \"$(printf 'a\\377\\nb')\"; mkfifo pipe; ln -s x l; echo Hello"
    evidence = left_by(run_in(workspace, script, loops="1"))["workspace"]

    assert ["a\\xff\\nb", "l", "pipe"] == evidence["added"]
    json.dumps(evidence, allow_nan=False)
    assert PATH
