"""
Upload files as one artifact of the workflow run, as `actions/upload-artifact` would.

Promises: nothing is raised for what GitHub, the network or the disk may do; the
result says in a sentence what happened, without a token or a signed URL. The zip is
complete before the service is called. The signature of the upload URL is given to
*mask* before anything else is done with it. Works with github.com, act and Gitea; where
there is no such service the upload is skipped.

Not promised: overwriting. A name that is taken is tried once more with `-2`.

Trade-off: a client of our own, since the official one is JavaScript, refuses every
server but GitHub's, and gives up on the first broken connection.
"""

from __future__ import annotations

import math
import re
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reliability.clock import iso_ms
from reliability.github.archive import ArchiveError, write_archive
from reliability.github.blob import put_blob, signature_forms
from reliability.github.identity import TokenError, backend_ids, default_name
from reliability.github.results_service import FALLBACK, Place, ResultsService
from reliability.github.transfer import (
    ArtifactError,
    ArtifactSkipped,
    RefusedError,
    Transfer,
)
from reliability.http.deadline import Deadline

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.clock import Clock
    from reliability.http import HttpClient

__all__ = [
    "ArtifactRef",
    "TokenError",
    "UploadResult",
    "backend_ids",
    "default_name",
    "upload",
]

_FORBIDDEN = re.compile(r'[":<>|*?\\/\x00-\x1f\x7f]')  # @actions/artifact, and controls


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRef:
    """
    An uploaded artifact.

    Attributes:
        id: As the service gave it: digits.
        url: Its page, for a signed-in browser; "" when the environment does not tell.
        digest: SHA-256 of the zip, lower-case hex.
        name: The name it got, perhaps with a suffix.
        size_bytes: Of the zip.
    """

    id: str
    url: str
    digest: str
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """
    What came of an upload: exactly one of *ref*, *skipped* and *failed* says something.

    Attributes:
        skipped: Why there was nowhere to upload to.
        failed: What went wrong.
        notes: What else to tell: another name, a shorter retention.
    """

    ref: ArtifactRef | None
    skipped: str
    failed: str
    notes: tuple[str, ...] = ()


def upload(
    files: Mapping[str, Path],
    *,
    name: str,
    environ: Mapping[str, str],
    http: HttpClient,
    mask: Callable[[str], None],
    clock: Clock,
    cancel: threading.Event,
    retention_days: int | None = None,
    attempts: int = 5,
    budget_s: float | None = None,
    sleep: Callable[[float], None] | None = None,
) -> UploadResult:
    """
    Upload *files* (name inside the artifact: where it is) as the artifact *name*.

    Args:
        mask: Told each secret that must never be logged, before it could be.
        cancel: Ends waits between attempts; each call's first attempt is still made,
            and a call under way ends by *budget_s* or by `http.abort()` only.
        retention_days: None or 0 leaves it to the repository.
        attempts: Of each call.
        budget_s: For everything together; None is no limit.
        sleep: Waits between attempts; None waits for *cancel* meanwhile.
    """
    deadline = Deadline(clock, math.inf if budget_s is None else budget_s)
    transfer = Transfer(
        http, attempts=attempts, cancel=cancel, deadline=deadline, sleep=sleep
    )
    notes: list[str] = []
    try:
        place = _read_place(environ)
        transfer.hide(place.token)
        _check_name(name)
        expires_at = _expiry(retention_days, environ, clock, notes)
        with tempfile.TemporaryFile() as zipped:
            archive = write_archive(files, zipped, checkpoint=transfer.check_time)
            service = ResultsService(transfer, place)
            name, url = _create(service, name, expires_at, notes)
            transfer.hide(url, *signature_forms(url))
            for form in signature_forms(url):
                mask(form)
            put_blob(transfer, url, zipped, mime="application/zip")
        artifact_id = service.finalize(name, archive)
    except ArtifactSkipped as skip:
        return _result(notes, skipped=f"No artifact was uploaded: {_end(skip)}")
    except (ArtifactError, ArchiveError, OSError) as error:
        return _result(notes, failed=f"The artifact was not uploaded: {_end(error)}")
    ref = ArtifactRef(
        id=artifact_id,
        url=_page(environ, artifact_id),
        digest=archive.sha256,
        name=name,
        size_bytes=archive.size_bytes,
    )
    return _result(notes, ref=ref)


def _result(
    notes: list[str],
    *,
    ref: ArtifactRef | None = None,
    skipped: str = "",
    failed: str = "",
) -> UploadResult:
    """
    Put a result together.
    """
    return UploadResult(ref=ref, skipped=skipped, failed=failed, notes=tuple(notes))


def _end(error: Exception) -> str:
    """
    End the sentence of *error*.
    """
    return str(error).rstrip(".") + "."


def _read_place(environ: Mapping[str, str]) -> Place:
    """
    Find the service in the environment that a container or JavaScript action gets.
    """
    token = environ.get("ACTIONS_RUNTIME_TOKEN", "")
    url = environ.get("ACTIONS_RESULTS_URL", "")
    if not token or not url:
        missing = "ACTIONS_RUNTIME_TOKEN" if not token else "ACTIONS_RESULTS_URL"
        raise ArtifactSkipped(
            f"{missing} is not set; only an action has it, not a run: step or a "
            f"laptop. {FALLBACK}"
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ArtifactError("ACTIONS_RESULTS_URL is not an http(s) URL.")
    try:
        run_id, job_id = backend_ids(token)
    except TokenError as error:
        raise ArtifactError(f"ACTIONS_RUNTIME_TOKEN is not usable: {error}.") from None
    origin = f"{parts.scheme}://{parts.netloc}"
    return Place(origin=origin, token=token, run_id=run_id, job_id=job_id)


def _check_name(name: str) -> None:
    """
    Refuse what the service would refuse.
    """
    if not name.strip() or _FORBIDDEN.search(name):
        raise ArtifactError(
            f"{name!r} cannot be an artifact's name: it is empty or holds one of "
            '" : < > | * ? \\ / or a control character.'
        )


def _create(
    service: ResultsService, name: str, expires_at: str, notes: list[str]
) -> tuple[str, str]:
    """
    Reserve *name*, or the same with a suffix; return the name and the signed URL.
    """
    try:
        return name, service.create(name, expires_at=expires_at)
    except RefusedError as error:
        if error.status != 409:
            raise
    second = f"{name}-2"
    try:
        url = service.create(second, expires_at=expires_at)
    except RefusedError as error:
        if error.status != 409:
            raise
        raise ArtifactError(
            f"the run already has artifacts named {name!r} and {second!r}; "
            "give each job and step a name of its own."
        ) from error
    notes.append(f"The artifact is named {second!r}: {name!r} was taken in this run.")
    return second, url


def _expiry(
    days: int | None, environ: Mapping[str, str], clock: Clock, notes: list[str]
) -> str:
    """
    Return when the artifact expires, "" for the repository's own rule.
    """
    if not days or days < 0:
        return ""
    raw = environ.get("GITHUB_RETENTION_DAYS", "")
    cap_days = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 9 else 0
    if cap_days and days > cap_days:
        notes.append(
            f"The artifact is kept for {cap_days} days, not {days}: that is the most "
            "that the repository allows."
        )
        days = cap_days
    try:
        return iso_ms(clock.now_utc() + timedelta(days=days))
    except OverflowError:
        raise ArtifactError(
            f"a retention of {days} days ends after year 9999"
        ) from None


def _page(environ: Mapping[str, str], artifact_id: str) -> str:
    """
    Return the artifact's address for a browser.
    """
    server = environ.get("GITHUB_SERVER_URL", "")
    repository = environ.get("GITHUB_REPOSITORY", "")
    run_id = environ.get("GITHUB_RUN_ID", "")
    if not (server and repository and run_id):
        return ""
    return f"{server}/{repository}/actions/runs/{run_id}/artifacts/{artifact_id}"
