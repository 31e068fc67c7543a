"""
An answer: status and headers at once, the body when it is asked for.

Promises: a body that ends before its declared length is an error, never a short
success; what is read is capped; the connection returns to the pool by itself when the
last byte has been read, and is dropped when the answer is closed before that.

Not promised: decompression (we ask for none) and trailers.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from reliability.http.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from reliability.http.link import Link

_PIECE_BYTES = 64 * 1024
_DRAIN_BYTES = 64 * 1024  # reading this little costs less than connecting again
LINE_CAP_BYTES = 16 * 1024 * 1024  # a line is held in memory; no event is near this


class Response:
    """
    An answer whose headers have arrived.

    Use it as a context manager, or read it to its end.

    Attributes:
        status: HTTP status code.
        headers: By lower-case name; repeated ones are joined with ", ".
        truncated: True after `read` met a body larger than its cap.
    """

    def __init__(
        self,
        raw: http.client.HTTPResponse,
        link: Link,
        release: Callable[[Link, bool], None],
    ) -> None:
        self.status: int = raw.status
        self.headers: Mapping[str, str] = _fold(raw.getheaders())
        self.truncated = False
        self._raw = raw
        self._link: Link | None = link
        self._release = release
        self._origin = link.origin
        # None: chunked, or until the server closes.
        self._left_bytes: int | None = None if raw.chunked else raw.length
        if self._left_bytes == 0:
            self._finish(is_whole=True)

    def read(self, cap_bytes: int) -> bytes:
        """
        Return the rest of the body, at most *cap_bytes*; see `truncated`.

        Raises:
            HttpError: when the body does not arrive whole before the deadline.
        """
        body = bytearray()
        while piece := self._next(min(_PIECE_BYTES, cap_bytes + 1 - len(body))):
            body += piece
            if len(body) > cap_bytes:
                self.truncated = True
                self._finish(is_whole=False)
                return bytes(body[:cap_bytes])
        return bytes(body)

    def lines(self, *, cap_bytes: int = LINE_CAP_BYTES) -> Iterator[bytes]:
        r"""
        Yield each line as it arrives, without its end (`\n` or `\r\n`).

        Args:
            cap_bytes: Of one line.

        Raises:
            HttpError: when the body breaks off (the torn last line is not
                yielded) or a line is longer than *cap_bytes* ("protocol").
        """
        held = bytearray()
        while piece := self._next(_PIECE_BYTES):
            first, newline, rest = piece.partition(b"\n")
            held += first
            if newline:
                yield bytes(held).removesuffix(b"\r")
                *whole, last = rest.split(b"\n")
                for line in whole:
                    yield line.removesuffix(b"\r")
                held = bytearray(last)
            if len(held) > cap_bytes:
                self._finish(is_whole=False)
                where = self._origin
                raise HttpError(
                    "protocol", f"{where}: a line exceeds {cap_bytes} bytes"
                )
        if held:
            yield bytes(held).removesuffix(b"\r")

    def close(self) -> None:
        """
        End it; the connection is kept only when little of the body is left.
        """
        if self._left_bytes is not None and self._left_bytes <= _DRAIN_BYTES:
            try:
                while self._next(_PIECE_BYTES):
                    pass
            except HttpError:
                pass  # nobody wants the rest; the connection is dropped already
        self._finish(is_whole=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _next(self, cap_bytes: int) -> bytes:
        """
        Return what arrives next, at most *cap_bytes*; b"" after the last byte.
        """
        link = self._link
        if link is None:
            return b""
        left_bytes = self._left_bytes
        wanted = cap_bytes if left_bytes is None else min(cap_bytes, left_bytes)
        try:
            piece = self._raw.read1(wanted)
        except (OSError, http.client.HTTPException) as error:
            self._finish(is_whole=False)
            raise link.explain(error) from error
        except BaseException:
            self._finish(is_whole=False)
            raise
        if left_bytes is None:
            if not piece:
                self._finish(is_whole=True)
            return piece
        self._left_bytes = left_bytes - len(piece)
        if not piece:
            self._finish(is_whole=False)
            raise HttpError(
                "reset", f"{link.origin}: the answer ended {left_bytes} bytes early"
            )
        if self._left_bytes == 0:
            self._finish(is_whole=True)
        return piece

    def _finish(self, *, is_whole: bool) -> None:
        """
        Give the link back, once; it can be used again only after a whole answer.
        """
        link, self._link = self._link, None
        if link is not None:
            will_close = self._raw.will_close
            self._raw.close()
            self._release(link, is_whole and not will_close)


def _fold(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """
    Join repeated headers as RFC 9110, section 5.3 allows.
    """
    folded: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        folded[key] = f"{folded[key]}, {value}" if key in folded else value
    return folded
