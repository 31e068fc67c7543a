"""
The check `files`: what the agent left in its folder.

What exists and what it holds is read from the folder itself, without following links.
What changed comes from the comparison that the log keeps as evidence; it names at most
200 files, and where more changed than that, a check that would need the others cannot
decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from posixpath import relpath
from typing import TYPE_CHECKING, Any, ClassVar

from reliability.checks.base import BaseCheck, label_of
from reliability.checks.diffs import changed_lines
from reliability.checks.globs import matches, may_match_below
from reliability.checks.places import READ_CAP_BYTES, Found, look, require_inside
from reliability.errors import CheckError
from reliability.grades import Grade

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reliability.grades import Evidence

_NOT_THERE = "which is not there"
_LEFT_OUT = "more files changed than the evidence names"
_CUT_NAME = re.compile(r".{500}\.\.\.", re.DOTALL)
"""How the evidence tells a path that is too long for it."""


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

    def __post_init__(self) -> None:
        """
        Refuse what no folder could satisfy, or any folder would.

        Raises:
            ValueError: when a path leads out of the folder, or nothing is asked.
        """
        lists = (self.exist, self.absent, self.changed, self.unchanged)
        for path in (*(path for paths in lists for path in paths), *self.contain):
            require_inside(path)
        if not (any(lists) or self.contain or self.max_changed_lines is not None):
            raise ValueError("it says nothing that the files should be")

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
            found = look(folder, path)
            if not found.is_there:
                yield f"expected the file {path}, {found.obstacle or _NOT_THERE}"
        for path in self.absent:
            found = look(folder, path)
            if found.is_there or found.obstacle:
                yield f"expected no file {path}, {found.obstacle or 'which is there'}"
        for path, text in self.contain.items():
            lack = _lack(look(folder, path, read=True), text)
            if lack:
                yield f"expected the file {path} to contain {text!r}, {lack}"

    def _changes(self, workspace: Mapping[str, Any]) -> Iterator[str]:
        if not (self.changed or self.unchanged or self.max_changed_lines is not None):
            return
        unknown = workspace.get("unknown") or workspace.get("incomplete")
        if unknown:
            raise CheckError(f"files cannot decide what changed: {unknown}")
        paths = changed_paths(workspace)
        is_all = not workspace.get("left_out") and not any(map(_is_cut, paths))
        for pattern in self.changed:
            if not any(_concerns(pattern, path) for path in paths):
                _require(is_all)
                yield f"expected a change of {pattern}, got {_told(paths)}"
        for pattern in self.unchanged:
            met = [path for path in paths if _concerns(pattern, path)]
            if met:
                yield f"expected no change of {pattern}, got {_told(met)}"
                continue
            _require(is_all)
            _require_known(pattern, _paths(workspace, "removed"))
        if self.max_changed_lines is not None:
            yield from self._size(workspace)

    def _size(self, workspace: Mapping[str, Any]) -> Iterator[str]:
        lines, is_whole = changed_lines(str(workspace.get("diff", "")))
        assert self.max_changed_lines is not None, "_changes looked"  # noqa: S101
        if lines > self.max_changed_lines:
            most = f"at most {self.max_changed_lines} changed lines"
            yield f"expected {most}, got {lines}{'' if is_whole else ' or more'}"
        elif not is_whole or workspace.get("left_out") or workspace.get("removed"):
            why = "the diff does not tell all lines (those of removed files, too)"
            raise CheckError(f"max-changed-lines cannot decide: {why}")


def changed_paths(workspace: Mapping[str, Any]) -> list[str]:
    """
    Return the paths that the evidence names as added, changed or removed, sorted.

    They are relative to the agent's folder, which may be below the tree's top.
    """
    kinds = ("added", "changed", "removed")
    return sorted(path for kind in kinds for path in _paths(workspace, kind))


def _paths(workspace: Mapping[str, Any], kind: str) -> list[str]:
    top = str(workspace.get("folder", ""))
    return [_relative(str(path), top) for path in workspace.get(kind, ())]


def _relative(path: str, top: str) -> str:
    if not top:
        return path
    return relpath(path, top) + ("/" if path.endswith("/") else "")


def _lack(found: Found, text: str) -> str:
    """
    Return why what was found does not contain *text*; empty when it does.

    What it has instead is not shown: a cut could leave half a secret of it.
    """
    if not found.is_there:
        return found.obstacle or _NOT_THERE
    if found.text is None:
        return f"but {found.unread}"
    if text in found.text:
        return ""
    where = f", its first {READ_CAP_BYTES} bytes," if found.is_cut else ""
    return f"got {len(found.text)} characters{where} without it"


def _concerns(pattern: str, path: str) -> bool:
    """
    Tell whether a pattern means a path of the evidence, where folders end in `/`.

    A file that became a folder is told as one.
    """
    return matches(pattern, path) or (
        path.endswith("/") and matches(pattern, path[:-1])
    )


def _is_cut(path: str) -> bool:
    return _CUT_NAME.fullmatch(path) is not None


def _require_known(pattern: str, removed: Sequence[str]) -> None:
    """
    Raise when a folder was removed in which *pattern* may have meant something.

    Such a folder may stand for all that was in it.
    """
    for folder in removed:
        is_told = any(one != folder and one.startswith(folder) for one in removed)
        if folder.endswith("/") and not is_told and may_match_below(pattern, folder):
            text = f"the folder {folder} was removed, with whatever was in it"
            raise CheckError(f"files cannot decide whether {pattern} changed: {text}")


def _require(known: bool) -> None:
    if not known:
        raise CheckError(f"files cannot decide: {_LEFT_OUT}")


def _told(paths: Sequence[str]) -> str:
    if not paths:
        return "no change"
    more = len(paths) - 5
    return ", ".join(paths[:5]) + (f" and {more} more" if more > 0 else "")
