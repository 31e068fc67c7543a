"""
The sidecar of a locked log, `<log name>.sha256`: what it says, and what is true now.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from reliability.journal.files import COPY_CHUNK_BYTES
from reliability.journal.name import sidecar_path
from reliability.journal.reader import open_log

if TYPE_CHECKING:
    from pathlib import Path

# Sixty-four digits, two blanks and a file name take less.
_LIMIT_BYTES = 4096


def recorded_sha256(log: Path) -> str | None:
    """
    Return the SHA-256 from the sidecar; None without one, empty when it holds none.

    Raises:
        JournalError: when there is one that cannot be opened.
    """
    sidecar = sidecar_path(log)
    if not os.path.lexists(sidecar):
        return None
    with open_log(sidecar) as file:
        text = file.read(_LIMIT_BYTES).decode("utf-8", "replace")
    found = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)\n?", text)
    return found[1] if found and found[2] == log.name else ""


def present_sha256(log: Path) -> str:
    """
    Return the SHA-256 of the log as it is, in hex; what is in it is not looked at.

    Raises:
        JournalError: when it cannot be opened.
    """
    digest = hashlib.sha256()
    with open_log(log) as file:
        while chunk := file.read(COPY_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
