"""
An answer: status and headers at once, the body when it is asked for.

Promises: a body that ends before its declared length is an error, never a short
success; what is read is capped; the connection returns to the pool by itself when the
last byte has been read, and is dropped when the answer is closed before that.

Not promised: decompression (we ask for none) and trailers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.http.body import Body
from reliability.http.errors import HttpError, NotHttpError
from reliability.http.head import read_head

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
        self, method: str, link: Link, release: Callable[[Link, bool], None]
    ) -> None:
        head, rest = read_head(link.receive, method)
        self.status: int = head.status
        self.headers: Mapping[str, str] = head.headers
        self.truncated = False
        self._body = Body(link.receive, head, rest)
        self._keeps_open = head.keeps_open
        self._link: Link | None = link
        self._release = release
        self._origin = link.origin
        if self._body.is_over:
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
                if b"\r" in rest:
                    whole = [line.removesuffix(b"\r") for line in whole]
                yield from whole
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
        left_bytes = self._body.left_bytes
        if left_bytes is not None and left_bytes <= _DRAIN_BYTES:
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
        try:
            piece = self._body.next(cap_bytes)
        except (OSError, NotHttpError) as error:
            self._finish(is_whole=False)
            raise link.explain(error) from error
        except BaseException:
            self._finish(is_whole=False)
            raise
        if self._body.is_over:
            self._finish(is_whole=True)
        return piece

    def _finish(self, *, is_whole: bool) -> None:
        """
        Give the link back, once; it can be used again only after a whole answer.
        """
        link, self._link = self._link, None
        if link is not None:
            is_reusable = is_whole and self._keeps_open and self._body.is_clean
            self._release(link, is_reusable)
