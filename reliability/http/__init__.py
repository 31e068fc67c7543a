"""
A lean pooled HTTP/1.1 client on the standard library's `http.client`.

Promises: the URL is sent as given (a signed query string is never re-encoded),
redirects are not followed, one deadline bounds connecting, sending and reading
alike, `abort()` ends every wait from any thread, and no error text holds a query
string or a header. Connections are kept alive; there are never more of them to an
origin than requests that were in flight at once: one for each worker thread.

Not promised: HTTP/2, compression, cookies, bounded name resolution (the
system's resolver has its own time-out and cannot be interrupted).

Trade-offs: one small client instead of an SDK costs a fraction of the CPU of a call
and of the start-up time. `http.client` imports `ssl` on its own; the trust store,
the dear part of TLS, is loaded with the first https connection only.

    errors.py    HttpError: the one exception
    route.py     which socket a URL leads to: origin, proxy
    deadline.py  a time-out that counts down once
    link.py      one connection with a deadline
    response.py  the answer, read once, in pieces or whole
    client.py    the pool, the one repeat of a stale connection, abort
"""

from __future__ import annotations

from reliability.http.client import HttpClient
from reliability.http.errors import HttpError, HttpErrorKind
from reliability.http.response import Response

__all__ = ["HttpClient", "HttpError", "HttpErrorKind", "Response"]
