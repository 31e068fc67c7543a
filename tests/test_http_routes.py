"""
What the HTTP client asks for, and by which way: URLs, headers, proxies.
"""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer
from hypothesis import given, settings, strategies as st

from reliability.http import HttpClient, HttpError
from reliability.http.route import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.raw_server import Peer


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Forget the proxies of the machine that runs the tests.
    """
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def client() -> Iterator[HttpClient]:
    """
    Give a client that is closed at the end.
    """
    with contextlib.closing(HttpClient()) as client:
        yield client


def echo(peer: Peer) -> None:
    """
    Answer each request with the request itself.
    """
    while request := peer.request():
        peer.send(answer(request))


def get(client: HttpClient, url: str, **headers: str) -> bytes:
    """
    Return the body of a GET.
    """
    with client.request("GET", url, headers=headers, timeout_s=WAIT_S) as response:
        return response.read(1 << 20)


def test_request_goes_out_as_given(client: HttpClient) -> None:
    """
    Method, target, headers and body arrive byte for byte, in one request.
    """
    with RawServer(echo) as server:
        target = "/a%2Fb?sig=A%2bB%3D&x=+~'()&comp=block&blockid=QQ%3D%3D"
        with client.request(
            "PUT",
            server.url + target + "#fragment",
            headers={"Authorization": "Bearer t", "X-Tab": "a\tb"},
            body=b"\x00\xff",
            timeout_s=WAIT_S,
        ) as response:
            head, _, body = response.read(1 << 20).partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")

        assert f"PUT {target} HTTP/1.1" == lines[0]
        assert {
            f"Host: 127.0.0.1:{server.port}",
            "Authorization: Bearer t",
            "X-Tab: a\tb",
            "Content-Length: 2",
        } <= set(lines)
        assert b"\x00\xff" == body


@given(
    st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#")
    )
)
def test_target_is_never_changed(tail: str) -> None:
    """
    Whatever follows the host is the request target, without any re-encoding.
    """
    _, target = parse_url(f"https://host.invalid/?{tail}")

    assert f"/?{tail}" == target


@settings(max_examples=50)
@given(st.sampled_from(["", "http://", "https://h"]), st.text(max_size=20))
def test_any_text_as_url_is_parsed_or_refused(start: str, rest: str) -> None:
    """
    A URL is understood or refused with our own error; nothing else is raised.
    """
    try:
        origin, target = parse_url(start + rest)
    except HttpError:
        return

    assert origin.host
    assert target.startswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host.invalid/",
        "host.invalid/",
        "http:///SECRET",
        "http://host.invalid:port/SECRET",
        "http://user:SECRET@host.invalid/",
        "http://host.invalid/a b?SECRET",
        "http://host.invalid/\r\nSECRET: 1",
        "http://höst.invalid/SECRET",
        "http://[::1/SECRET",
    ],
)
def test_unusable_url_is_refused_unseen(client: HttpClient, url: str) -> None:
    """
    What cannot be sent as given is refused, and the error does not quote it.
    """
    with pytest.raises(HttpError) as caught:
        get(client, url)

    assert "protocol" == caught.value.kind
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("value", ["a\r\nX: SECRET", "SECRET\0", "SECRETé"])
def test_unusable_header_is_refused_unseen(client: HttpClient, value: str) -> None:
    """
    A header that would split the request is refused by name; its value stays hidden.
    """
    with pytest.raises(HttpError, match="x-api-key") as caught:
        client.request(
            "GET", "http://127.0.0.1:9", headers={"x-api-key": value}, timeout_s=1
        )

    assert "protocol" == caught.value.kind
    assert "SECRET" not in str(caught.value)


def test_http_proxy_gets_the_whole_url(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A plain request goes to the proxy in absolute form, with its credentials.
    """
    with RawServer(echo) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        seen = get(client, "http://service.invalid/x?sig=%2B").decode()

    credentials = base64.b64encode(b"me:p@ss").decode()

    assert seen.startswith("GET http://service.invalid/x?sig=%2B HTTP/1.1\r\n")
    assert "\r\nHost: service.invalid\r\n" in seen
    assert f"\r\nProxy-Authorization: Basic {credentials}\r\n" in seen


@pytest.mark.parametrize("no_proxy", ["", "*"])
def test_loopback_is_never_asked_for_through_a_proxy(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    """
    A server on this machine is reached directly, with or without NO_PROXY.
    """
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", no_proxy)
    with RawServer(echo) as server:
        seen = get(client, server.url)

        assert seen.startswith(b"GET / HTTP/1.1")


def test_no_proxy_names_hosts_that_are_reached_directly(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A host in NO_PROXY is looked up by ourselves; the proxy is not asked.
    """
    with RawServer(echo) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", f"{'a' * 64}.invalid")
        with pytest.raises(HttpError) as caught:
            get(client, f"http://{'a' * 64}.invalid/")

        assert ("connect", 0) == (caught.value.kind, proxy.connections)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://", "http://x:y"])
def test_unusable_proxy_is_named_by_its_variable(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """
    A proxy that we cannot speak to is an error that says where it was set.
    """
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(HttpError, match="HTTPS_PROXY") as caught:
        get(client, "https://service.invalid/")

    assert "connect" == caught.value.kind


def test_import_loads_nothing_that_only_proxies_or_tls_need() -> None:
    """
    What is slow to load comes with the first proxy or https connection.
    """
    slow = {"urllib.request", "http.client", "ssl", "email"}
    code = f"import reliability.http, sys; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert "[]\n" == done.stdout


def test_ipv6_hosts_keep_their_brackets() -> None:
    """
    An IPv6 address is bracketed where a host header needs it.
    """
    origin, _ = parse_url("http://[::1]:8080/")

    assert "[::1]:8080" == origin.host_header
    assert "::1" == origin.host
    assert "[::1]" == parse_url("http://[::1]")[0].host_header
    assert urlsplit("http://[::1]").hostname == origin.host
