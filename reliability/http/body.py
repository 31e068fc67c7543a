"""
The body of an answer, as its frame says: by length, in chunks, or until the end.

Promises: what has arrived is handed out at once, all of it in one piece up to the cap;
nothing is waited for while something can be handed out. A body that ends before its
frame says so is an error. Sizes of chunks and trailers are bounded; trailers are read
and dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reliability.http.errors import NotHttpError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.http.head import Head

_RECEIVE_BYTES = 64 * 1024
_LINE_CAP_BYTES = 8 * 1024
_MOST_TRAILERS = 100
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\n]*)?\r?")
# The end of a chunk with all of the size that follows; of the last one also the end.
_READY = re.compile(rb"\r?\n(?!0+\b)%s\n|\r?\n%s\n\r?\n" % ((_SIZE.pattern,) * 2))


class Body:
    """
    What follows a head.

    Args:
        receive: Waits for at most so many bytes; b"" at the end of the connection.
        held: What has come with the head.
    """

    def __init__(
        self, receive: Callable[[int], bytes], head: Head, held: bytes
    ) -> None:
        self._receive = receive
        self._held = held
        self._at = 0  # of what is held, how much has been taken
        self._is_chunked = head.is_chunked
        self._chunk_bytes = 0  # left of the chunk at hand
        self._is_in_chunks = False
        self.left_bytes = head.length_bytes
        self.is_over = head.length_bytes == 0

    @property
    def is_clean(self) -> bool:
        """
        Say that nothing came behind the body, which nobody asked for.
        """
        return self._at >= len(self._held)

    def next(self, most_bytes: int) -> bytes:
        """
        Return what has arrived, waiting only for the first byte; b"" after the last.

        Raises:
            NotHttpError: when chunks are malformed.
            OSError: when the body ends early, and whatever receiving raises.
        """
        if self.is_over:
            return b""
        if self._is_chunked:
            return self._next_of_chunks(most_bytes)
        if self.left_bytes is None:
            piece = self._some(most_bytes)
            self.is_over = not piece
            return piece
        piece = self._some(min(most_bytes, self.left_bytes))
        if not piece:
            raise OSError(0, f"the answer ended {self.left_bytes} bytes early")
        self.left_bytes -= len(piece)
        self.is_over = self.left_bytes == 0
        return piece

    def _next_of_chunks(self, most_bytes: int) -> bytes:
        """
        Return the content of the chunks that are here, at most *most_bytes*.
        """
        pieces: list[bytes] = []
        room_bytes = most_bytes
        while room_bytes and not (pieces and self._must_wait()):
            if self._chunk_bytes == 0:
                self._begin_chunk()
                if self.is_over:
                    break
                continue  # Its first byte may not be here yet.
            piece = self._some(min(room_bytes, self._chunk_bytes))
            if not piece:
                raise OSError(0, "it ended inside of a chunk")
            self._chunk_bytes -= len(piece)
            room_bytes -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _must_wait(self) -> bool:
        """
        Say whether the next step would have to wait for bytes.
        """
        if self._chunk_bytes:
            return self._at >= len(self._held)
        return not _READY.match(self._held, self._at)

    def _begin_chunk(self) -> None:
        """
        Read the size of the next chunk; after the last one, the trailers.
        """
        if self._is_in_chunks and self._line().strip(b"\r"):
            raise NotHttpError("a chunk is longer than its size")
        self._is_in_chunks = True
        size = _SIZE.fullmatch(self._line())
        if not size:
            raise NotHttpError("the size of a chunk is not a number")
        self._chunk_bytes = int(size[1], 16)
        if self._chunk_bytes:
            return
        for _ in range(_MOST_TRAILERS):
            if not self._line().strip(b"\r"):
                self.is_over = True
                return
        raise NotHttpError("it has too many trailers")

    def _line(self) -> bytes:
        """
        Return the next line, without its LF.
        """
        while (end := self._held.find(b"\n", self._at)) < 0:
            if len(self._held) - self._at > _LINE_CAP_BYTES:
                raise NotHttpError("a line between chunks is too long")
            more = self._receive(_RECEIVE_BYTES)
            if not more:
                raise OSError(0, "it ended between chunks")
            self._held, self._at = self._held[self._at :] + more, 0
        if end - self._at > _LINE_CAP_BYTES:
            raise NotHttpError("a line between chunks is too long")
        line = self._held[self._at : end]
        self._at = end + 1
        return line

    def _some(self, most_bytes: int) -> bytes:
        """
        Return what is held, else what arrives next; b"" at the end of the connection.
        """
        at = self._at
        if at < len(self._held):
            piece = self._held[at : at + most_bytes]
            self._at = at + len(piece)
            return piece
        if not self._is_chunked:
            return self._receive(min(most_bytes, _RECEIVE_BYTES))
        self._held, self._at = self._receive(_RECEIVE_BYTES), 0
        piece = self._held[:most_bytes]
        self._at = len(piece)
        return piece
