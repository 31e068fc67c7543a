"""
What is kept of a stream: properties of head, tail, cut text and lines.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from reliability.process.capture import (
    MARGIN_BYTES,
    Capture,
    LineSplitter,
    Recorder,
    notice,
)
from reliability.process.procfs import parse_stat
from reliability.process.report import ChildReport

SECRET = "QWZKJXVHGPYTRFDMCB"
# No letter of it is in a filler, a marker or the notice: one shown is a leak.

Redact = Callable[[str], str]

streams = st.lists(
    st.one_of(
        st.just(SECRET.encode()),
        st.integers(0, 3 * MARGIN_BYTES).map(lambda count: b"." * count),
        st.binary(max_size=20).map(lambda raw: raw.translate(None, SECRET.encode())),
        st.just("ü€😀".encode()),
    ),
    max_size=12,
).map(b"".join)

redactors = st.sampled_from(["*", "", "<redacted: a name that is longer>"]).map(
    lambda marker: lambda text: text.replace(SECRET, marker)
)


def record(stream: bytes, cap_bytes: int, chunk_bytes: int) -> Capture:
    """
    Feed a stream in chunks of one size.
    """
    recorder = Recorder(cap_bytes)
    for start in range(0, len(stream), chunk_bytes):
        recorder.feed(stream[start : start + chunk_bytes])
    return recorder.capture()


@given(streams, st.integers(0, 3000), st.integers(500, 70_000))
def test_head_and_tail_are_the_ends_of_the_stream(
    stream: bytes, cap_bytes: int, chunk_bytes: int
) -> None:
    """
    Head and tail are exact, never overlap, and all that was dropped is counted.
    """
    capture = record(stream, cap_bytes, chunk_bytes)

    assert stream.startswith(capture.head)
    assert stream.endswith(capture.tail)
    assert len(stream) == capture.total_bytes
    assert max(0, len(stream) - cap_bytes - 2 * MARGIN_BYTES) == capture.dropped_bytes


@given(
    streams,
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(500, 70_000),
    redactors,
)
def test_no_part_of_a_secret_survives_the_cut(
    stream: bytes, kept_bytes: int, cap_bytes: int, chunk_bytes: int, redact: Redact
) -> None:
    """
    Wherever the cap falls, not one letter of a secret is shown.
    """
    text = record(stream, kept_bytes, chunk_bytes).text(redact, cap_bytes)

    assert set() == set(SECRET) & set(text)


@pytest.mark.parametrize("offset", range(-len(SECRET) - 1, len(SECRET) + 2))
@pytest.mark.parametrize("marker", ["", "<a marker much longer than the secret is>"])
def test_secrets_at_each_edge_of_the_gap_are_not_shown(
    offset: int, marker: str
) -> None:
    """
    A stream of nothing but secrets, cut at every phase of one, shows none in part.
    """
    stream = b"." * (len(SECRET) + 1 + offset) + SECRET.encode() * 4000
    text = record(stream, 1000, 999).text(
        lambda text: text.replace(SECRET, marker), 1000
    )

    assert set() == set(SECRET) & set(text)


@given(streams, st.integers(0, 3000), st.integers(0, 3000), redactors)
def test_text_is_never_longer_than_cap_and_notice(
    stream: bytes, kept_bytes: int, cap_bytes: int, redact: Redact
) -> None:
    """
    The cap holds in bytes of UTF-8, whatever was redacted or replaced.
    """
    text = record(stream, kept_bytes, 4096).text(redact, cap_bytes)

    assert len(text.encode()) <= cap_bytes + len(notice(10**9))


@given(st.text(max_size=300))
def test_short_stream_is_given_back_whole(text: str) -> None:
    """
    What fits under the cap is not touched and has no notice.
    """
    capture = record(text.encode(), 2000, 500)

    assert text == capture.text(lambda same: same, 2000)


def test_notice_counts_what_is_left_out() -> None:
    """
    Head and tail are shown half and half, with the number of bytes between.
    """
    capture = record(b"a" * 500_000 + b"b" * 500_000, 100, 4096)

    assert f"{'a' * 50}[... 999900 bytes left out ...]{'b' * 50}" == capture.text(
        str, 100
    )


def test_recorder_does_not_hoard() -> None:
    """
    However many pieces come, what is held stays near the cap.
    """
    recorder = Recorder(1000)
    for _ in range(1000):
        recorder.feed(b"x" * 999)

    assert len(recorder._tail) <= 2 * (500 + MARGIN_BYTES)


def test_repr_of_a_capture_shows_no_output() -> None:
    """
    A capture in a traceback gives nothing away.
    """
    assert "hunter2" not in repr(record(b"hunter2", 100, 10))


@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"\r\n", b"\n\n"])),
    st.integers(1, 8),
)
def test_lines_do_not_depend_on_how_the_stream_was_cut(
    chunks: list[bytes], cap_bytes: int
) -> None:
    """
    Lines equal a plain split; too long ones are counted, the unfinished is kept back.
    """
    lines: list[bytes] = []
    splitter = LineSplitter(lines.append, cap_bytes)
    for chunk in chunks:
        splitter.feed(chunk)
    complete = b"".join(chunks).split(b"\n")[:-1]

    assert [line for line in complete if len(line) <= cap_bytes] == lines
    assert len(complete) - len(lines) == splitter.dropped_lines


@given(st.text(alphabet="ab ()\n0", max_size=15))
def test_odd_program_names_do_not_shift_the_fields_of_stat(name: str) -> None:
    """
    A name with brackets, blanks and newlines is not taken for fields.
    """
    numbers = " ".join(str(field) for field in range(5, 53))
    process = parse_stat(f"42 ({name}) S 4 {numbers}\n".encode())

    assert (42, "S", 4, 6, 22, 41) == (
        process.pid,
        process.state,
        process.parent_pid,
        process.session,
        process.start_ticks,
        process.policy,
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (137, "killed (SIGKILL), perhaps because memory ran out"),
        (139, "exit code 139 (what a shell says for SIGSEGV)"),
        (192, "exit code 192 (what a shell says for SIGRTMAX)"),
        (255, "exit code 255"),
        (-9, "killed (SIGKILL), perhaps because memory ran out"),
        (-11, "killed by SIGSEGV"),
        (-40, "killed by signal 40"),
        (None, "end unknown: the process could not be reaped"),
    ],
)
def test_exit_is_described_in_words(code: int | None, words: str) -> None:
    """
    Codes, signals with and without a name, and the unknown each have their words.
    """
    assert words == _report(code).describe_exit()


def test_our_own_kill_is_not_blamed_on_memory() -> None:
    """
    SIGKILL at the deadline or after a cancel is told as ours.
    """
    texts = [
        _report(-9, timed_out=True).describe_exit(),
        _report(-9, cancelled=True).describe_exit(),
    ]

    assert [
        "stopped at the time limit (killed by SIGKILL)",
        "stopped by a cancel (killed by SIGKILL)",
    ] == texts


def _report(
    code: int | None, *, timed_out: bool = False, cancelled: bool = False
) -> ChildReport:
    """
    Return a report of a silent child.
    """
    silence = Capture(head=b"", tail=b"", total_bytes=0)
    return ChildReport(
        pid=1,
        exit_code=code,
        stdout=silence,
        stderr=silence,
        duration_s=0.0,
        timed_out=timed_out,
        cancelled=cancelled,
        swept=0,
    )
