"""
The ways to write a secret: what a redactor looks for.

Promises: each form is a plain string that occurs wherever the secret was written in
that way, whatever stands around it. Base64 depends on its neighbours: a form holds only
the characters that are made of the secret alone, and says on which side a further one
holds some of its bits.

Trade-off: only the single lines of a multi-line secret are forms of their own, not the
encodings of those lines.
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHORTEST_LINE = 16  # Lines of keys are longer, lines of prose in a value often not.
_MIME_WIDTH = 76  # Where `base64` and MIME break lines.
_UNQUOTED = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986: never needs quoting.


class Form(NamedTuple):
    """
    One way to write a secret.

    Args:
        needle: What to look for.
        left: Characters before it that may hold some of the secret's bits: 0 or 1.
        right: The same after it.
    """

    needle: str
    left: int = 0
    right: int = 0


def forms_of(secret: str) -> Iterator[Form]:
    """
    Yield every way to write a secret that this module knows.
    """
    raw = _raw(secret)
    for text in (secret, *_escaped(secret), raw.hex(), raw.hex().upper()):
        yield Form(text)
    if "\n" in secret:
        lines = (line.strip() for line in secret.splitlines())
        yield from (Form(line) for line in lines if len(line) >= _SHORTEST_LINE)
    inner = [form.needle for form in _base64_forms(raw)]
    yield from _base64_forms(raw)
    yield from _url_safe(_base64_forms(raw))
    inner += [_wrapped(text) for text in inner if len(text) > _MIME_WIDTH]
    for text in inner:
        yield from _base64_forms(text.encode())


def _escaped(secret: str) -> Iterator[str]:
    """
    Yield what JSON, URLs and HTML make of a secret, where it differs.
    """
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    if _UNQUOTED.fullmatch(secret):
        return
    # Imported here: 5 ms of start-up that most secrets never need.
    from html import escape
    from urllib.parse import quote_from_bytes

    raw = _raw(secret)
    for safe in ("", "/", "!'()*", " "):
        quoted = quote_from_bytes(raw, safe=safe)
        for text in (quoted, quoted.replace(" ", "+")):
            yield text
            yield re.sub("%..", lambda match: match[0].lower(), text)
    yield escape(secret)
    yield escape(secret, quote=False)
    yield escape(secret).replace("&#x27;", "&#39;")
    yield escape(secret).replace("&#x27;", "&apos;")


def _base64_forms(raw: bytes) -> Iterator[Form]:
    """
    Yield the base64 that bytes have inside longer data, at each of the three offsets.

    Only characters made of these bytes alone are in the needle; the one before and
    the one after share bits with the neighbours.
    """
    for offset in range(3):
        encoded = b2a_base64(b"\0" * offset + raw, newline=False).decode("ascii")
        first = -(-offset * 8 // 6)
        last, shared_bits = divmod((offset + len(raw)) * 8, 6)
        yield Form(encoded[first:last], int(offset > 0), int(shared_bits > 0))


def _url_safe(forms: Iterable[Form]) -> Iterator[Form]:
    """
    Yield forms in the URL-safe alphabet of base64.
    """
    table = str.maketrans("+/", "-_")
    for form in forms:
        yield form._replace(needle=form.needle.translate(table))


def _wrapped(encoded: str) -> str:
    """
    Break base64 into lines as the `base64` command does.
    """
    starts = range(0, len(encoded), _MIME_WIDTH)
    return "\n".join(encoded[at : at + _MIME_WIDTH] for at in starts)


def _raw(secret: str) -> bytes:
    """
    Return the bytes of an environment value, or of any other string.
    """
    try:
        return secret.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return secret.encode(errors="surrogatepass")
