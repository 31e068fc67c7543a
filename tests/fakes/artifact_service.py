"""
An artifact service on loopback: GitHub's results service and its blob storage.

It checks what the real ones check (token, ids, signature, block ids, list, size and
hash) and, told so, fails as they do. Each step of an upload has a queue of faults;
a step without faults works. What act and Gitea cannot do (409, quota, intermediaries)
is done here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import struct
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

from fakes.artifact_faults import EMPTY_500, Fault, storage_error, twirp

SERVICE = "/twirp/github.actions.results.api.v1.ArtifactService/"
SIG_RAW = "se+cr/et="
SIG_SENT = "se%2Bcr%2Fet%3D"
SIGNED = f"se=2026&sig={SIG_SENT}&sp=cw"
RUN_ID, JOB_ID = "ce7f54c7-61c7-4aae", "ca395085-040a-526b"
IDS = {"workflow_run_backend_id": RUN_ID, "workflow_job_run_backend_id": JOB_ID}
WAIT_S = 20.0


def runtime_token(
    scopes: str = f"Actions.Other Actions.Results:{RUN_ID}:{JOB_ID}",
) -> str:
    """
    Return a runtime token as the runner's, with a signature that nobody checks.
    """
    payload = base64.urlsafe_b64encode(json.dumps({"scp": scopes}).encode())
    return f"e30.{payload.decode().rstrip('=')}.c2lnbmF0dXJl"


@dataclass(kw_only=True)
class Stored:
    """
    An artifact from Create on.
    """

    name: str
    request: dict[str, Any]
    blocks: dict[str, bytes] = field(default_factory=dict)
    data: bytes | None = None
    mime: str = ""
    artifact_id: str = ""
    finalized: int = 0

    def files(self) -> dict[str, bytes]:
        """
        Read the zip back.
        """
        with zipfile.ZipFile(io.BytesIO(self.data or b"")) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}


class ArtifactService:
    """
    The server, and what it has seen.

    Args:
        camel: Answer in camelCase, as act and Gitea.
        strict: Answer an unknown field with an empty 500, as act; it knows no
            `mime_type`.
        demands_mime: Refuse versions below 7.
        taken: Names that are in use already.
    """

    FIELDS: ClassVar = {
        "CreateArtifact": {"name", "expires_at", "version", "mime_type"},
        "FinalizeArtifact": {"name", "size", "hash"},
        "ListArtifacts": {"name_filter", "id_filter"},
    }

    def __init__(
        self,
        *,
        camel: bool = False,
        strict: bool = False,
        demands_mime: bool = False,
        taken: tuple[str, ...] = (),
    ) -> None:
        self.camel, self.strict, self.demands_mime = camel, strict, demands_mime
        self.token = runtime_token()
        self.calls: list[str] = []
        self.faults: dict[str, list[Fault]] = {}
        self.stored = {name: Stored(name=name, request={}) for name in taken}
        self.released = threading.Event()
        service = self

        class Handler(_Handler):
            """
            The handler of this service.
            """

            owner = service

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join(WAIT_S)
        self._server.server_close()

    @property
    def environ(self) -> dict[str, str]:
        """
        What the runner tells an action.
        """
        return {
            "ACTIONS_RUNTIME_TOKEN": self.token,
            "ACTIONS_RESULTS_URL": f"{self.origin}/some/path?is=dropped",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_RUN_ID": "77",
        }

    def fail(self, step: str, *faults: Fault) -> None:
        """
        Let the next calls of *step* (a method, "block" or "blocklist") fail.
        """
        self.faults.setdefault(step, []).extend(faults)

    def call(self, method: str, request: dict[str, Any]) -> Fault:
        """
        Do one Twirp call; a `Fault` is any answer.
        """
        given = {key: request.pop(key, None) for key in IDS}
        known = self.FIELDS[method] - ({"mime_type"} if self.strict else set())
        if given != IDS or not set(request) <= known:
            return EMPTY_500
        if method == "ListArtifacts":
            return self._answer(
                {"artifacts": [*map(self._listed, self._found(request))]}
            )
        name = request["name"]
        if method == "CreateArtifact":
            if self.demands_mime and request["version"] < 7:
                return twirp(400, "a valid mime_type is required for this version")
            if name in self.stored:
                return twirp(409, "an artifact with this name already exists")
            self.stored[name] = Stored(name=name, request=request)
            url = f"{self.origin}/blob/{name}?{SIGNED}"
            return self._answer({"ok": True, "signed_upload_url": url})
        artifact = self.stored[name]
        data = artifact.data or b""
        digest = hashlib.sha256(data).hexdigest()
        if request["size"] != str(len(data)) or request["hash"] != f"sha256:{digest}":
            return twirp(400, "size or hash is wrong")
        artifact.finalized += 1
        artifact.artifact_id = str(1000 + len(self.stored))
        return self._answer({"ok": True, "artifact_id": artifact.artifact_id, "new": 1})

    def put(self, name: str, query: str, body: bytes, headers: Any) -> Fault:
        """
        Take a block or a list of blocks.
        """
        if not query.startswith(SIGNED) or headers["Authorization"]:
            return storage_error(403, "AuthorizationFailure")
        artifact = self.stored[name]
        fields = parse_qs(query)
        if fields.get("comp") == ["block"]:
            block_id = fields["blockid"][0]
            base64.b64decode(block_id, validate=True)
            if len({*map(len, artifact.blocks), len(block_id)}) != 1:
                return storage_error(400, "InvalidBlobOrBlock")
            artifact.blocks[block_id] = body
        elif fields.get("comp") == ["blocklist"]:
            listed = [entry.text or "" for entry in ET.fromstring(body)]
            if listed != list(artifact.blocks):
                return storage_error(400, "InvalidBlockList")
            artifact.data = b"".join(artifact.blocks[entry] for entry in listed)
            artifact.mime = headers["x-ms-blob-content-type"]
        else:
            return Fault(status=200)  # act: nothing is stored
        return Fault(status=201)

    def _found(self, request: dict[str, Any]) -> list[Stored]:
        """
        Return the finalized artifacts that a list shows.
        """
        wanted = request.get("name_filter")
        done = [item for item in self.stored.values() if item.artifact_id]
        return [item for item in done if wanted in {None, item.name}]

    def _listed(self, stored: Stored) -> dict[str, Any]:
        """
        Return an entry of a list.
        """
        entry = {"database_id": stored.artifact_id, "name": stored.name}
        size = str(len(stored.data or b""))
        return self._spell({**IDS, **entry, "size": size})

    def _answer(self, fields: dict[str, Any]) -> Fault:
        """
        Return an answer in our spelling.
        """
        return Fault(status=200, body=json.dumps(self._spell(fields)).encode())

    def _spell(self, fields: dict[str, Any]) -> dict[str, Any]:
        """
        Spell the names as this server does.
        """
        if not self.camel:
            return fields
        return {
            "".join([w, *map(str.capitalize, rest)]): value
            for key, value in fields.items()
            for w, *rest in [key.split("_")]
        }


class _Handler(BaseHTTPRequestHandler):
    """
    HTTP in front of an `ArtifactService`.
    """

    protocol_version = "HTTP/1.1"
    owner: ArtifactService

    def do_POST(self) -> None:
        method = self.path.rpartition("/")[2]
        assert (
            self.path
            == f"/twirp/github.actions.results.api.v1.ArtifactService/{method}"
        )
        body = self._body()

        def work() -> Fault:
            """
            Do the call, for who may.
            """
            if self.headers["Authorization"] != f"Bearer {self.owner.token}":
                return twirp(401, "unauthenticated")
            return self.owner.call(method, json.loads(body))

        self._step(method, work)

    def do_PUT(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        step = "blocklist" if "comp=blocklist" in query else "block"
        name = path.rpartition("/")[2]
        self._step(step, lambda: self.owner.put(name, query, body, self.headers))

    def _body(self) -> bytes:
        """
        Read the request's body.
        """
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _step(self, step: str, work: Any) -> None:
        """
        Do the step, or what its next fault says.
        """
        self.owner.calls.append(step)
        queue = self.owner.faults.get(step, [])
        fault = queue.pop(0) if queue else None
        reply = work() if fault is None or fault.after else fault
        if fault is not None and fault.stall:
            self.owner.released.wait(WAIT_S)
            self.close_connection = True
        elif fault is not None and not fault.status:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
        else:
            self.send_response(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """
        Say nothing.
        """
