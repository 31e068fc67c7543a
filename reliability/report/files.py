"""
Writes the reports of a run next to its log, each complete or not at all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.journal.files import write_whole
from reliability.report.document import as_json
from reliability.report.html import page
from reliability.report.junit import junit
from reliability.report.markdown import summary
from reliability.report.readable import readable_log

if TYPE_CHECKING:
    from reliability.model import RunResult

REPORT_NAMES = {
    "results": "results.json",
    "report": "report.html",
    "summary": "summary.md",
    "junit": "junit.xml",
}


def report_paths(result: RunResult, directory: Path) -> dict[str, Path]:
    """
    Return every file of a run by what it is, the log and its digest included.
    """
    log = Path(result.log)
    paths = {"log": log}
    if result.log_sha256:
        paths["digest"] = log.with_name(f"{log.name}.sha256")
    paths["readable"] = log.with_suffix(".log")
    return paths | {kind: directory / name for kind, name in REPORT_NAMES.items()}


def write_reports(result: RunResult, directory: Path) -> dict[str, Path]:
    """
    Write all reports into *directory* and return every file of the run.

    Raises:
        OSError: when a file cannot be written; an older one is intact then.
    """
    paths = report_paths(result, directory)
    texts = {
        "results": as_json(result),
        "report": page(result),
        "summary": summary(result),
        "junit": junit(result),
        "readable": "".join(f"{line}\n" for line in readable_log(paths["log"])),
    }
    for kind, text in texts.items():
        content = text.encode("utf-8", "backslashreplace")
        write_whole(paths[kind], content, sync=os.fsync)
    return paths
