"""
What a reader of the log promises: a torn tail is ignored, damage is never skipped.
"""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import crashed_log, line_starts, new_journal, reopened

from reliability.errors import JournalError
from reliability.journal import examine, read_events
from reliability.journal.line import LINE_LIMIT_BYTES, LineError, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _log_of(directory: Path, content: bytes) -> Path:
    """
    Write *content* under a log's name.
    """
    path = directory / "chat_20261123T174059Z_r1.jsonl"
    path.write_bytes(content)
    return path


def _line(seq: int, *, run_id: str = "r1") -> bytes:
    """
    Return a whole line, independent of the writer.
    """
    return seal(
        b'{"seq":%d,"time":"2026-11-23T17:40:59.123Z","run_id":"%b","event":"x"}'
        % (seq, run_id.encode())
    )


def test_events_come_back_as_they_were_appended(tmp_path: Path) -> None:
    """
    Number, time, run, name and fields are those of the append; offsets are true.
    """
    with new_journal(tmp_path) as journal:
        journal.append("trial_started", {"trial": 1})
        journal.append("trial_finished", {"trial": 1, "outcome": "pass"})
        events = list(read_events(journal.path))
        content = journal.path.read_bytes()

    assert [(event.seq, event.event) for event in events] == [
        (1, "trial_started"),
        (2, "trial_finished"),
    ]
    assert events[1].fields == {"trial": 1, "outcome": "pass"}
    assert events[0].time == "2026-11-23T17:40:59.124Z"
    assert line_starts(content) == [event.offset for event in events]
    assert {event.run_id for event in events} == {"r1"}


def test_line_cut_at_any_byte_is_ignored_by_readers_and_cut_by_the_next_writer(
    tmp_path: Path,
) -> None:
    """
    Wherever the last line was torn, the lines before are all there.
    """
    path = crashed_log(tmp_path, "one", "two", "three")
    whole = path.read_bytes()
    last = line_starts(whole)[-1]
    for size in range(last, len(whole)):
        path.write_bytes(whole[:size])

        assert [e.fields["text"] for e in read_events(path)] == ["one", "two"]
        found = examine(path)
        assert (found.torn_at_byte, found.damage) == (
            last if size > last else None,
            None,
        )
        with reopened(path) as journal:
            assert journal.append("x", {}) == 3
        assert examine(path).intact


def test_flipped_bit_before_the_last_line_is_refused_with_its_line_offset(
    tmp_path: Path,
) -> None:
    """
    Any bit changed in any line but the last is damage, at the start of that line.
    """
    path = crashed_log(tmp_path, "one", "two", "three", "four")
    whole = path.read_bytes()
    starts = line_starts(whole)
    for position in range(starts[-1]):
        bit = 1 << (position % 8)
        flipped = bytes([whole[position] ^ bit])
        path.write_bytes(whole[:position] + flipped + whole[position + 1 :])
        begin = max(start for start in starts if start <= position)

        found = examine(path)
        assert found.damage is not None, position
        assert (found.damage.offset_bytes, found.torn_at_byte) == (begin, None)


def test_damaged_log_is_refused_by_reader_and_writer_and_left_alone(
    tmp_path: Path,
) -> None:
    """
    A reader yields what is before the damage and then raises; nothing is rewritten.
    """
    path = crashed_log(tmp_path, "one", "two", "three")
    content = path.read_bytes().replace(b'"two"', b'"TWO"')
    path.write_bytes(content)
    offset = line_starts(content)[1]
    events = read_events(path)

    assert next(events).fields["text"] == "one"
    for use in (lambda: next(events), lambda: reopened(path)):
        with pytest.raises(JournalError, match=f"damaged at byte {offset}: the CRC-32"):
            use()
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "tail",
    [
        b"\0" * 4096,
        b"\n",
        b"\n\n\n",
        b"garbage\nwith\nlines\n",
        bytes(range(256)) * 16,
        b"{}\n",
        b"\0" * (LINE_LIMIT_BYTES + 4096),
        b'{"seq":2,"time":"2026-11-23T17:40:59.123Z","ru',
    ],
    ids=lambda tail: repr(tail[:12]),
)
def test_foreign_bytes_at_the_end_are_a_torn_tail(tmp_path: Path, tail: bytes) -> None:
    """
    Zeros and garbage after the last line are ignored, reported and cut.
    """
    path = crashed_log(tmp_path, "one")
    whole = path.read_bytes()
    path.write_bytes(whole + tail)

    assert [e.fields["text"] for e in read_events(path)] == ["one"]
    assert examine(path).torn_at_byte == len(whole)
    with reopened(path) as journal:
        assert f"cut at byte {len(whole)}" in journal.warnings[-1]
    assert path.read_bytes() == whole
    assert path.with_name(f"{path.name}.broken").read_bytes() == whole + tail


@pytest.mark.parametrize(
    "make",
    [
        lambda one, two, three: one + two[:-1] + b"X" + three,
        lambda one, two, three: one + two[:-1] + three,
        lambda one, two, three: one + b"X" + two[1:] + three[:10],
        lambda one, two, three: one + b"X" + two[1:] + three[:2],
        lambda one, two, three: one + two[:20] + b"\n" + three,
        lambda one, two, three: one + two[:-1] + b"X" + three[:3],
        lambda one, two, three: one + two[:-1] + b"X",
        lambda one, two, three: one + two[:-9] + b"\0" * 9 + three,
        lambda one, two, three: one + two[:-9] + b"\0\n\0" + three,
    ],
)
def test_line_that_was_whole_once_is_never_cut_as_a_torn_tail(
    tmp_path: Path, make: Callable[[bytes, bytes, bytes], bytes]
) -> None:
    """
    A bad line before another one, or one that lost its newline, is damage.
    """
    one, two, three = (_line(seq) for seq in (1, 2, 3))
    found = examine(_log_of(tmp_path, make(one, two, three)))

    assert found.damage is not None
    assert (found.damage.offset_bytes, found.lines) == (len(one), 1)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (_line(3), "seq is 3 where 2 belongs"),
        (_line(1), "seq is 1 where 2 belongs"),
        (_line(2, run_id="r2"), "of run 'r2'"),
    ],
)
def test_whole_line_that_does_not_follow_is_damage(
    tmp_path: Path, second: bytes, reason: str
) -> None:
    """
    A missing, repeated or foreign line is damage even at the end.
    """
    found = examine(_log_of(tmp_path, _line(1) + second))

    assert found.damage is not None
    assert reason in found.damage.reason
    assert found.damage.offset_bytes == len(_line(1))


@pytest.mark.parametrize(
    "content", [b"hello\n", b"\0" * 100, b'{"seq":2', b"{}\n", b"\n", b"\xff"]
)
def test_file_that_is_no_log_is_never_cut_to_nothing(
    tmp_path: Path, content: bytes
) -> None:
    """
    A foreign file is damage at byte 0, so nobody repairs it.
    """
    path = _log_of(tmp_path, content)

    with pytest.raises(JournalError, match="damaged at byte 0"):
        reopened(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("size", [0, 1, 7, 10, 40])
def test_torn_first_line_is_a_torn_tail(tmp_path: Path, size: int) -> None:
    """
    A run killed in its very first line has an empty log.
    """
    path = _log_of(tmp_path, _line(1)[:size])

    assert list(read_events(path)) == []
    with reopened(path) as journal:
        assert journal.append("x", {}) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"seq":1,"time":"t","run_id":"r","event":"x","v":NaN}',
        b'{"seq":1,"time":"t","run_id":"r","event":"x","v":}',
        b'{"seq":1,"time":"t","run_id":"r"}',
        b'{"seq":true,"time":"t","run_id":"r","event":"x"}',
        b'{"seq":"1","time":"t","run_id":"r","event":"x"}',
        b'{"seq":1,"time":"t","run_id":"r","event":"x","v":%b}' % (b"[" * 200_000),
        b'{"seq":1,"time":"t","run_id":"r","event":"x","v":%b}' % (b"9" * 5000),
    ],
    ids=lambda body: repr(body[40:60]),
)
def test_line_with_a_right_checksum_is_still_not_believed_blindly(body: bytes) -> None:
    """
    A checksum can be made by anybody; what is no line of ours is a LineError.
    """
    with pytest.raises(LineError):
        unseal(seal(body))


def test_log_is_read_without_holding_it_in_memory(tmp_path: Path) -> None:
    """
    Reading a log of 8 MiB takes less than 3 MiB, whatever its length.
    """
    path = crashed_log(tmp_path, *("x" * 128 * 1024 for _ in range(64)))
    tracemalloc.start()
    count = sum(1 for _ in read_events(path))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 64
    assert peak_bytes < 3 * 1024 * 1024


def test_reader_of_a_log_in_the_making_sees_every_whole_line(tmp_path: Path) -> None:
    """
    A log can be read while it is written.
    """
    seen: list[Any] = []
    with new_journal(tmp_path) as journal:
        for number in range(3):
            journal.append("x", {"number": number})
            seen.append([e.fields["number"] for e in read_events(journal.path)])

    assert seen == [[0], [0, 1], [0, 1, 2]]
