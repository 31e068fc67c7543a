"""
The one exception of the HTTP client.

Its text is safe to show: host, port and what happened, never a path, a query
string, a header or a byte that the server sent.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

HttpErrorKind: TypeAlias = Literal["connect", "reset", "timeout", "protocol", "aborted"]


class HttpError(Exception):
    """
    No whole answer was received.

    Args:
        kind: "connect" when no connection came about (name, refusal, TLS, proxy),
            "reset" when it broke or ended early, "timeout" when the deadline
            passed, "protocol" when request or answer is not HTTP as we speak it,
            "aborted" when `HttpClient.abort` ended it.
        text: Where and what, for people.
    """

    def __init__(self, kind: HttpErrorKind, text: str) -> None:
        super().__init__(text)
        self.kind: HttpErrorKind = kind


class NotHttpError(Exception):
    """
    What arrived is no answer; the text is ours and quotes nothing of it.
    """


def explain(
    where: str, error: Exception, timeout_s: float, *, opening: bool
) -> HttpError:
    """
    Turn what the standard library raised into the one error that we raise.

    Of *error* only the system's own words are shown, or ours, never its arguments.
    """
    reason = getattr(error, "strerror", None) or type(error).__name__
    if isinstance(error, NotHttpError):
        reason = str(error)
    if opening:
        if isinstance(error, TimeoutError):
            reason = f"none within {timeout_s:.3g} s"
        return HttpError("connect", f"{where}: no connection: {reason}")
    if isinstance(error, TimeoutError):
        return HttpError(
            "timeout", f"{where}: no whole answer within {timeout_s:.3g} s"
        )
    if isinstance(error, OSError):
        return HttpError("reset", f"{where}: the connection broke off: {reason}")
    return HttpError("protocol", f"{where}: the answer is not HTTP: {reason}")
