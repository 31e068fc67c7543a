"""
The artifact half of GitHub's results service: Create, Finalize, List.

Twirp over JSON: requests are proto3 JSON in snake_case with defaults left out, 64-bit
numbers as strings and wrapped values bare; answers are read in snake_case (github.com)
and camelCase (act, Gitea), and fields that we do not know are ignored. Source:
actions/toolkit, `packages/artifact/src/generated/results/api/v1/artifact.ts`.

Promises: Create is never repeated once it was answered; a Finalize whose answer was
lost is looked for in the list before it is repeated, since a second one has
produced duplicates.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reliability import __version__
from reliability.github.transfer import (
    ArtifactError,
    ArtifactSkipped,
    RefusedError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.github.archive import Archive
    from reliability.github.transfer import Reply, Transfer

_SERVICE = "/twirp/github.actions.results.api.v1.ArtifactService/"
# The zip era's version, which github.com, act and Gitea all take. 7 demands a MIME
# type, which act and Gitea refuse as an unknown field.
VERSION = {"version": 4}
VERSION_WITH_MIME = {"version": 7, "mime_type": "application/zip"}
CALL_TIMEOUT_S = 30.0  # these calls answer within a second or are lost
FALLBACK = "actions/upload-artifact in a later step can upload the files instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where an artifact goes: the service, its credential, and the ids of run and job.
    """

    origin: str
    token: str
    run_id: str
    job_id: str


class ResultsService:
    """
    The three calls, each with its retries.
    """

    def __init__(self, transfer: Transfer, place: Place) -> None:
        self._transfer = transfer
        self._place = place
        self._ids = {
            "workflow_run_backend_id": place.run_id,
            "workflow_job_run_backend_id": place.job_id,
        }

    def create(self, name: str, *, expires_at: str = "") -> str:
        """
        Reserve *name* and return the signed URL for its bytes.

        Args:
            expires_at: RFC 3339; "" leaves it to the repository's setting.

        Raises:
            RefusedError: with status 409 when the name is taken.
            ArtifactSkipped: when no such service answers there.
        """
        fields: dict[str, Any] = {"name": name}
        if expires_at:
            fields["expires_at"] = expires_at
        try:
            answer = self._insist("CreateArtifact", {**fields, **VERSION})
        except RefusedError as error:
            reason = error.reason.lower()
            is_version = "version" in reason or "mime" in reason
            if error.status != 400 or not is_version:
                raise
            answer = self._insist("CreateArtifact", {**fields, **VERSION_WITH_MIME})
        url = _field(answer, "signed_upload_url")
        if not isinstance(url, str) or not url:
            raise ArtifactError("CreateArtifact was answered without an upload URL")
        return url

    def finalize(self, name: str, archive: Archive) -> str:
        """
        Declare the uploaded bytes complete and return the artifact's id.
        """
        fields = {
            "name": name,
            "size": str(archive.size_bytes),
            "hash": f"sha256:{archive.sha256}",
        }

        def call(is_repeat: bool) -> str:
            """
            Finalize, unless a lost answer was to a Finalize that worked.
            """
            if is_repeat and (found := self._find(name, archive.size_bytes)):
                return found
            return _identity(
                _field(self._call("FinalizeArtifact", fields), "artifact_id")
            )

        try:
            found = self._transfer.insist(call)
        except TransientError:
            if self._transfer.is_cancelled:
                raise
            found = self._find(name, archive.size_bytes)
            if not found:
                raise
        if not found:
            raise ArtifactError("FinalizeArtifact was answered without an artifact id")
        return found

    def _find(self, name: str, size_bytes: int) -> str:
        """
        Return the id of our artifact if it is listed; "" if not, or if nobody knows.
        """
        try:
            answer = self._call("ListArtifacts", {"name_filter": name})
        except (ArtifactError, ArtifactSkipped):
            return ""
        listed = _field(answer, "artifacts")
        for entry in listed if isinstance(listed, list) else []:
            if not isinstance(entry, dict) or _field(entry, "name") != name:
                continue
            if str(_field(entry, "size")) != str(size_bytes):
                continue
            if _field(entry, "workflow_job_run_backend_id") == self._place.job_id:
                return _identity(_field(entry, "database_id"))
        return ""

    def _insist(self, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """
        Call until there is a lasting answer.
        """
        return self._transfer.insist(lambda _: self._call(method, fields))

    def _call(self, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """
        Call once.
        """
        reply = self._transfer.send(
            method,
            "POST",
            f"{self._place.origin}{_SERVICE}{method}",
            headers={
                "Authorization": f"Bearer {self._place.token}",
                "Content-Type": "application/json",
                "User-Agent": f"reliability-action/{__version__}",
            },
            body=json.dumps({**self._ids, **fields}).encode(),
            timeout_s=CALL_TIMEOUT_S,
        )
        return self._judge(method, reply)

    def _judge(self, method: str, reply: Reply) -> dict[str, Any]:
        """
        Return the answer of a call that worked; raise what the others mean.
        """
        answer = _parse_object(reply.body)
        if answer is None:
            if reply.status == 404 and method == "CreateArtifact":
                raise ArtifactSkipped(_no_service())
            text = f"{method} was answered with HTTP {reply.status} and no JSON"
            raise TransientError(text)
        if 200 <= reply.status < 300:
            if method != "ListArtifacts" and answer.get("ok") is not True:
                raise ArtifactError(f"{method} was answered with ok: false")
            return answer
        reason = str(answer.get("msg") or "")
        if reply.status == 404 and answer.get("code") == "bad_route":
            raise ArtifactSkipped(_no_service())
        if "insufficient usage" in reason.lower():
            raise ArtifactError(
                f"the account's artifact storage is used up ({method}: "
                f"{self._transfer.quote(reason)}). The files are still in the "
                "workspace; delete old artifacts or shorten their retention."
            )
        text = f"{method} was answered with HTTP {reply.status}"
        if reason:
            text += f" ({self._transfer.quote(reason)})"
        if reply.is_transient:
            raise TransientError(text)
        raise RefusedError(text, status=reply.status, reason=reason)


def _no_service() -> str:
    """
    Say that the server is older than this protocol, or no GitHub at all.
    """
    return f"this server has no artifact service of the current kind. {FALLBACK}"


def _parse_object(body: bytes) -> dict[str, Any] | None:
    """
    Return the JSON object in *body*; None when it is anything else.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _field(answer: Mapping[str, Any], name: str) -> Any:
    """
    Return a field by its snake_case name or that name in camelCase; None if absent.
    """
    if name in answer:
        return answer[name]
    first, *rest = name.split("_")
    return answer.get(first + "".join(word.capitalize() for word in rest))


def _identity(value: Any) -> str:
    """
    Return an id as text; "" for what is none: it becomes part of a link.
    """
    text = str(value) if isinstance(value, (str, int)) else ""
    return text if text.isascii() and text.isdigit() else ""
