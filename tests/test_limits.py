"""
What the headers of a reply say about limits, and what they may not do to us.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from fakes.backends import kind, messages
from fakes.raw_server import Peer, RawServer, answer
from fakes.runs import a_call
from hypothesis import example, given

from reliability.agents.limits import PREFIX, read_limits
from reliability.kinds import ErrorKind
from reliability.limits import Allowance, Limits
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from reliability.model import Reply

NOW_UTC = datetime(2026, 11, 23, 17, 40, 59, tzinfo=UTC)
NAMES = ("requests", "tokens", "input-tokens", "output-tokens")
FIELDS = ("limit", "remaining", "reset")


def headers(**given: str) -> dict[str, str]:
    """
    Return headers about requests; those of *given* replace or add to the usual ones.
    """
    usual = {"limit": "50", "remaining": "49", "reset": "2026-11-23T17:41:01Z"}
    fields = {name: text for name, text in (usual | given).items() if text}
    return {f"{PREFIX}requests-{name}": text for name, text in fields.items()}


def requests_of(found: Limits | None) -> Allowance | None:
    """
    Return what was read about requests.
    """
    return found.requests if found else None


def test_all_four_limits_are_read() -> None:
    """
    Requests, tokens of both kinds, and those of the most restrictive limit.
    """
    given = {
        f"{PREFIX}{name}-{field}": text
        for number, name in enumerate(NAMES, start=1)
        for field, text in (
            ("limit", f"{number}000"),
            ("remaining", f"{number}"),
            ("reset", f"2026-11-23T17:41:0{number}Z"),
        )
    }
    one, two, three, four = (
        Allowance(per_minute=number * 1000, remaining=number, full_in_s=1.0 + number)
        for number in (1, 2, 3, 4)
    )

    assert Limits(
        requests=one, tokens=two, input_tokens=three, output_tokens=four
    ) == read_limits(given, now_utc=NOW_UTC)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"content-type": "application/json", "retry-after": "1"},
        headers(remaining=""),
        headers(remaining="-1"),
        headers(remaining="nan"),
        headers(remaining="1e3"),
        headers(remaining="49, 48"),
        headers(remaining="1_000"),
        headers(remaining="\u0661"),
        headers(remaining="9" * 13),
        headers(remaining="9" * 5000),
        {f"{PREFIX}unified-remaining": "1"},
    ],
)
def test_without_what_is_left_there_is_no_limit(given: dict[str, str]) -> None:
    """
    A rate alone says nothing about this moment.
    """
    assert read_limits(given, now_utc=NOW_UTC) is None


@pytest.mark.parametrize("text", ["", "0", "-5", "NaN", "many", "9" * 30, "\x00"])
def test_a_rate_that_makes_no_sense_is_not_known(text: str) -> None:
    """
    What is left and when it is full still count.
    """
    assert Allowance(per_minute=None, remaining=49, full_in_s=2.0) == requests_of(
        read_limits(headers(limit=text), now_utc=NOW_UTC)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T17:41:29Z", 30.0),
        (" 2026-11-23T17:41:29.500Z ", 30.5),
        ("2026-11-23T18:41:29+01:00", 30.0),
        ("2026-11-23T17:40:00Z", 0.0),
        ("0001-01-01T00:00:00+23:59", 0.0),
        ("2026-11-24T17:40:59Z", 86400.0),
        ("2026-11-24T17:41:00Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("2026-11-23T17:41:29", None),
        ("2026-11-23", None),
        ("2026-13-23T17:41:29Z", None),
        ("30", None),
        ("1793468489", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_reset_is_a_time_with_its_zone(text: str, expected: float | None) -> None:
    """
    A past one is now; one without a zone or beyond a day is none.
    """
    found = requests_of(read_limits(headers(reset=text), now_utc=NOW_UTC))

    assert Allowance(per_minute=50, remaining=49, full_in_s=expected) == found


@pytest.mark.parametrize(
    ("ahead_s", "expected"), [(0, 2.0), (2, 2.0), (-2, 2.0), (3600, 2.0), (-3600, 2.0)]
)
def test_a_clock_that_is_wrong_does_not_move_the_reset(
    ahead_s: int, expected: float
) -> None:
    """
    The service's own `date` tells by whose clock its times are meant.
    """
    theirs = NOW_UTC + timedelta(seconds=ahead_s)
    base = theirs if abs(ahead_s) > 2 else NOW_UTC
    reset = (base + timedelta(seconds=2)).isoformat()
    given = headers(reset=reset) | {"date": format_datetime(theirs, usegmt=True)}
    found = requests_of(read_limits(given, now_utc=NOW_UTC))

    assert found is not None
    assert expected == found.full_in_s


@given(
    given=st.dictionaries(
        st.one_of(
            st.text(),
            st.sampled_from(
                [f"{PREFIX}{name}-{field}" for name in NAMES for field in FIELDS]
                + ["date"]
            ),
        ),
        st.one_of(
            st.text(),
            st.integers().map(str),
            st.floats().map(str),
            st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
            st.datetimes(timezones=st.just(UTC)).map(format_datetime),
        ),
    )
)
@example(given=headers(reset="9999-12-31T23:59:59.999999-23:59"))
@example(given=headers(reset="0001-01-01T00:00:00+23:59"))
@example(given=headers() | {"date": "Fri, 31 Dec 9999 23:59:59 -2359"})
@example(given=headers() | {"date": "Mon, 01 Jan 0001 00:00:00 +2359"})
def test_any_headers_are_limits_or_nothing(given: dict[str, str]) -> None:
    """
    Never an error; every number is finite, not negative and not beyond all sense.
    """
    found = read_limits(given, now_utc=NOW_UTC)
    if found is None:
        return
    allowances = [
        one
        for one in (
            found.requests,
            found.tokens,
            found.input_tokens,
            found.output_tokens,
        )
        if one is not None
    ]

    assert allowances
    for one in allowances:
        assert 0 <= one.remaining <= 10**12
        assert one.per_minute is None or 0 < one.per_minute <= 10**12
        assert one.full_in_s is None or 0 <= one.full_in_s <= 86400


def test_an_answer_and_a_refusal_both_bring_their_limits() -> None:
    """
    The governor learns from what is left before the first 429, and from the 429.
    """
    profile = Profile(
        latency_s=0,
        requests_per_minute=60,
        burst=1,
        output_tokens_per_minute=600,
        script=(Step(text="Hello"),),
    )
    with (
        Simulator(profile) as simulator,
        messages(simulator.base_url) as backend,
    ):
        answered, refused = (backend.attempt(a_call(number)) for number in (1, 2))

    assert (None, ErrorKind.RATE_LIMIT) == (kind(answered), kind(refused))
    for reply, left in ((answered, 599), (refused, 599)):
        assert reply.limits is not None
        assert reply.limits.requests is not None
        assert (60, 0) == (
            reply.limits.requests.per_minute,
            reply.limits.requests.remaining,
        )
        assert reply.limits.output_tokens is not None
        assert left == reply.limits.output_tokens.remaining
    assert refused.trouble is not None
    assert 1.0 == refused.trouble.retry_after_s


def test_a_reply_without_such_headers_has_no_limits() -> None:
    """
    None is not the same as nothing left.
    """
    with (
        Simulator(Profile(latency_s=0, pass_rate=1)) as simulator,
        messages(simulator.base_url) as backend,
    ):
        reply = backend.attempt(a_call())

    assert (None, None) == (kind(reply), reply.limits)


def broken_off(status: str, said: bytes, *, hold: bool = False) -> Reply:
    """
    Return what an attempt brings when the body ends early, or never.
    """
    given = headers(remaining="0") | {"retry-after": "7"}
    lines = "".join(f"{name}: {text}\r\n" for name, text in given.items())
    whole = answer(b"x" * 1000, status=status, extra=lines)
    head = whole[: whole.index(b"\r\n\r\n") + 4]

    def talk(peer: Peer) -> None:
        """
        Say the head and a part of the body.
        """
        peer.request()
        peer.send(head + said)
        if hold:
            peer.hold()

    with RawServer(talk) as server, messages(server.url) as backend:
        return backend.attempt(a_call(timeout_s=0.3 if hold else 20.0))


def test_limits_outlive_a_body_that_breaks_off() -> None:
    """
    The head was whole, and what it says is as true as ever.
    """
    event = {"type": "content_block_delta", "delta": {"text": "Hel"}}
    reply = broken_off("200 OK", b"data: %b\n\n" % json.dumps(event).encode())

    assert ErrorKind.NETWORK is kind(reply)
    assert "Hel" == reply.answer
    assert reply.limits is not None
    assert requests_of(reply.limits) is not None


@pytest.mark.parametrize("hold", [False, True], ids=["close", "silence"])
def test_a_refusal_stays_one_when_its_body_breaks_off(*, hold: bool) -> None:
    """
    Status, wait and limits came with the head; only the words are missing.
    """
    reply = broken_off("429 Too Many Requests", b'{"error":', hold=hold)

    assert reply.trouble is not None
    assert (ErrorKind.RATE_LIMIT, 7.0) == (
        reply.trouble.kind,
        reply.trouble.retry_after_s,
    )
    assert 429 == reply.http_status
    assert reply.limits is not None
