"""
Brings a run's files into an artifact within the time that is left.

A run that was cancelled has one short try. A cancel during the upload leaves it as
much, then shuts its connections.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from reliability.clock import SystemClock
from reliability.github.artifact import UploadResult, default_name, upload
from reliability.http import HttpClient
from reliability.journal.name import side_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.settings import Settings

LATE_BUDGET_S = 1.5
"""What a cancelled run has left before the runner kills it."""

_ATTEMPTS = 5


def deliver(
    paths: Mapping[str, Path],
    settings: Settings,
    *,
    environ: Mapping[str, str],
    mask: Callable[[str], None],
    on_cancel: Callable[[Callable[[], None]], None],
    late: bool,
) -> UploadResult:
    """
    Upload the files of a run.

    Args:
        paths: The files by what they are; `log` is among them.
        mask: Has the runner hide a value.
        on_cancel: Takes what to call at a cancel, perhaps inside a signal handler.
        late: The run was cancelled already.
    """
    stop = threading.Event()
    http = HttpClient()

    def give_up() -> None:
        stop.set()
        time.sleep(LATE_BUDGET_S)
        http.abort()

    # Both take locks that interrupted code may hold: not inside a handler.
    on_cancel(lambda: threading.Thread(target=give_up, daemon=True).start())
    try:
        return upload(
            _members(paths),
            name=settings.artifact_name
            or default_name(environ, base=settings.filename),
            environ=environ,
            http=http,
            mask=mask,
            clock=SystemClock(),
            cancel=stop,
            retention_days=settings.retention_days,
            attempts=1 if late else _ATTEMPTS,
            budget_s=LATE_BUDGET_S if late else None,
        )
    finally:
        http.close()


def _members(paths: Mapping[str, Path]) -> dict[str, Path]:
    """
    Return every file by its name in the artifact, the log's side files included.
    """
    log = paths["log"]
    side = side_directory(log)
    moved = {f"{side.name}/{path.name}": path for path in sorted(side.glob("*.txt"))}
    return {path.name: path for path in paths.values()} | moved
