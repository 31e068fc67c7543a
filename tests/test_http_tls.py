"""
The HTTP client over TLS, directly and through a proxy's tunnel.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from fakes.raw_server import WAIT_S, RawServer, answer

from reliability.http import HttpClient, HttpError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Make a self-signed certificate, with its key in the same file.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl program")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    names = "subjectAltName=IP:127.0.0.1,DNS:service.invalid"
    rest = ["-nodes", "-subj", "/CN=test", "-addext", names, "-days", "2"]
    files = ["-keyout", str(path), "-out", str(path) + ".crt"]
    subprocess.run([openssl, *key, *rest, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".pem.crt").read_text())
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    """
    Return the server's side of TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_https_trusts_what_ssl_cert_file_names(
    client: HttpClient, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A certificate of one's own is trusted when SSL_CERT_FILE names it; links are reused.
    """
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with RawServer(echo, context=serving(certificate)) as server:
        url = server.url.replace("http:", "https:")
        for _ in range(3):
            assert get(client, url).startswith(b"GET / HTTP/1.1")

        assert 1 == server.connections


def test_https_refuses_a_certificate_that_nobody_vouches_for(
    client: HttpClient, certificate: Path
) -> None:
    """
    An unknown certificate means no connection, and the error says so.
    """
    with RawServer(echo, context=serving(certificate)) as server:
        with pytest.raises(HttpError, match="certificate verify failed") as caught:
            get(client, server.url.replace("http:", "https:"))

        assert "connect" == caught.value.kind


def test_https_goes_through_the_proxy_in_a_tunnel(
    client: HttpClient, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The proxy sees host and port; request and certificate check belong to the origin.
    """
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    seen: list[bytes] = []

    def talk(peer: Peer) -> None:
        """
        Accept the tunnel, then be the origin at its other end.
        """
        seen.append(peer.request())
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        with serving(certificate).wrap_socket(peer.sock, server_side=True) as inner:
            peer.sock = inner
            echo(peer)

    with RawServer(talk) as proxy:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        bodies = [get(client, "https://service.invalid/x") for _ in range(2)]
        client.close()

    first_lines = [seen[0].partition(b"\r\n")[0]]

    assert [b"CONNECT service.invalid:443 HTTP/1.1"] == first_lines
    assert all(body.startswith(b"GET /x HTTP/1.1\r\n") for body in bodies)
    assert 1 == proxy.connections


def test_tunnel_that_the_proxy_refuses_is_no_connection(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A proxy that wants a password is reported with its status and address.
    """

    def talk(peer: Peer) -> None:
        """
        Refuse.
        """
        peer.request()
        peer.send(answer(status="407 Who are you"))

    with RawServer(talk) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(HttpError, match="407") as caught:
            get(client, "https://service.invalid/x?SECRET")

        assert "connect" == caught.value.kind
        assert f"127.0.0.1:{proxy.port}" in str(caught.value)
        assert "SECRET" not in str(caught.value)


def test_abort_wakes_a_reader_of_an_encrypted_answer(
    client: HttpClient, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A thread that waits for TLS data ends at once, as one that waits for plain data.
    """
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")

    def talk(peer: Peer) -> None:
        """
        Begin to answer, end the client's patience, and wait.
        """
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234")
        client.abort()
        peer.hold()

    with RawServer(talk, context=serving(certificate)) as server:
        with pytest.raises(HttpError) as caught:
            get(client, server.url.replace("http:", "https:"))

        assert "aborted" == caught.value.kind
