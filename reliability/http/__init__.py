"""
A lean pooled HTTP/1.1 client on plain sockets.

Promises: the URL is sent as given (a signed query string is never re-encoded),
redirects are not followed, one deadline bounds connecting, sending and reading
alike, `abort()` ends every wait from any thread, and no error text holds a query
string or a header. Connections are kept alive; there are never more of them to an
origin than requests that were in flight at once: one for each worker thread.

Not promised: HTTP/2, compression, cookies, bounded name resolution (the
system's resolver has its own time-out and cannot be interrupted).

Trade-offs: one small client instead of an SDK costs a fraction of the CPU of a call
and of the start-up time. The standard library's `http.client` reads heads as e-mail,
reads and waits through several layers, and loads `ssl` and `email` for plain sockets
too; here `ssl` and its trust store are loaded with the first https connection only.

    errors.py    HttpError: the one exception
    route.py     which socket a URL leads to: origin, proxy
    deadline.py  a time-out that counts down once
    link.py      one connection with a deadline
    head.py      heads: one written, one read, and how the body ends
    body.py      the body by its length, in chunks, or until the end
    response.py  the answer, read once, in pieces or whole
    client.py    the pool, the one repeat of a stale connection, abort
"""

from __future__ import annotations

from reliability.http.client import HttpClient
from reliability.http.errors import HttpError, HttpErrorKind
from reliability.http.response import Response

__all__ = ["HttpClient", "HttpError", "HttpErrorKind", "Response"]
