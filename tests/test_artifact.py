"""
An upload to a service that works, in each of its dialects.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from fakes.artifact_service import SIG_RAW, SIG_SENT, ArtifactService
from fakes.uploader import LOG, NORMAL, Uploader

from reliability.github import blob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def uploader(tmp_path: Path) -> Iterator[Uploader]:
    """
    Give an uploader of one log.
    """
    uploader = Uploader(tmp_path)
    with contextlib.closing(uploader.http):
        yield uploader


@pytest.mark.parametrize("camel", [False, True])
@pytest.mark.parametrize("strict", [False, True])
def test_artifact_can_be_read_back(
    uploader: Uploader, camel: bool, strict: bool
) -> None:
    """
    GitHub's and act's dialect both end with the same zip, hash and link.
    """
    with ArtifactService(camel=camel, strict=strict) as service:
        ref = uploader.run(service.environ).ref
        stored = service.stored["reliability"]

        assert ref is not None
        assert NORMAL == service.calls
        assert {"logs/chat.jsonl": LOG} == stored.files()
        assert "application/zip" == stored.mime
        assert ref.id == stored.artifact_id
        assert ref.size_bytes == len(stored.data or b"")
        assert (
            f"https://github.example/o/r/actions/runs/77/artifacts/{ref.id}" == ref.url
        )
        assert {"name": "reliability", "version": 4} == stored.request


def test_signature_is_masked_in_every_spelling(uploader: Uploader) -> None:
    """
    The runner learns the signature raw and as sent, so that no log can show it.
    """
    with ArtifactService() as service:
        uploader.run(service.environ)

    assert {SIG_RAW, SIG_SENT} == set(uploader.masked)


def test_large_artifact_goes_in_blocks_that_keep_their_order(
    uploader: Uploader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Blocks go one after another and the list names them in that order.
    """
    monkeypatch.setattr(blob, "BLOCK_BYTES", 20)
    with ArtifactService() as service:
        ref = uploader.run(service.environ).ref

        assert ref is not None
        assert service.calls.count("block") == -(-ref.size_bytes // 20)
        assert {"logs/chat.jsonl": LOG} == service.stored["reliability"].files()


def test_server_that_wants_a_mime_type_gets_the_newer_version(
    uploader: Uploader,
) -> None:
    """
    Only a refusal that names the version brings the newer one.
    """
    with ArtifactService(demands_mime=True) as service:
        assert uploader.run(service.environ).ref is not None
        assert 7 == service.stored["reliability"].request["version"]


@pytest.mark.parametrize(
    ("days", "cap", "expires_on", "notes"),
    [
        (None, "90", None, 0),
        (0, "90", None, 0),
        (7, "90", "2026-11-30", 0),
        (7, "5", "2026-11-28", 1),
        (7, "0", "2026-11-30", 0),
        (7, "", "2026-11-30", 0),
        (7, "five", "2026-11-30", 0),
        (7, "-1", "2026-11-30", 0),
    ],
)
def test_retention_is_capped_with_a_note(
    uploader: Uploader,
    days: int | None,
    cap: str,
    expires_on: str | None,
    notes: int,
) -> None:
    """
    The repository's limit wins, and says so; a limit that is none is ignored.
    """
    with ArtifactService() as service:
        environ = {**service.environ, "GITHUB_RETENTION_DAYS": cap}
        result = uploader.run(environ, retention_days=days)
        asked = service.stored["reliability"].request.get("expires_at")

        assert asked == (expires_on and f"{expires_on}T00:00:00.000Z")
        assert len(result.notes) == notes
