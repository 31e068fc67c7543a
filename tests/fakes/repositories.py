"""
Real git repositories for tests.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from fakes.runs import ENVIRON

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """
    Run git as somebody whom no configuration knows.
    """
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *words],
        env=ENVIRON,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, tag: str, **files: str) -> None:
    """
    Commit *files* and call the commit *tag*.
    """
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", f"step {tag}")
    git(folder, "tag", tag)


def picture(folder: Path) -> dict[str, bytes]:
    """
    Return every file of a folder, that of git included.
    """
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
