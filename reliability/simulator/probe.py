"""
Ask a base URL whether it is a simulator, so that its figures are never taken for real.

Only hosts on loopback are ever asked: a question to anybody else could carry nothing
useful and would be a request that nobody wanted. Whatever is odd means no.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reliability.simulator.http1 import MARKER_HEADER, SERVICE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_REPLY_BYTES = 65536


def is_simulator(base_url: str, *, timeout_s: float = 1.0) -> bool:
    """
    Return whether a simulator answers at *base_url*; never raises.

    Args:
        base_url: Of a Messages API; its path is not used.
        timeout_s: For connecting, and again for the whole conversation.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme != "http" or host is None or not _is_loopback(host):
        return False
    connection = http.client.HTTPConnection(host, port or 80, timeout=timeout_s)
    try:
        connection.connect()
        with _ended_after(connection.sock, timeout_s):
            connection.request("GET", "/")
            reply = connection.getresponse()
            marked = reply.getheader(MARKER_HEADER) == "1"
            body = json.loads(reply.read(_MAX_REPLY_BYTES))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return False
    finally:
        connection.close()
    return (
        marked
        and reply.status == 200
        and isinstance(body, dict)
        and body.get("service") == SERVICE_NAME
    )


@contextmanager
def _ended_after(sock: socket.socket, timeout_s: float) -> Iterator[None]:
    """
    Shut *sock* after some seconds: the time-out of a socket begins anew at each byte.
    """

    def shut() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _is_loopback(host: str) -> bool:
    """
    Return whether *host* is this machine, by its name or its address.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
