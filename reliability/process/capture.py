"""
What is kept of a stream that may be endless: its head, its tail and its length.

It promises memory bounded by the cap, and text in which no secret shows in part: a
secret is redacted whole before anything is cut. For that, both edges of a gap keep
`MARGIN_BYTES` more than may be shown; those never are. A secret longer than
the margin (in the form in which it was printed) may show in part.

Bytes are kept as they came; text is made of them at the end, for people and logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARGIN_BYTES = 8192
# A 4096-bit private key in PEM, base64 once more, has 4.3 KB.

LINE_CAP_BYTES = 4 * 1024 * 1024
# One event of a CLI may hold a file or a picture that a tool read; 4 MiB holds both.


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """
    Head and tail of one stream; neither shows in `repr`, since they may hold secrets.

    Args:
        head: The first bytes; the whole stream where it is short.
        tail: The last bytes, never overlapping *head*.
        total_bytes: How long the stream was.
    """

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)
    total_bytes: int

    @property
    def dropped_bytes(self) -> int:
        """
        How many bytes between head and tail were not kept.
        """
        return self.total_bytes - len(self.head) - len(self.tail)

    def text(self, redact: Callable[[str], str], cap_bytes: int) -> str:
        """
        Return the stream as text: decoded, redacted, and only then cut.

        Args:
            redact: Replaces every secret in a text; called before any cut.
            cap_bytes: The most bytes of UTF-8 to return beside the notice
                `[... N bytes left out ...]`, where N is counted after redaction.
        """
        if self.dropped_bytes:
            head, tail = _encoded(redact, self.head), _encoded(redact, self.tail)
            # The margins may hold one half of a secret, which no redactor knows.
            shown_head = head[: max(len(head) - MARGIN_BYTES, 0)]
            shown_tail = tail[MARGIN_BYTES:]
        else:
            head, tail = _encoded(redact, self.head + self.tail), b""
            if len(head) <= cap_bytes:
                return head.decode()
            shown_head = shown_tail = head
        left = shown_head[: cap_bytes - cap_bytes // 2].decode(errors="ignore")
        tail_start = max(len(shown_tail) - cap_bytes // 2, 0)
        right = shown_tail[tail_start:].decode(errors="ignore")
        shown_bytes = len(left.encode()) + len(right.encode())
        left_out_bytes = self.dropped_bytes + len(head) + len(tail) - shown_bytes
        return f"{left}{notice(left_out_bytes)}{right}"


def notice(left_out_bytes: int) -> str:
    """
    Return what a cut text says in place of the bytes that it lacks.
    """
    return f"[... {left_out_bytes} bytes left out ...]"


def _encoded(redact: Callable[[str], str], raw: bytes) -> bytes:
    """
    Decode, redact and encode again, so that cuts can be counted in bytes.
    """
    return redact(raw.decode(errors="replace")).encode(errors="replace")


class Recorder:
    """
    Takes a stream chunk by chunk and keeps its head and tail.

    Args:
        cap_bytes: How much of the stream may ever be shown; a margin more is kept
            at each edge of the gap.
    """

    def __init__(self, cap_bytes: int) -> None:
        self._head_cap_bytes = cap_bytes - cap_bytes // 2 + MARGIN_BYTES
        self._tail_cap_bytes = cap_bytes // 2 + MARGIN_BYTES
        self._head = bytearray()
        self._tail = bytearray()
        self._total_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """
        Take the next bytes of the stream.
        """
        self._total_bytes += len(chunk)
        room = self._head_cap_bytes - len(self._head)
        if room:
            self._head += chunk[:room]
            chunk = chunk[room:]
        self._tail += chunk[-self._tail_cap_bytes :]
        # Cut at twice the cap, not at each chunk: moving bytes costs more than room.
        if len(self._tail) > 2 * self._tail_cap_bytes:
            del self._tail[: -self._tail_cap_bytes]

    def capture(self) -> Capture:
        """
        Return what was kept so far.
        """
        return Capture(
            head=bytes(self._head),
            tail=bytes(self._tail[-self._tail_cap_bytes :]),
            total_bytes=self._total_bytes,
        )


class LineSplitter:
    r"""
    Cuts a stream into lines at `\n` and hands each complete one on, without it.

    A last line without its newline is never handed on: it may be torn.

    Args:
        take: Gets each line.
        cap_bytes: A longer line is dropped whole and counted in `dropped_lines`.
    """

    def __init__(
        self, take: Callable[[bytes], None], cap_bytes: int = LINE_CAP_BYTES
    ) -> None:
        self._take = take
        self._cap_bytes = cap_bytes
        self._pending = bytearray()
        self._is_too_long = False
        self.dropped_lines = 0

    def feed(self, chunk: bytes) -> None:
        """
        Take the next bytes of the stream.
        """
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._append(end)
            line, is_too_long = bytes(self._pending), self._is_too_long
            self._pending.clear()
            self._is_too_long = False
            if is_too_long:
                self.dropped_lines += 1
            else:
                self._take(line)
        self._append(rest)

    def _append(self, piece: bytes) -> None:
        """
        Add to the pending line, or give it up when it grows past the cap.
        """
        if self._is_too_long:
            return
        if len(self._pending) + len(piece) > self._cap_bytes:
            self._is_too_long = True
            self._pending.clear()
        else:
            self._pending += piece
