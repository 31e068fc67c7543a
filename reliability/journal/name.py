"""
The name of a log: `<base name>_<UTC time>_<run id>.jsonl`.

Safe as a file's name on every system and inside an artifact. A base name begins with
a letter or digit, so the log is never hidden and never looks like an option.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reliability.errors import JournalError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

# Together with time, suffixes and temporary names this stays below 255 bytes.
_BASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_LOG_NAME = re.compile(r".+_\d{8}T\d{6}Z_([A-Za-z0-9][A-Za-z0-9-]{0,63})\.jsonl")


def log_name(base_name: str, run_id: str, began_utc: datetime) -> str:
    """
    Return the file name of a new log.

    Raises:
        JournalError: when one of the parts cannot be part of a file name.
    """
    if not _BASE_NAME.fullmatch(base_name):
        raise JournalError(
            f"the log's base name is {base_name!r}, which cannot be a file's name.",
            remedy="Use up to 100 letters, digits, '.', '_' and '-', a letter or digit "
            "first.",
        )
    if not _RUN_ID.fullmatch(run_id):
        raise JournalError(
            f"the run id is {run_id!r}, which cannot be part of a file's name.",
            remedy="Use up to 64 letters, digits and '-'.",
        )
    return f"{base_name}_{began_utc:%Y%m%dT%H%M%SZ}_{run_id}.jsonl"


def run_id_from_name(path: Path) -> str:
    """
    Return the run id of a log that has no line yet.

    Raises:
        JournalError: when the file is not named as a log is.
    """
    found = _LOG_NAME.fullmatch(path.name)
    if found is None:
        raise JournalError(
            f"{path} has no line and no log's name, so it is of no known run.",
            remedy="Begin a new run.",
        )
    return found[1]


def sidecar_path(path: Path) -> Path:
    """
    Return the name of the file that holds a locked log's SHA-256.
    """
    return path.with_name(path.name + ".sha256")


def side_directory(path: Path) -> Path:
    """
    Return the folder that holds the side files of a log.
    """
    return path.with_name(path.name + ".d")
