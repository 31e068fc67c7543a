"""
What an artifact service may do instead of its work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    What a step does instead of answering as it should.

    Attributes:
        status: Of the answer; 0 breaks the connection off instead.
        after: True does the step's work first.
        stall: Never answer.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    stall: bool = False


RESET = Fault()
LOST = Fault(after=True)
STALL = Fault(after=True, stall=True)
NOT_OK = Fault(status=200, body=b'{"ok": false}')
HTML_404 = Fault(status=404, body=b"<html>Not Found</html>")
EMPTY_500 = Fault(status=500)


def twirp(status: int, msg: str, code: str = "unknown") -> Fault:
    """
    Return a Twirp error.
    """
    return Fault(status=status, body=json.dumps({"code": code, "msg": msg}).encode())


def storage_error(status: int, code: str) -> Fault:
    """
    Return an error as blob storage gives it.
    """
    xml = f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'
    return Fault(status=status, body=xml.encode(), headers={"x-ms-error-code": code})
