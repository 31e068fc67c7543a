"""
An upload to a fake service, with everything that it needs, and what it did with it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from fakes.artifact_service import SIG_RAW, SIG_SENT
from fakes.stepping_clock import SteppingClock

from reliability.github.artifact import UploadResult, upload
from reliability.http import HttpClient

if TYPE_CHECKING:
    from pathlib import Path

NORMAL = ["CreateArtifact", "block", "blocklist", "FinalizeArtifact"]
LOG = b'{"seq": 1}\n' * 1000


class Uploader:
    """
    What an upload needs, and what it did with it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "chat.jsonl"
        self.path.write_bytes(LOG)
        self.clock = SteppingClock()
        self.cancel = threading.Event()
        self.http = HttpClient()
        self.waits_s: list[float] = []
        self.masked: list[str] = []

    def run(self, environ: dict[str, str], **options: Any) -> UploadResult:
        """
        Upload one file and check that no secret is in what comes back.
        """
        result = upload(
            {"logs/chat.jsonl": self.path},
            **{"name": "reliability", **options},
            environ=environ,
            http=self.http,
            mask=self.masked.append,
            clock=self.clock,
            cancel=self.cancel,
            sleep=self.wait,
        )
        shown = repr(result)
        token = environ.get("ACTIONS_RUNTIME_TOKEN") or "none"
        assert not [part for part in (SIG_RAW, SIG_SENT, token) if part in shown]
        said = [result.ref, result.skipped, result.failed]
        assert sum(map(bool, said)) == 1
        return result

    def wait(self, wait_s: float) -> None:
        """
        Remember a wait instead of waiting.
        """
        self.waits_s.append(wait_s)
