"""
Secrets leave every text; the general promises are under `property/`.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote

import pytest

from reliability.redact import Redactor, secrets_of

SECRET = "Zq8/x+Yt\"7=Lm&pW'v2"
LONG = "sk-test-" + "".join(f"{number:03d}q" for number in range(25))


def encode64(text: str) -> str:
    """
    Return base64 on one line.
    """
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        encode64(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        quote(SECRET),
        re.sub("%..", lambda match: match[0].lower(), quote(SECRET, safe="")),
        json.dumps(SECRET)[1:-1],
        json.dumps(json.dumps(SECRET))[3:-3],
        SECRET.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#x27;"),
    ],
)
def test_known_secret_is_replaced_in_each_form(written: str) -> None:
    """
    Every way to write a secret is replaced as a whole.
    """
    assert Redactor([SECRET]).text(f"a ({written}) z") == "a ([redacted]) z"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_base64_is_found_behind_any_neighbour(before: str) -> None:
    """
    The offset that a prefix brings hides nothing, nor does encoding twice.
    """
    redactor = Redactor([SECRET])
    once = encode64(f"{before}{SECRET} and more")
    twice = encode64(once)

    assert "[redacted]" in redactor.text(once)
    assert "[redacted]" in redactor.text(twice)
    assert len(redactor.text(twice)) < len(twice) - len(SECRET)


def test_shared_characters_of_base64_go_too() -> None:
    """
    Characters that hold some bits of the secret beside those of a neighbour are taken.
    """
    once = encode64(f"u{SECRET}vw")
    clean = Redactor([SECRET]).text(once)

    # The 19 bytes behind the first are bits 8 to 159: in characters 1 to 26.
    assert clean == f"{once[0]}[redacted]{once[27:]}"


def test_secret_with_line_breaks_through_it_is_found() -> None:
    """
    Output of `base64`, which breaks lines, and a secret wrapped anywhere are replaced.
    """
    redactor = Redactor([LONG])
    mime = base64.encodebytes(LONG.encode()).decode()
    twice = base64.encodebytes(mime.encode()).decode()
    wrapped = "\n    ".join(LONG[at : at + 7] for at in range(0, len(LONG), 7))

    assert redactor.text(f"x: {wrapped};") == "x: [redacted];"
    assert redactor.text(json.dumps(f"x: {wrapped};")) == '"x: [redacted];"'
    assert redactor.text(mime).count("\n") <= 1
    assert len(redactor.text(mime)) < 20
    assert len(redactor.text(twice)) < 20


def test_single_line_of_a_key_is_found() -> None:
    """
    One line of a multi-line secret is a secret; its short lines are not.
    """
    key = "begin\nMIIEvQIBADANBgkqhkiG9w0\nend"

    assert Redactor([key]).text("MIIEvQIBADANBgkqhkiG9w0 end") == "[redacted] end"


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-api03-" + "aB3_" * 8,
        "ghp_" + "a1B2" * 9,
        "ghs_" + "a1B2" * 9,
        "github_pat_" + "11ABCDEFG0" * 5,
        "AKIA" + "ABCD2345" * 2,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl-_x",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_unknown_key_of_known_shape_is_replaced(key: str) -> None:
    """
    A key that nobody told us of is found by its shape.
    """
    assert Redactor([]).text(f"key={key}, ok") == "key=[redacted], ok"


def test_key_behind_an_escaped_line_break_is_found() -> None:
    """
    The `n` of an escaped line break does not make a key part of a longer word.
    """
    key = "sk-proj-" + "aB3_" * 8
    redactor = Redactor([])

    assert redactor.text(json.dumps(f"a\n{key}")) == '"a\\n[redacted]"'
    assert redactor.text(f"ta{key}") == f"ta{key}"


@pytest.mark.parametrize("run", ["eyJ", "-----BEGIN ", "sk-", "AKIA", "ghp_", "\\n"])
def test_runs_made_to_be_slow_are_not(run: str) -> None:
    """
    The beginnings of keys in endless repetition are read in bounded time.
    """
    text = run * (500_000 // len(run))

    # Quadratic time would be a minute and more: the suite's own time limit sees it.
    assert Redactor([LONG]).text(text) == ("[redacted]" if run == "sk-" else text)


def test_secrets_that_overlap_leave_nothing() -> None:
    """
    A secret inside, beside or across another is gone with it, under one mark.
    """
    redactor = Redactor(["abcdefgh1", "gh1ijklmn", "abcdefgh1ijklmnop"])

    assert redactor.text("<abcdefgh1ijklmnop>") == "<[redacted]>"
    assert redactor.text("<abcdefgh1ijklmnabcdefgh1>") == "<[redacted]>"


def test_characters_of_regular_expressions_mean_themselves() -> None:
    """
    A secret full of them matches itself and nothing else.
    """
    redactor = Redactor([".*(a+)+[^]$|"])

    assert redactor.text("x.*(a+)+[^]$|y") == "x[redacted]y"
    assert redactor.text("anything aaaaaaaaa") == "anything aaaaaaaaa"


def test_short_values_are_counted_and_not_replaced() -> None:
    """
    A value below 8 characters would blank ordinary words, so it is only counted.
    """
    redactor = Redactor(["1", "true", "", "1234567", "12345678"])

    assert redactor.too_short == 3
    assert redactor.text("1 true 1234567 12345678") == "1 true 1234567 [redacted]"


def test_redacting_twice_changes_nothing_more() -> None:
    """
    The mark itself is never taken for a secret.
    """
    redactor = Redactor(["redacted", LONG])

    assert redactor.text(redactor.text(f"a {LONG}")) == "a [redacted]"


def test_data_is_redacted_in_keys_and_at_any_depth() -> None:
    """
    Strings anywhere in JSON-like data are covered, and equal keys stay apart.
    """
    data = {"a": [1, None, {LONG: LONG, f"{LONG} ": 2.5}], "b": (LONG, True)}
    expected = {
        "a": [1, None, {"[redacted]": "[redacted]", "[redacted] ": 2.5}],
        "b": ["[redacted]", True],
    }

    assert expected == Redactor([LONG]).value(data)


def test_keys_made_equal_lose_no_value() -> None:
    """
    Two secret keys become two keys.
    """
    other = LONG.replace("q", "r")
    clean = Redactor([LONG, other]).value({LONG: 1, other: 2})

    assert list(clean) == ["[redacted]", "[redacted] 2"]
    assert list(clean.values()) == [1, 2]


def test_clean_data_is_the_same_object() -> None:
    """
    Nothing is copied where nothing is found.
    """
    data = {"a": ["text", {"b": 1}], "c": None}

    assert Redactor([LONG]).value(data) is data


def test_depth_is_no_limit() -> None:
    """
    Data nested deeper than Python recurses is redacted all the same.
    """
    data: list[object] = [LONG]
    for _ in range(20_000):
        data = [data]
    clean = Redactor([LONG]).value(data)
    for _ in range(20_000):
        clean = clean[0]

    assert clean == ["[redacted]"]


def test_variables_are_judged_by_their_names() -> None:
    """
    Secrets are found by name; paths, limits and switches that speak of them are not.
    """
    secret = {
        "ANTHROPIC_API_KEY": "s1",
        "ANTHROPIC_AUTH_TOKEN": "s2",
        "CLAUDE_CODE_OAUTH_TOKEN": "s3",
        "ACTIONS_RUNTIME_TOKEN": "s4",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s5",
        "GITHUB_TOKEN": "s6",
        "AWS_SECRET_ACCESS_KEY": "s7",
        "AWS_SESSION_TOKEN": "s8",
        "AWS_BEARER_TOKEN_BEDROCK": "s9",
        "INPUT_ANTHROPIC-API-KEY": "sa",
        "db_password": "sb",
        "GH_PAT": "sc",
        "GOOGLE_CREDENTIALS": '{"sd": 1}',
        "ANTHROPIC_CUSTOM_HEADERS": "x-api-key: se\nx-b: sf",
    }
    public = {
        "PATH": "p1",
        "PWD": "p2",
        "AWS_REGION": "p3",
        "ANTHROPIC_MODEL": "p4",
        "ANTHROPIC_BASE_URL": "p5",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "p6",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "p7",
        "SSH_AUTH_SOCK": "p8",
        "MAX_THINKING_TOKENS": "p9",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "pa",
        "GOOGLE_APPLICATION_CREDENTIALS": "/path/to.json",
        "EMPTY_TOKEN": "",
    }
    expected = sorted([*secret.values(), "se", "sf"])
    expected.remove(secret["ANTHROPIC_CUSTOM_HEADERS"])

    assert tuple(expected) == secrets_of(secret | public)
