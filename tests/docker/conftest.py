"""
What the tests of the image share: the tree, the image built from it, a workspace.

Everything is skipped, with its reason, where no engine answers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import containers
import pytest

ROOT = Path(__file__).parents[2]

# The runner's user: results must be handed to whoever owns the workspace.
RUNNER_UID = 1001


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A copy of every file of the project that git has or would add.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    copy = tmp_path_factory.mktemp("tree") / "reliability-action"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def image(tree: Path) -> str:
    """
    The image of this tree, built as the runner builds it.
    """
    containers.skip_without_engine()
    containers.build(tree, containers.IMAGE)
    return containers.IMAGE


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """
    An empty checkout that belongs to the runner's user, or to us when we are not root.
    """
    folder = tmp_path / "workspace"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, RUNNER_UID, RUNNER_UID)
    return folder
