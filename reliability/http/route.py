"""
Where a URL leads: its origin, what is asked of it, and the proxy on the way.

Promises: nothing of the URL is re-encoded; what could not be sent as it stands is
refused. `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured as
`urllib.request` reads them, except that a loopback address is never asked for
through a proxy (the same exception as Go's `net/http` makes): a local server would
otherwise be out of reach behind a company's proxy.

Not promised: proxies that are themselves reached over https or SOCKS.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from reliability.http.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORTS = {"http": 80, "https": 443}
_NOT_IN_A_URL = re.compile(r"[^\x21-\x7e]")


class Origin(NamedTuple):
    """
    What a connection is made to.
    """

    scheme: str
    host: str
    port: int

    @property
    def host_header(self) -> str:
        """
        The `Host` header: IPv6 in brackets, the port only when it is not the default.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Proxy(NamedTuple):
    """
    An HTTP proxy, with the value of `Proxy-Authorization` ("" when it asks for none).
    """

    host: str
    port: int
    authorization: str


class Request(NamedTuple):
    """
    What is sent; *target* goes out as it is.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


# A run asks one address thousands of times.
@lru_cache(maxsize=8)
def parse_url(url: str) -> tuple[Origin, str]:
    """
    Split into the origin and the request target, whose bytes stay as they are.

    Raises:
        HttpError: "protocol" when the URL cannot be sent as given; the text names
            the fault, not the URL, which may be signed.
    """
    if _NOT_IN_A_URL.search(url):
        raise HttpError("protocol", "the URL holds a blank, control or non-ASCII byte")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise HttpError("protocol", "the URL's host or port is malformed") from None
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise HttpError("protocol", "the URL does not begin with http(s)://host")
    if "@" in parts.netloc:
        raise HttpError("protocol", f"the URL for {host} holds credentials")
    after_host = url.partition("://")[2][len(parts.netloc) :].partition("#")[0]
    target = after_host if after_host.startswith("/") else f"/{after_host}"
    if port is None:
        port = DEFAULT_PORTS[parts.scheme]
    return Origin(parts.scheme, host, port), target


def find_proxy(origin: Origin) -> Proxy | None:
    """
    Return the proxy that the environment names for *origin*, or None.

    Raises:
        HttpError: "connect" when it names one that we cannot speak to.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    if _is_loopback(origin.host):
        return None
    from urllib.request import (
        getproxies,
        proxy_bypass,
    )

    proxies = getproxies()
    url = proxies.get(origin.scheme) or proxies.get("all")
    if not url or proxy_bypass(f"{origin.host}:{origin.port}"):
        return None
    return _parse_proxy(url, f"{origin.scheme.upper()}_PROXY")


def _is_loopback(host: str) -> bool:
    """
    Say whether *host* is this machine by name or address.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse_proxy(url: str, variable: str) -> Proxy:
    """
    Read `[http://][user:password@]host[:port]`.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme != "http":
        raise HttpError(
            "connect", f"{variable} is not http://host:port, the one kind we can use"
        )
    authorization = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(host, DEFAULT_PORTS["http"] if port is None else port, authorization)
