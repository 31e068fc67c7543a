"""
The zip that becomes an artifact: the same files give the same bytes.

Promises: deflate level 6, members in the order of their names, one fixed timestamp,
one fixed mode, names relative with `/`. Only regular files are read: whoever could
write to the folder, an agent for example, cannot make a link or a pipe there end up in
the artifact, or hang its making.

Trade-off: a file that is missing or not regular fails the whole archive instead of
being left out, since an artifact that silently lacks its log would look complete.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Mapping
    from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can state
_LEVEL = 6  # zlib's balance, and what the official client uses
_UNIX = 3  # "made by" (APPNOTE 4.4.2), so that the mode below is understood
_PIECE_BYTES = 1024 * 1024  # between two looks at the time
_FORBIDDEN = re.compile(r'[":<>|*?\\\x00-\x1f\x7f]')  # @actions/artifact, and controls


class ArchiveError(Exception):
    """
    A file cannot be part of the archive; names it and says why.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """
    What was written: size and SHA-256 (lower-case hex) of the zip itself.
    """

    size_bytes: int
    sha256: str


def write_archive(
    files: Mapping[str, Path],
    target: IO[bytes],
    *,
    checkpoint: Callable[[], None] = lambda: None,
) -> Archive:
    """
    Write *files* (name inside: where it is) as a zip to the empty *target*.

    Args:
        target: Readable and seekable; at its start again afterwards.
        checkpoint: Called between pieces; raises to give up.

    Raises:
        ArchiveError: when there is no file, a name is not allowed inside an artifact,
            or a file is missing, unreadable or not regular.
    """
    import zipfile

    if not files:
        raise ArchiveError("there is no file to upload")
    with zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
    ) as archive:
        for name in sorted(files):
            _check_name(name)
            _add(archive, name, files[name], checkpoint)
    size_bytes = target.tell()
    target.seek(0)
    digest = hashlib.sha256()
    while piece := target.read(_PIECE_BYTES):
        checkpoint()
        digest.update(piece)
    target.seek(0)
    return Archive(size_bytes=size_bytes, sha256=digest.hexdigest())


def _check_name(name: str) -> None:
    """
    Refuse a name that would leave the folder it is unpacked in, or cannot be stored.
    """
    if _FORBIDDEN.search(name) or not name.isprintable():
        raise ArchiveError(f"{name!r} holds a character that no artifact may hold")
    if any(part in {"", ".", ".."} for part in name.split("/")):
        raise ArchiveError(f"{name!r} is not a plain relative path")


def _add(
    archive: zipfile.ZipFile, name: str, path: Path, checkpoint: Callable[[], None]
) -> None:
    """
    Add one regular file.
    """
    import zipfile

    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = _UNIX
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    with _open_regular(name, path) as source:
        # Larger than 2 GiB needs another form of entry, which is chosen by this.
        info.file_size = os.fstat(source.fileno()).st_size
        with archive.open(info, "w") as member:
            while piece := source.read(_PIECE_BYTES):
                checkpoint()
                member.write(piece)


def _open_regular(name: str, path: Path) -> IO[bytes]:
    """
    Open without following a link and without waiting for a pipe's other end.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ArchiveError(f"{name!r} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArchiveError(f"{name!r} is not a regular file")
    return os.fdopen(descriptor, "rb")
