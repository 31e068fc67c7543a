"""
What a copy of the workspace holds, and what it leaves out.
"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.folders import OURSELVES, needs_root, nobody, picture, tools
from fakes.runs import ENVIRON

from reliability.agents.checkout import find_checkout
from reliability.engine.origin import Origin, check_out, copy_workspace
from reliability.engine.tools import ToolError
from reliability.errors import AgentSetupError

if TYPE_CHECKING:
    from collections.abc import Collection

TOKEN = "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46Z2hz"
INCLUDE = """[includeIf "gitdir:/github/workspace/.git"]
\tpath = /github/runner_temp/git-credentials-1-2.config
"""
CONFIG = f"""[core]
\tbare = false
[remote "origin"]
\turl = https://github.com/o/r
[http "https://github.com/"]
\textraheader = {TOKEN}
{INCLUDE}[branch "main"]
\tremote = origin
"""


def copied(workspace: Path, *, without: Collection[Path] = ()) -> Path:
    """
    Return a copy of *workspace* beside it.
    """
    tree = workspace.parent / "copy"
    copy_workspace(workspace, tree, without=without, user=OURSELVES, tools=tools())
    return tree


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """
    A folder with a file three folders down.
    """
    folder = tmp_path / "project"
    (folder / "a" / "b" / "c").mkdir(parents=True)
    (folder / "a" / "b" / "c" / "deep").write_text("deep", encoding="utf-8")
    (folder / "top").write_text("top", encoding="utf-8")
    return folder


@pytest.mark.parametrize("place", ["out", "a/out", "a/b/out", "a/b/c/out"])
def test_the_runs_output_is_left_out_wherever_it_is(
    place: str, workspace: Path
) -> None:
    """
    Earlier logs hold answers; everything beside them is there.
    """
    before = picture(workspace)
    (workspace / place).mkdir()
    (workspace / place / "log.jsonl").write_text("answer", encoding="utf-8")
    for folder in (workspace / place).relative_to(workspace).parents:
        os.utime(workspace / folder, ns=(5, 7))
    tree = copied(workspace, without=[workspace / place])
    found = picture(tree)

    assert not (tree / place).exists()
    assert set(before) == set(found)
    assert "deep" == (tree / "a/b/c/deep").read_text(encoding="utf-8")
    assert 7 == (tree / place).parent.stat().st_mtime_ns


@pytest.mark.parametrize("place", ["/", "..", "../elsewhere", "project-2"])
def test_what_is_not_in_the_workspace_is_no_matter(place: str, workspace: Path) -> None:
    """
    An output folder elsewhere leaves nothing out.
    """
    outside = (workspace.parent / place).resolve()
    tree = copied(workspace, without=[outside])

    assert picture(workspace) == picture(tree)


def test_special_files_are_left_out(workspace: Path) -> None:
    """
    A FIFO would stop whoever reads it, and a socket is nobody's file.
    """
    before = set(picture(workspace))
    os.mkfifo(workspace / "a" / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        # The name of a socket may have 107 bytes only.
        here = Path.cwd()
        os.chdir(workspace / "a" / "b")
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    tree = copied(workspace)

    assert before == set(picture(tree))


def test_links_into_the_workspace_lead_into_the_copy(workspace: Path) -> None:
    """
    What is written through one must not arrive at the user's file.
    """
    links = {
        "absolute": str(workspace / "top"),
        "a/up": f"{workspace}/a/../top",
        "gone": str(workspace / "gone"),
        "self": str(workspace),
        "relative": "a/b",
        "outside": "/etc/hostname",
        "out-and-in": "../project/top",
    }
    for name, target in links.items():
        (workspace / name).symlink_to(target)
    tree = copied(workspace)
    found = {name: os.readlink(tree / name) for name in links}  # noqa: PTH115 - as text

    assert {
        "absolute": "top",
        "a/up": "../top",
        "gone": "gone",
        "self": ".",
        "relative": "a/b",
        "outside": "/etc/hostname",
        "out-and-in": "../project/top",
    } == found


def test_many_and_odd_names_are_copied(workspace: Path) -> None:
    """
    More than one call of cp takes, and some that look like its options.
    """
    odd = os.fsencode(workspace) + b"/a/\xff\n name"
    Path(os.fsdecode(odd)).write_bytes(b"odd")
    for number in range(1100):
        (workspace / "a" / f"-rf {number}").touch()
    os.mkfifo(workspace / "a" / "pipe")
    tree = copied(workspace)

    assert 1102 == len(list((tree / "a").iterdir()))
    assert Path(os.fsdecode(os.fsencode(tree) + b"/a/\xff\n name")).exists()


@needs_root
def test_a_copy_belongs_to_the_agents_user(workspace: Path) -> None:
    """
    Links too, and not what they lead to.
    """
    target = workspace.parent / "target"
    target.touch()
    (workspace / "link").symlink_to(target)
    user = nobody()
    tree = workspace.parent / "copy"
    copy_workspace(workspace, tree, without=(), user=user, tools=tools())

    assert {user.uid} == {path.lstat().st_uid for path in [tree, *tree.rglob("*")]}
    assert 0 == target.stat().st_uid


@pytest.mark.parametrize(
    "place",
    [".git/config", ".git/modules/sub/config", "nested/.git/config.worktree"],
)
def test_a_checkouts_token_is_in_no_copy(place: str, workspace: Path) -> None:
    """
    actions/checkout leaves the job's token in the repository's configuration.
    """
    config = workspace / place
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG, encoding="utf-8")
    config.chmod(0o440)
    (workspace / "config").write_text(CONFIG, encoding="utf-8")
    tree = copied(workspace)
    text = (tree / place).read_text(encoding="utf-8")

    assert TOKEN not in text
    assert "git-credentials" not in text
    assert CONFIG.replace(f"\textraheader = {TOKEN}", "\t").replace(INCLUDE, "") == text
    assert 0o440 == (tree / place).stat().st_mode & 0o777
    assert CONFIG == config.read_text(encoding="utf-8")
    assert CONFIG == (tree / "config").read_text(encoding="utf-8")


def git(folder: Path, *words: str) -> str:
    """
    Run git in a folder and return what it prints.
    """
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(folder), *words],
        env={
            **ENVIRON,
            "HOME": os.devnull,
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@t"),
        },
        text=True,
        capture_output=True,
        check=True,
        timeout=20,
    ).stdout.strip()


@pytest.fixture
def repository(workspace: Path) -> Path:
    """
    Make the workspace a repository with a commit, a token and changes since.
    """
    git(workspace, "init", "--quiet", "--initial-branch=main")
    git(workspace, "add", ".")
    git(workspace, "commit", "--quiet", "--message=first")
    git(workspace, "config", "http.https://github.com/.extraheader", TOKEN)
    (workspace / "top").write_text("changed", encoding="utf-8")
    (workspace / "new").touch()
    return workspace


def checked_out(workspace: Path) -> Origin:
    """
    Return a checkout of the commit of *workspace*.
    """
    (workspace.parent / "origin").mkdir()
    tree = workspace.parent / "origin" / "tree"
    return check_out(workspace, tree, user=OURSELVES, tools=tools())


def test_a_checkout_is_the_commit_and_nothing_else(repository: Path) -> None:
    """
    On its own, without remote and token; the user's repository is as it was.
    """
    before = picture(repository)
    origin = checked_out(repository)
    tree = origin.tree

    assert "top" == (tree / "top").read_text(encoding="utf-8")
    assert not (tree / "new").exists()
    assert git(repository, "rev-parse", "HEAD") == git(tree, "rev-parse", "HEAD")
    assert "" == git(tree, "status", "--porcelain")
    assert "" == git(tree, "remote")
    assert TOKEN not in (tree / ".git" / "config").read_text(encoding="utf-8")
    assert before == picture(repository)


def test_a_commit_in_a_checkout_stays_there(repository: Path) -> None:
    """
    Objects are shared for reading; what is new is the checkout's own.
    """
    before = contents(repository)
    tree = checked_out(repository).tree
    (tree / "top").write_text("agent", encoding="utf-8")
    git(tree, "commit", "--all", "--quiet", "--message=of the agent")

    assert "of the agent" == git(tree, "log", "-1", "--format=%s")
    assert before == contents(repository)


def contents(folder: Path) -> dict[str, bytes]:
    """
    Return every file; not its time, which git renews when it has the same object.
    """
    return {
        str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@needs_root
def test_a_repository_of_another_owner_is_checked_out(repository: Path) -> None:
    """
    As an action meets it: git refuses it to root, save for these calls.
    """
    for path in [repository, *repository.rglob("*")]:
        os.chown(path, 1001, 1001, follow_symlinks=False)

    assert "top" == (checked_out(repository).tree / "top").read_text(encoding="utf-8")


def test_the_agent_works_in_the_same_folder_of_a_checkout(repository: Path) -> None:
    """
    When the workspace is not the top of the repository.
    """
    origin = checked_out(repository / "a" / "b")

    assert "a/b/" == origin.prefix
    assert (origin.tree / origin.prefix / "c" / "deep").exists()


def test_a_folder_that_is_in_no_commit_is_told(repository: Path) -> None:
    """
    There is nothing to work in.
    """
    (repository / "fresh").mkdir()
    with pytest.raises(AgentSetupError, match="'fresh/' is not in commit"):
        checked_out(repository / "fresh")


def test_no_repository_no_checkout(workspace: Path) -> None:
    """
    Neither without a repository nor without a commit nor without git.
    """
    with pytest.raises(AgentSetupError, match="needs a repository with a commit"):
        find_checkout(workspace, ENVIRON)
    git(workspace, "init", "--quiet")
    with pytest.raises(AgentSetupError, match="needs a repository with a commit"):
        find_checkout(workspace, ENVIRON)
    with pytest.raises(AgentSetupError, match="git is not on PATH"):
        find_checkout(workspace, {"PATH": "/nowhere"})


def test_a_tool_that_fails_says_what_it_said(tmp_path: Path) -> None:
    """
    Its last line, which is where the reason is.
    """
    with pytest.raises(ToolError, match="cp failed: cp: cannot stat '/nowhere'"):
        tools().do("cp", "/nowhere", str(tmp_path))
    with pytest.raises(ToolError, match="Command not found"):
        tools().do("no-such-tool")
