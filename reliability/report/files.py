"""
Writes the reports of a run, each complete or not at all.

A report appears under its name by a rename, so whoever opens it finds a whole one.
Nothing is synced to disk: unlike the log, a report that a power cut takes is computed
again by `reliability report LOG`, and a sync of each would cost more than making them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import JournalError
from reliability.journal.files import FINISHED_MODE, open_regular
from reliability.report.document import json_pieces
from reliability.report.html import page
from reliability.report.junit import junit
from reliability.report.markdown import summary
from reliability.report.readable import readable_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reliability.run_result import RunResult

REPORT_NAMES = {
    "results": "results.json",
    "report": "report.html",
    "summary": "summary.md",
    "junit": "junit.xml",
}
_MAKERS: dict[str, Callable[[RunResult], Iterable[str]]] = {
    "results": json_pieces,
    "report": page,
    "summary": lambda result: [summary(result)],
    "junit": junit,
}


def report_paths(result: RunResult, directory: Path) -> dict[str, Path]:
    """
    Return every file of a run by what it is, the log and its digest included.
    """
    log = Path(result.log)
    paths = {"log": log}
    if result.log_sha256:
        paths["digest"] = log.with_name(f"{log.name}.sha256")
    paths["readable"] = directory / f"{log.name.removesuffix('.jsonl')}.log"
    return paths | {kind: directory / name for kind, name in REPORT_NAMES.items()}


def write_reports(result: RunResult, directory: Path) -> dict[str, Path]:
    """
    Write all reports into *directory*, made if missing; return every file of the run.

    Raises:
        OSError: when a file cannot be written, with its name; an older one is intact.
        JournalError: when a report would replace the log, or the log cannot be read.
    """
    paths = report_paths(result, directory)
    log = paths["log"].resolve()
    for kind in ("readable", *_MAKERS):
        if paths[kind].resolve() == log:
            raise JournalError(
                f"{log} has the name of a report, which would replace it.",
                remedy="Choose another folder with --output-dir.",
            )
    directory.mkdir(parents=True, exist_ok=True)
    for kind, make in _MAKERS.items():
        _write(paths[kind], make(result))
    blocks = readable_blocks(paths["log"])
    _write(paths["readable"], (f"{block}\n" for block in blocks))
    return paths


def _write(path: Path, pieces: Iterable[str]) -> None:
    """
    Put a text under *path* piece by piece, so that it need not fit into memory.

    Raises:
        OSError: with *path* as its file name.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        fd = _open_new(temporary)
        with open(  # noqa: PTH123 - a descriptor, not a path
            fd, "w", encoding="utf-8", errors="backslashreplace", newline="\n"
        ) as file:
            file.writelines(pieces)
            file.flush()
            os.fchmod(fd, FINISHED_MODE)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _open_new(path: Path) -> int:
    """
    Create a file that nobody else has made; return its descriptor.

    Raises:
        OSError: when it cannot be made.
    """
    try:
        return open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except JournalError as error:
        # It speaks of a log, and names the temporary file.
        raise error.__cause__ or error from None
