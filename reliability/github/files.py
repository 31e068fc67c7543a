"""
The files through which a step hands outputs and its summary to the runner.

Promises: an output arrives exactly as it was given, whatever it holds (a here-document
with a random delimiter for each; actions/runner, FileCommandManager.cs); a write
that fails half-way is undone, because a torn here-document fails the step; links
are not followed. `FileGuard` finds and undoes what somebody else wrote into these
files, which the runner would otherwise take for our word.

Not promised: protection against a process of the same user that writes after the
last look. End every child before `tampered()`.

Trade-off: the guard keeps the files' contents in memory rather than their hashes, so it
can put back what was overwritten; the runner creates these files empty.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.errors import MeasureError
from reliability.github.excerpt import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Of the 1,024 KiB past which the runner drops a summary as a whole; masking can make
# the text longer after us.
SUMMARY_CAP_BYTES = 900 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_APPEND_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT_FLAGS = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """
    A command file that held something other than what we wrote.

    Args:
        name: The name under which the file was guarded.
        is_restored: Whether it holds our content again.
    """

    name: str
    path: Path
    is_restored: bool


class FileGuard:
    """
    Knows what the command files may hold, and puts it back.

    Files that are not regular at the start (a terminal, a pipe) are not guarded;
    missing ones count as empty.

    Args:
        files: What to guard, by a name for messages, such as `GITHUB_ENV`.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        contents = {name: _read(path) for name, path in files.items()}
        self._paths = {name: files[name] for name in files}
        self._expected = {
            name: content for name, content in contents.items() if content is not None
        }

    def wrote(self, path: Path, data: bytes) -> None:
        """
        Expect `data` at the end of a file, because we appended it.
        """
        for name in self._expected:
            if self._paths[name] == path:
                self._expected[name] += data

    def tampered(self) -> tuple[Tampering, ...]:
        """
        Return the files that hold what we did not write, after cutting that away.
        """
        return tuple(
            Tampering(
                name=name,
                path=self._paths[name],
                is_restored=_restore(self._paths[name], content),
            )
            for name, content in self._expected.items()
            if _read(self._paths[name], cap_bytes=len(content) + 1) != content
        )


def write_outputs(
    path: Path, outputs: Mapping[str, str], *, guard: FileGuard | None = None
) -> None:
    """
    Append outputs for later steps to read.

    Args:
        guard: Told what was written, if it guards the file.

    Raises:
        MeasureError: when a name is no plain word, a value holds its delimiter, or
            the file cannot be written. Nothing has been written then.
    """
    data = "".join(_here_document(name, value) for name, value in outputs.items())
    _append(path, data.encode(), guard=guard)


def write_summary(
    path: Path,
    markdown: str,
    *,
    cap_bytes: int = SUMMARY_CAP_BYTES,
    guard: FileGuard | None = None,
) -> int:
    """
    Append to the step's summary, cut on a line border where it would grow too long.

    Args:
        cap_bytes: Most bytes of the whole file, with what it holds already.
        guard: Told what was written, if it guards the file.

    Returns:
        How many bytes were written; 0 when there was no room at all.

    Raises:
        MeasureError: when the file cannot be written. Nothing has been written then.
    """
    text = _encodable(markdown if markdown.endswith("\n") else f"{markdown}\n")
    there_bytes = path.stat().st_size if path.exists() else 0
    # One byte is for the newline that what is there may lack.
    room_bytes = cap_bytes - there_bytes - (1 if there_bytes else 0)
    kept = excerpt(text, cap_bytes=room_bytes)
    return _append(path, kept.encode(), guard=guard) if kept else 0


def _here_document(name: str, value: str) -> str:
    """
    Write one output in the form that bears any value.
    """
    if not _NAME.fullmatch(name):
        raise MeasureError(
            f"The output name {name!r} is not a plain word.",
            remedy="Use letters, digits, '-' and '_'.",
        )
    delimiter = _delimiter()
    if delimiter in value:
        raise MeasureError(
            f"The value of the output {name!r} holds the random word that marks its "
            "end, so it was made to forge outputs.",
            remedy="Find out where that value comes from.",
        )
    return f"{name}<<{delimiter}\n{_encodable(value)}\n{delimiter}\n"


def _delimiter() -> str:
    """
    Return a word that nobody can have put into a value.
    """
    return f"ghadelimiter_{os.urandom(16).hex()}"


def _encodable(text: str) -> str:
    """
    Show lone surrogates, which no file in UTF-8 can hold.
    """
    return text.encode(errors="backslashreplace").decode()


def _append(path: Path, data: bytes, *, guard: FileGuard | None) -> int:
    """
    Append all of `data` on a line of its own, or nothing; return the bytes written.
    """
    try:
        descriptor = os.open(path, _APPEND_FLAGS, _MODE)
        try:
            size_bytes = os.fstat(descriptor).st_size
            if size_bytes and os.pread(descriptor, 1, size_bytes - 1) != b"\n":
                data = b"\n" + data
            try:
                _write_all(descriptor, data)
            except OSError:
                os.ftruncate(descriptor, size_bytes)
                raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise MeasureError(
            f"Cannot write to {str(path)!r}: {error.strerror}.",
            remedy="The runner names this file in an environment variable; check that "
            "it is a regular file with room on its disk.",
        ) from error
    if guard:
        guard.wrote(path, data)
    return len(data)


def _write_all(descriptor: int, data: bytes) -> None:
    """
    Write every byte: one call may take only some of them.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read(path: Path, *, cap_bytes: int = -1) -> bytes | None:
    """
    Return what a file holds, nothing for a missing one, None for one not regular.

    Args:
        cap_bytes: Most bytes to read; -1 for all.
    """
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        return b""
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(cap_bytes)


def _restore(path: Path, content: bytes) -> bool:
    """
    Make a file hold `content` and nothing else; tell whether that worked.

    The same file is kept where possible, since its owner is the runner's. A file
    with a second name is replaced: writing to it would write elsewhere too.
    """
    with suppress(OSError):
        found = path.lstat() if os.path.lexists(path) else None
        is_ours = found and stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if found and not is_ours:
            path.unlink()
        descriptor = os.open(path, _KEPT_FLAGS if is_ours else _NEW_FLAGS, _MODE)
        try:
            os.ftruncate(descriptor, 0)
            _write_all(descriptor, content)
        finally:
            os.close(descriptor)
        return True
    return False
