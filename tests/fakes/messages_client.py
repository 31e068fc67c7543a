"""
A small client of the Messages API, for tests that look at what a server sends.
"""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any, Self

TIMEOUT_S = 10.0  # A server that hangs fails a test; it is never waited for longer.
_BODY = b'{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user"}]}'
RAW_REQUEST = (
    b"POST /v1/messages HTTP/1.1\r\nx-api-key: k\r\ncontent-length: %d\r\n\r\n%b"
    % (len(_BODY), _BODY)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    What came back.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """
        The body as JSON.
        """
        return json.loads(self.body)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """
        Return the body's server-sent events as pairs of name and data.
        """
        pairs = []
        for block in self.body.decode().removesuffix("\n\n").split("\n\n"):
            first, second = block.split("\n")
            data = json.loads(second.removeprefix("data: "))
            pairs.append((first.removeprefix("event: "), data))
        return pairs


class Client:
    """
    One keep-alive connection to a server.
    """

    def __init__(self, base_url: str) -> None:
        host = base_url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(host, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """
        Send one request and return the whole reply.

        Raises:
            ConnectionError: when the connection ends before the reply.
            http.client.IncompleteRead: when it ends inside of it.
        """
        self._connection.request(method, path, body, headers or {})
        reply = self._connection.getresponse()
        received = {name.lower(): value for name, value in reply.getheaders()}
        try:
            received_body = reply.read()
        except ConnectionResetError as error:
            raise http.client.IncompleteRead(b"") from error
        return Reply(status=reply.status, headers=received, body=received_body)

    def ask(
        self,
        *,
        trial: object = None,
        attempt: object = None,
        headers: dict[str, str] | None = None,
        **fields: object,
    ) -> Reply:
        """
        Send a model request; *fields* are added to its body.
        """
        asked = {
            "model": "some-model",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "say hello"}],
            **fields,
        }
        named = {"x-api-key": "k", **(headers or {})}
        if trial is not None:
            named["x-reliability-trial"] = str(trial)
        if attempt is not None:
            named["x-reliability-attempt"] = str(attempt)
        body = json.dumps(asked).encode()
        return self.request("POST", "/v1/messages?beta=true", body=body, headers=named)


def connect(base_url: str) -> socket.socket:
    """
    Open a bare connection; the caller closes it.
    """
    host, _, port = base_url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), TIMEOUT_S)


def exchange_raw(base_url: str, data: bytes) -> bytes:
    """
    Send *data* on a new connection, end it, and return all that comes back.
    """
    with connect(base_url) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
        return received
