"""
The check `files`: what the agent left in its folder.

What exists and what it holds is read from the folder itself, without following links.
What changed comes from the comparison that the log keeps as evidence; it names at most
200 files, and where more changed than that, a check that would need the others cannot
decide.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from reliability.checks.base import BaseCheck, label_of
from reliability.errors import CheckError
from reliability.grades import Grade

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reliability.grades import Evidence

READ_CAP_BYTES = 4 * 1024 * 1024
_LEFT_OUT = "more files changed than the evidence names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files(BaseCheck):
    """
    Files in the agent's folder are as they should be.

    Args:
        exist, absent: Paths relative to the folder.
        changed: Patterns (`*`, `**`, `?`), each of which a changed, added or removed
            file must match.
        unchanged: Patterns that none may match.
        contain: Texts by path.
        max_changed_lines: Most lines added and removed, of the text files together.
    """

    KIND: ClassVar[str] = "files"
    SHORT: ClassVar[str] = "exist"
    exist: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    contain: dict[str, str] = field(default_factory=dict)
    max_changed_lines: int | None = None

    @property
    def label(self) -> str:
        """
        What is looked at.
        """
        named = {
            "exist": self.exist,
            "absent": self.absent,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "contain": tuple(self.contain),
        }
        parts = [f"{name} {', '.join(paths)}" for name, paths in named.items() if paths]
        if self.max_changed_lines is not None:
            parts.append(f"at most {self.max_changed_lines} changed lines")
        return label_of(self.KIND, "; ".join(parts))

    @property
    def needs_folder(self) -> bool:
        """
        Tell whether it looks into the agent's folder: for changes too, once.
        """
        return True

    def grade(self, evidence: Evidence) -> Grade:
        """
        Look at each file.

        Raises:
            CheckError: when the folder is gone, or the evidence does not reach.
        """
        problems = [*self._content(evidence), *self._changes(evidence.workspace)]
        return Grade.of("; ".join(problems))

    def _content(self, evidence: Evidence) -> Iterator[str]:
        if not (self.exist or self.absent or self.contain):
            return
        if evidence.leavings is None:
            raise CheckError("files cannot decide: the agent's folder is gone")
        folder = evidence.leavings.folder
        for path in self.exist:
            if _stat(folder, path) is None:
                yield f"expected the file {path}, which is not there"
        for path in self.absent:
            if _stat(folder, path) is not None:
                yield f"expected no file {path}, which is there"
        for path, text in self.contain.items():
            content = _read(folder, path)
            if content is None:
                yield f"expected the file {path} with {text!r}, which is not there"
            elif text not in content:
                yield f"expected the file {path} to contain {text!r}"

    def _changes(self, workspace: Mapping[str, Any]) -> Iterator[str]:
        if not (self.changed or self.unchanged or self.max_changed_lines is not None):
            return
        if "unknown" in workspace or workspace.get("incomplete"):
            raise CheckError("files cannot decide: not all that changed is known")
        paths = changed_paths(workspace)
        left_out = bool(workspace.get("left_out"))
        for pattern in self.changed:
            if not any(matches(pattern, path) for path in paths):
                _require(not left_out)
                yield f"expected a change of {pattern}, got {_told(paths)}"
        for pattern in self.unchanged:
            met = [path for path in paths if matches(pattern, path)]
            if met:
                yield f"expected no change of {pattern}, got {_told(met)}"
            else:
                _require(not left_out)
        if self.max_changed_lines is not None:
            yield from self._size(workspace)

    def _size(self, workspace: Mapping[str, Any]) -> Iterator[str]:
        diff = str(workspace.get("diff", ""))
        lines = sum(
            line[:1] in {"+", "-"} and line[:4] not in {"+++ ", "--- "}
            for line in diff.splitlines()
        )
        assert self.max_changed_lines is not None, "_changes looked"  # noqa: S101
        if lines > self.max_changed_lines:
            most = f"at most {self.max_changed_lines} changed lines"
            yield f"expected {most}, got {lines}"
        elif "[the rest is left out]" in diff or "[no diff of " in diff:
            raise CheckError("max-changed-lines cannot decide: the diff is not whole")


def changed_paths(workspace: Mapping[str, Any]) -> list[str]:
    """
    Return the paths that the evidence names as added, changed or removed, sorted.
    """
    kinds = ("added", "changed", "removed")
    return sorted(str(path) for kind in kinds for path in workspace.get(kind, ()))


def matches(pattern: str, path: str) -> bool:
    """
    Tell whether a glob matches a whole path: `*` and `?` stop at `/`, `**` does not.

    Linear in the path for each `*`; both come from files, the pattern from the user's.
    """
    return re.fullmatch(_translated(pattern), path) is not None


def _translated(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?+", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "(?s:" + "".join(meaning.get(one, re.escape(one)) for one in pieces) + ")"


def _require(known: bool) -> None:
    if not known:
        raise CheckError(f"files cannot decide: {_LEFT_OUT}")


def _told(paths: Sequence[str]) -> str:
    if not paths:
        return "no change"
    more = len(paths) - 5
    return ", ".join(paths[:5]) + (f" and {more} more" if more > 0 else "")


def _open_parent(folder: Path, path: str) -> int | None:
    """
    Return a descriptor of the folder that holds *path*; None when it is not there.

    No link is followed on the way: the agent made what is there.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in PurePosixPath(path).parent.parts:
        try:
            inner = os.open(part, flags, dir_fd=here)
        except OSError:
            return None
        finally:
            os.close(here)
        here = inner
    return here


def _stat(folder: Path, path: str) -> os.stat_result | None:
    parent = _open_parent(folder, path)
    if parent is None:
        return None
    try:
        return os.stat(PurePosixPath(path).name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return None
    finally:
        os.close(parent)


def _read(folder: Path, path: str) -> str | None:
    """
    Return the beginning of a regular file, up to the cap; None when it is none.
    """
    found = _stat(folder, path)
    parent = _open_parent(folder, path)
    if found is None or parent is None:
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(PurePosixPath(path).name, flags, dir_fd=parent)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
            if not os.path.isfile(file.fileno()):  # noqa: PTH113 - a descriptor
                return None
            return file.read(READ_CAP_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(parent)
