"""
No planted secret survives, however it is written and whatever stands around it.

The check is an attacker: it decodes what is left in every way and looks for the secret.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import assume, given, settings, strategies as st

from reliability.redact import Redactor

# Without brackets: a secret that continues the mark itself could come about by chance.
# Without white space and backslash, which the attacker takes out.
PRINTABLE = "".join(char for char in map(chr, range(0x21, 0x7F)) if char not in "[]\\")
SECRETS = st.text(PRINTABLE + "äß日€", min_size=8, max_size=90)
AROUND = st.text(PRINTABLE + " äß日\n", max_size=12)
BYTES_AROUND = st.binary(max_size=5)
WIDTHS = st.integers(min_value=20, max_value=90)

quick = settings(max_examples=120, deadline=None)
thorough = settings(max_examples=3000, deadline=None)


def encode64(data: bytes) -> str:
    """
    Return base64 on one line.
    """
    return base64.b64encode(data).decode()


def spread(text: str, width: int) -> str:
    """
    Break text into lines.
    """
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def written(secret: str, before: bytes, after: bytes, width: int) -> list[str]:
    """
    Return a secret in every form, encoded together with its neighbours.
    """
    raw = secret.encode()
    whole = before + raw + after
    twice = encode64(before + encode64(whole).encode() + after)
    mime_twice = encode64(base64.encodebytes(raw))
    return [
        secret,
        spread(secret, width),
        spread(secret, width).replace("\n", "\\n"),
        encode64(whole),
        spread(encode64(whole), width),
        base64.urlsafe_b64encode(whole).decode(),
        twice,
        spread(twice, width),
        mime_twice,
        spread(mime_twice, width),
        whole.hex(),
        whole.hex().upper(),
        spread(whole.hex(), width),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        re.sub("%..", lambda match: match[0].lower(), quote(secret)),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        json.dumps(json.dumps(secret)),
    ]


def readings(text: str, depth: int = 2) -> list[bytes]:
    """
    Return what an attacker can make of a text.
    """
    joined = re.sub(r"\s+|\\n", "", text)
    found = [text.encode(), joined.encode()]
    if not depth:
        return found
    found.append(unquote_plus(text).encode(errors="replace"))
    found.append(re.sub(r"\\+(u[0-9a-f]{4}|.)", _unescape, text).encode())
    for run in re.findall("[0-9a-fA-F]{8,}", joined):
        found += [
            bytes.fromhex(run[at : at + (len(run) - at) // 2 * 2]) for at in (0, 1)
        ]
    for run in re.findall("[A-Za-z0-9+/_-]{8,}", joined):
        standard = run.translate(str.maketrans("-_", "+/"))
        for skip in range(4):
            usable = standard[skip:]
            data = base64.b64decode(usable[: len(usable) // 4 * 4])
            found += readings(data.decode("latin-1"), depth - 1)
            found.append(data)
    return found


def _unescape(match: re.Match[str]) -> str:
    """
    Undo one JSON escape, however often it was escaped itself.
    """
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else code


def check_nothing_survives(
    secret: str, texts: tuple[str, str], data: tuple[bytes, bytes], width: int
) -> None:
    """
    Plant a secret in every form and look for it in what redaction leaves.
    """
    assume(secret not in "[redacted]")
    redactor = Redactor([secret])
    for form in written(secret, *data, width):
        clean = redactor.text(texts[0] + form + texts[1])

        assert "[redacted]" in clean, form
        for reading in readings(clean):
            assert secret.encode() not in reading, form
            assert secret.encode() not in reading.decode("latin-1").encode(), form


@given(
    SECRETS,
    st.tuples(AROUND, AROUND),
    st.tuples(BYTES_AROUND, BYTES_AROUND),
    WIDTHS,
)
@quick
def test_planted_secret_never_survives(
    secret: str, texts: tuple[str, str], data: tuple[bytes, bytes], width: int
) -> None:
    """
    Nothing that is left can be decoded to the secret.
    """
    check_nothing_survives(secret, texts, data, width)


@pytest.mark.crash
@given(
    SECRETS,
    st.tuples(AROUND, AROUND),
    st.tuples(BYTES_AROUND, BYTES_AROUND),
    WIDTHS,
)
@thorough
def test_planted_secret_never_survives_in_thousands(
    secret: str, texts: tuple[str, str], data: tuple[bytes, bytes], width: int
) -> None:
    """
    The same, for as many secrets as it takes to trust it.
    """
    check_nothing_survives(secret, texts, data, width)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_clean_data_is_untouched(data: object) -> None:
    """
    Data without secrets comes back as it is, the very same object.
    """
    redactor = Redactor(["n0t-in-there-q7Zp", "neither/This+1=ofcourse"])

    assert redactor.value(data) is data


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_text_around_a_secret_is_kept(before: str, after: str) -> None:
    """
    Redaction takes the secret and leaves every character beside it.
    """
    # No key of a known shape can reach across such characters.
    secret = "§n0t§in§there§q7Zp§"

    expected = f"{before}[redacted]{after}"
    assert expected == Redactor([secret]).text(before + secret + after)
