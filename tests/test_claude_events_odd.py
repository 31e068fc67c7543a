"""
The reader of the Claude Code CLI's events, with lines that no version prints.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from reliability.agents.claude_events import Transcript
from reliability.model import Usage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
known_keys = st.sampled_from(
    """
    type subtype message content parent_tool_use_id model agents permission_denials
    usage modelUsage num_turns result status summary task_id tool_name tool_use_id
    error_status retry_delay_ms claude_code_version session_id is_api_error_message name
    input subagent_type
    """.split()
)
known_words = st.sampled_from(
    """
    system assistant result init api_retry permission_denied task_started tool_use
    task_notification completed failed Agent <synthetic>
    """.split()
)
likely_values = st.recursive(
    known_words | json_values,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(known_keys, inner, max_size=6)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd_to_read(line: bytes) -> None:
    """
    Whatever is printed, reading goes on.
    """
    transcript = Transcript()
    transcript.take(line)

    assert isinstance(transcript.usage, Usage)
    assert isinstance(transcript.denied_tools, tuple)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(known_keys, likely_values, max_size=8), max_size=4))
def test_no_event_is_too_odd_to_read(events: list[dict[str, Any]]) -> None:
    """
    Known keys with values of the wrong kind are read as if they were not there.
    """
    transcript = Transcript()
    for event in events:
        transcript.take(json.dumps(event).encode())

    assert transcript.usage.input_tokens == int(transcript.usage.input_tokens)
    assert all(isinstance(name, str) for name in transcript.denied_tools)
    assert all(isinstance(name, str) for name in transcript.tools)
    assert transcript.turns is None or isinstance(transcript.turns, int)


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        (b"", 0),
        (b"  ", 0),
        (b"warning: something", 1),
        (b"[1, 2]", 1),
        (b"null", 1),
        (b'{"type": "result", "total_cost_usd": NaN}', 1),
        (b'{"a": ' * 100_000, 1),
        (b"\xff\xfe", 1),
        (b"{}", 0),
    ],
)
def test_lines_that_are_no_objects_are_counted(line: bytes, odd: int) -> None:
    """
    They are kept out of everything else.
    """
    transcript = Transcript()

    assert "" == transcript.take(line)
    assert odd == transcript.odd_lines
    assert transcript.result is None
