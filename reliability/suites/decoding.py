"""
From bytes to text: UTF-8, of a size and with characters that YAML allows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reliability.errors import UsageError

if TYPE_CHECKING:
    from reliability.suites.problems import Problems

MAX_FILE_BYTES = 1024 * 1024
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_KEY = re.compile(rb"^[ \t-]*([A-Za-z][\w-]{0,60}):", re.MULTILINE)


def decode(content: bytes, problems: Problems) -> str:
    """
    Decode the file.

    Raises:
        UsageError: when it is too large, not UTF-8 or holds control characters.
    """
    if len(content) > MAX_FILE_BYTES:
        problems.add(1, (), f"the file is larger than {MAX_FILE_BYTES} bytes")
        problems.raise_any()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        _refuse(before, f"byte {error.start} is not UTF-8", problems)
        raise AssertionError("unreachable") from None
    if found := _FORBIDDEN.search(text):
        before = text[: found.start()].encode()
        _refuse(before, f"the character {found[0]!a} must not stand here", problems)
    return text


def _refuse(before: bytes, what: str, problems: Problems) -> None:
    """
    Refuse what follows *before*, naming the key that was last.

    Raises:
        UsageError: always.
    """
    line = before.count(b"\n") + 1
    keys = _KEY.findall(before)
    problems.add(line, (keys[-1].decode(),) if keys else (), what)
    problems.raise_any()
    raise UsageError(what)
