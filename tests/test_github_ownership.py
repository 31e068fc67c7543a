"""
Results belong to the workspace's owner afterwards, and nothing else does.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from reliability.github.ownership import hand_back

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give away")
OWNER = 1001


@pytest.fixture(name="workspace")
def make_workspace(tmp_path: Path) -> Path:
    """
    Return a workspace of another user, with results of ours in it.
    """
    workspace = tmp_path / "workspace"
    (workspace / "results" / "side").mkdir(parents=True)
    (workspace / "results" / "report.html").write_text("report")
    (workspace / "results" / "chat.jsonl").write_text("log")
    (workspace / "results" / "side" / "answer.txt").write_text("answer")
    (workspace / "results" / "report.html").chmod(0o600)
    (workspace / "results" / "chat.jsonl").chmod(0o400)
    (workspace / "results").chmod(0o700)
    if os.geteuid() == 0:
        os.chown(workspace, OWNER, OWNER)
    return workspace


def describe(path: Path) -> tuple[int, int, str]:
    """
    Return owner, group and permissions.
    """
    found = path.lstat()
    return found.st_uid, found.st_gid, oct(stat.S_IMODE(found.st_mode))


def count_open() -> int:
    """
    Return how many descriptors this process has open.
    """
    return len(list(Path("/proc/self/fd").iterdir()))


@needs_root
def test_results_belong_to_the_owner_of_the_workspace(workspace: Path) -> None:
    """
    Files and folders are handed back with plain permissions; the log stays read-only.
    """
    results = workspace / "results"

    assert hand_back([results], like=workspace) == ()
    assert describe(results) == (OWNER, OWNER, "0o755")
    assert describe(results / "report.html") == (OWNER, OWNER, "0o644")
    assert describe(results / "chat.jsonl") == (OWNER, OWNER, "0o444")
    assert describe(results / "side") == (OWNER, OWNER, "0o755")
    assert describe(results / "side" / "answer.txt") == (OWNER, OWNER, "0o644")


@needs_root
def test_only_what_was_named_changes(workspace: Path) -> None:
    """
    A neighbour of a named file keeps its owner.
    """
    results = workspace / "results"
    before = describe(results / "chat.jsonl")

    assert hand_back([results / "report.html"], like=workspace) == ()
    assert describe(results / "report.html") == (OWNER, OWNER, "0o644")
    assert before == describe(results / "chat.jsonl")


@needs_root
@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_nothing_outside_is_reached(workspace: Path, tmp_path: Path, kind: str) -> None:
    """
    A link, a second name or a pipe among the results is reported and left alone.
    """
    outside = tmp_path / "outside"
    outside.write_text("shadow")
    before = describe(outside)
    planted = workspace / "results" / "planted"
    if kind == "link":
        planted.symlink_to(outside)
    elif kind == "hard link":
        planted.hardlink_to(outside)
    else:
        os.mkfifo(planted)
    problems = hand_back([workspace / "results"], like=workspace)

    assert len(problems) == 1
    assert f"{str(planted)!r} still belongs to root" in problems[0]
    assert before == describe(outside)
    assert describe(workspace / "results" / "report.html") == (OWNER, OWNER, "0o644")


@needs_root
def test_link_in_the_middle_of_a_path_is_not_followed(
    workspace: Path, tmp_path: Path
) -> None:
    """
    A folder of the way that has become a link leads nowhere.
    """
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "report.html").write_text("not ours")
    before = describe(outside / "report.html")
    (workspace / "results").rename(workspace / "moved")
    (workspace / "results").symlink_to(outside)
    problems = hand_back([workspace / "results" / "report.html"], like=workspace)

    assert len(problems) == 1
    assert before == describe(outside / "report.html")


@needs_root
def test_what_fails_is_said_and_the_rest_is_done(workspace: Path) -> None:
    """
    A missing result keeps no other from being handed back.
    """
    results = workspace / "results"
    problems = hand_back([results / "missing", results / "report.html"], like=workspace)

    expected = (
        f"{str(results / 'missing')!r} still belongs to root: "
        "No such file or directory."
    )
    assert problems == (expected,)
    assert describe(results / "report.html") == (OWNER, OWNER, "0o644")


@needs_root
def test_missing_workspace_is_a_problem_not_an_error(tmp_path: Path) -> None:
    """
    Without a workspace there is nobody to hand back to, and the run goes on.
    """
    assert len(hand_back([tmp_path], like=tmp_path / "none")) == 1


@needs_root
def test_descriptors_are_closed(workspace: Path) -> None:
    """
    Handing back leaves no file open, whatever it met.
    """
    (workspace / "results" / "link").symlink_to("report.html")
    before = count_open()
    hand_back([workspace / "results", workspace / "none" / "x"], like=workspace)

    assert before == count_open()


def test_nothing_happens_unless_we_are_root(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    On a laptop, files stay as their owner made them.
    """
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    before = describe(workspace / "results" / "report.html")

    assert hand_back([workspace / "results"], like=workspace) == ()
    assert before == describe(workspace / "results" / "report.html")
