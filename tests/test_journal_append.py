"""
What an appended event promises: one whole line with exactly what was logged.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from fakes.journals import new_journal, writer_environ

from reliability.errors import JournalError
from reliability.journal import examine, read_events


def test_line_has_its_members_in_order_and_its_checksum_last(tmp_path: Path) -> None:
    """
    A line is seq, time, run_id, event, the event's fields, crc32 of all before.
    """
    with new_journal(tmp_path) as journal:
        journal.append("trial_started", {"trial": 7, "case": "hello"})
        line = journal.path.read_bytes()
    body = (
        b'{"seq":1,"time":"2026-11-23T17:40:59.124Z","run_id":"r1",'
        b'"event":"trial_started","trial":7,"case":"hello"}'
    )

    assert line == body[:-1] + b',"crc32":"%08x"}\n' % crc32(body)


def test_numbers_are_dense_from_one(tmp_path: Path) -> None:
    """
    Each append returns the next number.
    """
    with new_journal(tmp_path) as journal:
        numbers = [journal.append("x", {}) for _ in range(5)]

    assert numbers == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "name",
    ["name", "message", "msg", "args", "exc_info", "stack_info", "asctime", "_x", ""],
)
def test_any_field_name_that_logging_reserves_works(tmp_path: Path, name: str) -> None:
    """
    An event may have a field of a name that `logging` keeps for itself.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {name: "kept"})

        assert [{name: "kept"}] == [e.fields for e in read_events(journal.path)]


@pytest.mark.parametrize("name", ["seq", "time", "run_id", "event", "crc32"])
def test_field_named_as_the_line_itself_is_refused(tmp_path: Path, name: str) -> None:
    """
    An event cannot overwrite what the line says of itself.
    """
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match=name):
            journal.append("x", {name: 1})

        assert journal.path.read_bytes() == b""


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        object(),
        {1, 2},
        b"bytes",
        Path("/x"),
        10**5000,
        {"deep": [math.nan]},
        {("no", "key"): 1},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_json_is_refused_and_the_log_goes_on(
    tmp_path: Path, value: Any
) -> None:
    """
    Nothing is turned into text behind the caller's back; the next event has no gap.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {})
        with pytest.raises(JournalError, match="cannot be logged"):
            journal.append("x", {"value": value})

        assert journal.append("x", {}) == 2


def test_endless_nesting_is_refused_and_the_log_goes_on(tmp_path: Path) -> None:
    """
    An event that contains itself, or is nested too deep, is an error of that event.
    """
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match="cannot be logged"):
            journal.append("x", {"deep": deep})

        assert journal.append("x", {}) == 1
    while deep:  # A list this deep overflows the stack when it is freed at once.
        deep = deep.pop()


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udfffb", "\u2028\x85\r\n\x00\x1b[31m", "😀", '{"seq":1,']
)
def test_hostile_text_comes_back_and_stays_on_one_ascii_line(
    tmp_path: Path, text: str
) -> None:
    """
    Lone surrogates, line breaks of every kind and control characters survive.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {"text": text})
        content = journal.path.read_bytes()

        assert (content.count(b"\n"), content.isascii()) == (1, True)
        assert [text] == [e.fields["text"] for e in read_events(journal.path)]


def test_fields_are_redacted_before_they_are_written(tmp_path: Path) -> None:
    """
    What the redactor returns is what is written, and nothing else.
    """
    with new_journal(tmp_path, redact=lambda _fields: {"text": "***"}) as journal:
        journal.append("x", {"text": "secret"})

        assert b"secret" not in journal.path.read_bytes()
        assert [e.fields for e in read_events(journal.path)] == [{"text": "***"}]


def test_signal_between_writing_and_counting_leaves_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ctrl-C right after the write: the line counts, and the next one follows it.
    """
    write = os.write

    def interrupted(fd: int, line: bytes) -> int:
        write(fd, line)
        raise KeyboardInterrupt

    with new_journal(tmp_path) as journal:
        journal.append("x", {})
        monkeypatch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append("x", {})
        monkeypatch.setattr(os, "write", write)
        number = journal.append("run_finished", {})
        journal.lock()

    assert number == 3
    assert examine(journal.path).intact


def test_reading_a_log_imports_no_writer_libraries() -> None:
    """
    `logging` and the formatter are loaded by the first writer, not by a reader.
    """
    code = (
        "import sys, reliability.journal; "
        "print({'logging', 'pythonjsonlogger'} & set(sys.modules))"
    )
    argv = [sys.executable, "-c", code]
    seen = subprocess.run(
        argv, env=writer_environ(), capture_output=True, text=True, check=True
    )

    assert seen.stdout == "set()\n"


def test_line_is_json_for_any_reader(tmp_path: Path) -> None:
    """
    Each line parses with a plain JSON parser.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {"a": [1, None, True, 0.1], "b": {"c": "d"}})
        parsed = json.loads(journal.path.read_text("ascii"))

    assert (parsed["a"], parsed["b"]) == ([1, None, True, 0.1], {"c": "d"})
