"""
The bytes of an artifact, put to a signed URL as one Azure block blob.

Promises: always blocks, one after another, then the list of them: a single PUT is
legal too, but act's server stores nothing for it, and it appends blocks as they
arrive. The signed URL is only ever appended to: a client that parses and rebuilds its
query breaks the signature. No authorization header is sent; the URL is the
credential, and no error shows it.

Source: Azure Storage, "Put Block" and "Put Block List"; actions/toolkit,
`blob-upload.ts`.
"""

from __future__ import annotations

import base64
import re
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote

from reliability.github.transfer import RefusedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reliability.github.transfer import Reply, Transfer

BLOCK_BYTES = 8 * 1024 * 1024  # the official client's
BLOCK_TIMEOUT_S = 300.0  # the official client's limit for an upload that stalls
_ERROR_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,60})</Code>")
_SAFE_CODE = re.compile(r"[A-Za-z0-9]{1,60}")


def signature_forms(url: str) -> tuple[str, ...]:
    """
    Return each form in which the signature of *url* could show up in a log.
    """
    forms: dict[str, None] = {}
    for pair in url.partition("?")[2].partition("#")[0].split("&"):
        name, _, value = pair.partition("=")
        if name.lower() == "sig" and value:
            raw = unquote(value)
            forms |= dict.fromkeys((value, raw, quote(raw, safe="")))
    return tuple(forms)


def put_blob(transfer: Transfer, url: str, source: IO[bytes], *, mime: str) -> None:
    """
    Put what is left of *source* to the signed *url*.

    Raises:
        RefusedError: when storage says no; shows its code.
        TransientError: when all attempts at one block failed.
    """
    start = url + ("&" if "?" in url else "?")
    block_ids: list[str] = []
    while block := source.read(BLOCK_BYTES):
        # All ids of a blob must have the same length.
        block_id = base64.b64encode(f"block-{len(block_ids):010d}".encode()).decode()
        block_ids.append(block_id)
        block_url = f"{start}comp=block&blockid={quote(block_id, safe='')}"
        what = f"block {len(block_ids)} of the upload"
        headers = {"Content-Type": "application/octet-stream"}
        _put(transfer, what, block_url, headers, block)
    entries = "".join(f"<Latest>{block_id}</Latest>" for block_id in block_ids)
    xml = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{entries}</BlockList>'
    headers = {"Content-Type": "application/xml", "x-ms-blob-content-type": mime}
    what = "the list of uploaded blocks"
    _put(transfer, what, f"{start}comp=blocklist", headers, xml.encode())


def _put(
    transfer: Transfer, what: str, url: str, headers: Mapping[str, str], body: bytes
) -> None:
    """
    Put one body, with retries.
    """

    def call(_: bool) -> None:
        """
        Put it once.
        """
        reply = transfer.send(
            what, "PUT", url, headers=headers, body=body, timeout_s=BLOCK_TIMEOUT_S
        )
        if 200 <= reply.status < 300:
            return
        code = _error_code(reply)
        text = f"{what} was answered with HTTP {reply.status}{code and f' ({code})'}"
        if reply.is_transient:
            raise TransientError(text)
        raise RefusedError(text, status=reply.status, reason=code)

    transfer.insist(call)


def _error_code(reply: Reply) -> str:
    """
    Return storage's own code for an error, from the header or the XML; "" if none.
    """
    code = reply.headers.get("x-ms-error-code", "")
    if _SAFE_CODE.fullmatch(code):
        return code
    found = _ERROR_CODE.search(reply.body)
    return found[1].decode() if found else ""
