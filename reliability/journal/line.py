"""
One line of the log as bytes: how it is sealed with its checksum, and opened again.

A line is one JSON object in ASCII and a newline. `crc32` is its last member: eight
lower-case hex digits, the CRC-32 of the line's bytes without that member and
without the newline. So a line can be checked before it is parsed, and a line that
is not byte for byte what the writer wrote is never trusted.

The checksum finds accidents (a torn write, a flipped bit, a page of zeros). It does
not stop a forger: for that there is the SHA-256 of the locked log.

Formatting the object is not done here but by `handler`, which only a writer loads.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from zlib import crc32

# The writer's own members of a line; an event cannot have fields of these names.
ENVELOPE = frozenset({"seq", "time", "run_id", "event", "side_files", "crc32"})

# Above this, the longest texts of an event move to side files: a reader stays small
# and a person can still open the log in an editor.
LINE_CAP_BYTES = 256 * 1024

# No line is longer, so a reader never has to hold more than this.
LINE_LIMIT_BYTES = 1024 * 1024

# Every line begins so; quotes inside JSON strings are escaped, so no text can.
LINE_START = b'{"seq":'

_SEAL = re.compile(rb',"crc32":"([0-9a-f]{8})"\}')
_SEAL_BYTES = len(b',"crc32":"00000000"}\n')


class LineError(ValueError):
    """
    These bytes are not a line that the writer wrote; the text says why.
    """


def seal(body: bytes) -> bytes:
    """
    Add the checksum and the newline to one JSON object.

    Args:
        body: A JSON object with at least one member, in ASCII, on one line.
    """
    return b'%b,"crc32":"%08x"}\n' % (body[:-1], crc32(body))


def unseal(line: bytes) -> dict[str, Any]:
    """
    Check a line's form and checksum and return its members, without the checksum.

    Raises:
        LineError: when the line is cut, altered, or not JSON as the writer makes it.
    """
    if not line.endswith(b"\n"):
        raise LineError("the line has no end")
    if not line.startswith(LINE_START):
        raise LineError("the line does not begin as a line of the log does")
    body = line[:-_SEAL_BYTES] + b"}"
    if seal(body) != line:
        raise LineError("the CRC-32 does not match the line")
    try:
        members = _DECODER.decode(body.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise LineError(f"the line is not JSON: {error}") from error
    _require_envelope(members)
    return members  # type: ignore[no-any-return]  # _require_envelope has seen a dict


def begins_with_whole_line(piece: bytes) -> bool:
    """
    Tell whether a bad piece begins with a line that is whole but for its newline.

    Such a line was written completely, so it is damaged, not torn. A piece that ends
    right where the newline is missing is torn.
    """
    checksum = place = 0
    for found in _SEAL.finditer(piece):
        checksum = crc32(memoryview(piece)[place : found.start()], checksum)
        place = found.start()
        is_sealed = b"%08x" % crc32(b"}", checksum) == found[1]
        if is_sealed and found.end() < len(piece):
            return True
    return False


def _require_envelope(members: object) -> None:
    """
    Refuse an object that lacks a member which every line has.
    """
    if not isinstance(members, dict):
        raise LineError("the line is not a JSON object")
    for name, kind in (("seq", int), ("time", str), ("run_id", str), ("event", str)):
        if type(members.get(name)) is not kind:
            raise LineError(f"the line has no usable {name!r}")


def _refuse_constant(name: str) -> NoReturn:
    """
    Refuse NaN and the infinities, which are not JSON.
    """
    raise LineError(f"the line holds {name}, which is not JSON")


# Made once: `json.loads` with an option makes another one for every line.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
