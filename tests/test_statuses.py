"""
From what a service says to the kind of trouble.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from reliability.agents.statuses import (
    kind_of_error_type,
    kind_of_status,
    parse_retry_after,
    service_now_utc,
)
from reliability.kinds import KIND_RULES, ErrorKind

NOW_UTC = datetime(2026, 11, 23, 17, 40, 59, tzinfo=UTC)
TRIED_AGAIN = {408, 409, 429, *range(500, 600)}
END_THE_RUN = {401, 403, 404}


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_is_infrastructure_with_the_right_consequence(status: int) -> None:
    """
    No HTTP error is ever the agent's fault; what may pass is tried again.
    """
    rule = KIND_RULES[kind_of_status(status)]

    assert rule.infrastructure
    assert (status in TRIED_AGAIN) is rule.retry
    assert (status in END_THE_RUN) is rule.fatal


@pytest.mark.parametrize(
    ("error_type", "status"),
    [
        ("rate_limit_error", 429),
        ("overloaded_error", 529),
        ("api_error", 500),
        ("timeout_error", 408),
        ("authentication_error", 401),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("invalid_request_error", 400),
        ("request_too_large", 413),
        ("something_new", 500),
    ],
)
def test_an_error_inside_a_stream_means_what_its_status_would(
    error_type: str, status: int
) -> None:
    """
    After a 200 the type is all there is to go by.
    """
    assert kind_of_status(status) is kind_of_error_type(error_type)


@pytest.mark.parametrize(
    ("error_type", "text", "expected"),
    [
        (
            "invalid_request_error",
            "prompt is too long: 208656 tokens > 200000 maximum",
            ErrorKind.PROMPT_TOO_LONG,
        ),
        (
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 150000 + 64000",
            ErrorKind.PROMPT_TOO_LONG,
        ),
        (
            "invalid_request_error",
            "messages: the text 'prompt is too long' is not allowed",
            ErrorKind.BAD_REQUEST,
        ),
        ("", "prompt is too long: 1 tokens > 0 maximum", ErrorKind.BAD_REQUEST),
        ("invalid_request_error", "", ErrorKind.BAD_REQUEST),
    ],
)
def test_a_prompt_that_does_not_fit_is_told_from_other_bad_requests(
    error_type: str, text: str, expected: ErrorKind
) -> None:
    """
    By the service's own error object, type and message; by nothing else.
    """
    assert expected is kind_of_status(400, error_type, text)


def test_a_prompt_that_does_not_fit_is_known_in_a_stream_too() -> None:
    """
    There the error object is all there is.
    """
    text = "prompt is too long: 208656 tokens > 200000 maximum"

    assert ErrorKind.PROMPT_TOO_LONG is kind_of_error_type(
        "invalid_request_error", text
    )
    assert ErrorKind.OVERLOADED is kind_of_error_type("overloaded_error", text)


@pytest.mark.parametrize("status", [401, 413, 429, 500, 529])
def test_the_words_of_an_error_do_not_outweigh_its_status(status: int) -> None:
    """
    Only among bad requests do the words decide.
    """
    text = "prompt is too long"

    assert kind_of_status(status) is kind_of_status(
        status, "invalid_request_error", text
    )


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("", NOW_UTC),
        ("soon", NOW_UTC),
        ("Mon, 23 Nov 2026 17:41:01 GMT", NOW_UTC),
        ("Mon, 23 Nov 2026 17:40:57 GMT", NOW_UTC),
        ("Mon, 23 Nov 2026 18:40:59 GMT", NOW_UTC + timedelta(hours=1)),
        ("Mon, 23 Nov 2026 17:40:50 GMT", NOW_UTC - timedelta(seconds=9)),
    ],
)
def test_the_services_clock_counts_where_the_two_differ(
    date: str, expected: datetime
) -> None:
    """
    Within two seconds ours is as good, and finer.
    """
    assert expected == service_now_utc({"date": date}, now_utc=NOW_UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("1e9", 1e9),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("1, 2", None),
        ("Mon, 23 Nov 2026 17:41:29 GMT", 30.0),
        ("Mon, 23 Nov 2026 17:40:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:41:29 -0500", 30.0),
        ("Mon, 23 Nov 2026 17:41:29", 30.0),
        ("Mon, 99 Nov 2026 17:41:29 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(
    text: str | None, expected: float | None
) -> None:
    """
    Seconds or an HTTP date; junk is as good as no header.
    """
    assert expected == parse_retry_after(text, now_utc=NOW_UTC)


@given(st.text())
@example("9" * 400)
@example("Mon, 23 Nov 99999999999 17:41:29 GMT")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("\x00, 1 \uffff 2026")
def test_any_header_is_a_wait_or_nothing(text: str) -> None:
    """
    Never an error, never negative, never without end.
    """
    wait_s = parse_retry_after(text, now_utc=NOW_UTC)

    assert wait_s is None or 0 <= wait_s < float("inf")


@given(st.integers(0, 10**6))
def test_a_date_is_as_far_away_as_it_says(seconds: int) -> None:
    """
    The wait ends at the date.
    """
    text = format_datetime(NOW_UTC + timedelta(seconds=seconds), usegmt=True)

    assert float(seconds) == parse_retry_after(text, now_utc=NOW_UTC)
