"""
The token decoder and the default name: neither crashes, neither collides.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re

import pytest
from fakes.artifact_service import JOB_ID, RUN_ID, runtime_token
from hypothesis import given, settings, strategies as st

from reliability.github.artifact import TokenError, backend_ids, default_name

PARTS = st.fixed_dictionaries(
    {},
    optional={
        name: st.text()
        for name in ("GITHUB_JOB", "GITHUB_RUN_ATTEMPT", "GITHUB_ACTION")
    },
)


def token_of(payload: bytes) -> str:
    """
    Return a token with that payload.
    """
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.x"


def test_ids_come_from_the_first_results_scope() -> None:
    """
    Run and job are read from our scope among others, padded or not.
    """
    assert (RUN_ID, JOB_ID) == backend_ids(runtime_token())
    assert (
        "1",
        "2",
    ) == backend_ids(runtime_token("Actions.Results:1:2 Actions.Results:3:4"))


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "1 parts"),
        ("SECRET.b", "2 parts"),
        ("a.SECRET!.c", "not JSON in base64url"),
        (token_of(b"SECRET"), "not JSON in base64url"),
        (token_of(b"[" * 100_000), "not JSON in base64url"),
        (token_of(b"\xff"), "not JSON in base64url"),
        (token_of(b"9" * 5000), "not JSON in base64url"),
        (token_of(b"[]"), "no claim scp"),
        (token_of(b'{"scp": ["Actions.Results:1:2"]}'), "no claim scp"),
        (runtime_token(""), "no scope"),
        (runtime_token("Actions.ResultsX:1:2"), "no scope"),
        (runtime_token("Actions.Results"), "does not name run and job"),
        (runtime_token("Actions.Results:1"), "does not name run and job"),
        (runtime_token("Actions.Results:1:2:3"), "does not name run and job"),
        (runtime_token("Actions.Results:1:"), "does not name run and job"),
    ],
)
def test_unusable_token_says_what_is_wrong(token: str, reason: str) -> None:
    """
    Each fault of a token has its words, and none quotes the token.
    """
    with pytest.raises(TokenError, match=reason) as caught:
        backend_ids(token)

    assert "SECRET" not in str(caught.value)


@given(st.text() | st.binary().map(token_of))
def test_any_token_is_read_or_refused(token: str) -> None:
    """
    Nothing but `TokenError` comes out of a token that is none.
    """
    with contextlib.suppress(TokenError):
        assert all(backend_ids(token))


@settings(max_examples=30)
@given(st.recursive(st.none() | st.text(), lambda v: st.dictionaries(st.text(), v)))
def test_any_claims_are_read_or_refused(claims: object) -> None:
    """
    Whatever `scp` holds, the answer is ids or `TokenError`.
    """
    with contextlib.suppress(TokenError):
        assert all(backend_ids(token_of(json.dumps({"scp": claims}).encode())))


@given(PARTS, st.text())
def test_default_name_is_always_allowed(environ: dict[str, str], base: str) -> None:
    """
    Whatever the environment holds, the name is short and made of safe characters.
    """
    name = default_name(environ, base=base)

    assert re.fullmatch(r"[A-Za-z0-9_.-]{8,255}", name)


@given(PARTS, PARTS)
def test_default_names_differ_when_anything_does(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """
    Jobs, attempts and steps that differ, even in what a name cannot hold, differ here.
    """
    names = {default_name(environ, base="r") for environ in (one, other)}
    places = {
        tuple(
            environ.get(name, "")
            for name in sorted(("GITHUB_JOB", "GITHUB_ACTION", "GITHUB_RUN_ATTEMPT"))
        )
        for environ in (one, other)
    }

    assert len(names) == len(places)


def test_matrix_legs_get_names_of_their_own() -> None:
    """
    Two legs share every variable but the token, and still differ.
    """
    shared = {
        "GITHUB_JOB": "test",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_ACTION": "__self",
    }
    names = [
        default_name(
            {
                **shared,
                "ACTIONS_RUNTIME_TOKEN": runtime_token(f"Actions.Results:1:{job}"),
            },
            base="reliability",
        )
        for job in ("a", "b")
    ]

    assert names[0] != names[1]
    assert re.fullmatch(r"reliability-test-1-[0-9a-f]{8}-__self", names[0])
