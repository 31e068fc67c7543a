"""
Folders for tests of isolation: what is in one, and where another user may go.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.runs import PATH

from reliability.agents.user import User, choose_user
from reliability.choices import Isolation
from reliability.clock import SystemClock
from reliability.engine.tools import Tools
from reliability.engine.workspace import Rooms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can run a child as another user"
)
OURSELVES = User(name="ourselves")


def tools(cancel: threading.Event | None = None) -> Tools:
    """
    Return the tools of a run.
    """
    return Tools(
        {"PATH": PATH},
        name=f"test-{os.urandom(4).hex()}",
        clock=SystemClock(),
        cancel=cancel or threading.Event(),
    )


@contextmanager
def rooms(workspace: Path, **changes: Any) -> Iterator[Rooms]:
    """
    Open the rooms of a run, and close them.
    """
    usual: dict[str, Any] = {
        "workspace": workspace,
        "isolation": Isolation.COPY,
        "user": OURSELVES,
        "tools": tools(),
        "output_dir": workspace / "out",
    }
    opened = Rooms(**usual | changes)
    try:
        yield opened
    finally:
        opened.close()


def nobody() -> User:
    """
    Return whom agents run as when we are root.
    """
    return choose_user("")


@contextmanager
def open_folder() -> Iterator[Path]:
    """
    Make a folder that other users can read; pytest's own are closed to them.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def picture(
    top: Path, *, without: Collection[str] = ("out", "agent.sh"), times: bool = True
) -> dict[str, tuple[Any, ...]]:
    """
    Return everything that can be known of what is in a folder, but for access times.

    Args:
        without: Names of entries of *top* that are left out.
        times: Also when each was changed.
    """
    taken = {}
    for place in [top, *sorted(top.rglob("*"))]:
        inside = place.relative_to(top)
        if inside.parts[:1] and inside.parts[0] in without:
            continue
        status = place.lstat()
        content: bytes | str = b""
        if stat.S_ISREG(status.st_mode):
            content = place.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = str(place.readlink())
        is_file = not stat.S_ISDIR(status.st_mode)
        taken[str(inside)] = (
            *(status.st_mode, status.st_uid, status.st_gid),
            *(is_file and status.st_nlink, content),
            times and inside.parts != () and status.st_mtime_ns,
        )
    return taken
