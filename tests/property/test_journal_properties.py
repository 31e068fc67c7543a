"""
Properties of the log for any event, any cut and any order of what happens to it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fakes.journals import (
    SteppedClock,
    crashed_log,
    line_starts,
    new_journal,
    reopened,
)
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from reliability.errors import JournalError
from reliability.journal import Journal, examine, read_events, repair
from reliability.journal.line import ENVELOPE, LineError, seal, unseal

# Any character, lone surrogates too, but never the two halves of a pair in a row: JSON
# cannot tell those from the character that they make.
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["\ud800", "a\udfffb", "\udc00\ud800"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)
events = st.dictionaries(texts.filter(lambda name: name not in ENVELOPE), values)


@settings(max_examples=20, deadline=None)
@given(fields=st.lists(events, max_size=3))
def test_any_event_comes_back_as_it_was(fields: list[dict[str, Any]]) -> None:
    """
    Whatever JSON can say is read as it was logged.
    """
    with tempfile.TemporaryDirectory() as folder:
        with new_journal(Path(folder), fsync=lambda _fd: None) as journal:
            for each in fields:
                journal.append("x", each)
        found = [event.fields for event in read_events(journal.path)]

    assert found == fields


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_a_line_or_a_line_error(raw: bytes) -> None:
    """
    Nothing but LineError comes out of bytes that are no line.
    """
    for line in (raw, raw + b"\n", b'{"seq":' + raw + b"\n", seal(b'{"seq":' + raw)):
        try:
            members = unseal(line)
        except LineError:
            continue

        assert {"seq", "time", "run_id", "event"} <= members.keys()


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_log_cut_anywhere_keeps_every_line_before_the_cut(data: st.DataObject) -> None:
    """
    A cut at any byte leaves the whole lines before it, and only a tail to repair.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = crashed_log(Path(folder), "one", "two", "three", "four")
        whole = path.read_bytes()
        size = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:size])
        kept = whole[:size].count(b"\n")
        found = examine(path)
        repair(path, clock=SteppedClock())

        assert (found.lines, found.damage) == (kept, None)
        assert (examine(path).intact, examine(path).lines) == (True, kept)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_bytes_overwritten_before_the_last_line_are_damage(data: st.DataObject) -> None:
    """
    Any change of any bytes before the last line is refused at the line it begins in.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = crashed_log(Path(folder), "one", "two", "three", "four")
        whole = path.read_bytes()
        starts = line_starts(whole)
        place = data.draw(st.integers(0, starts[-1] - 1))
        most = min(40, starts[-1] - place)
        new = data.draw(st.binary(min_size=1, max_size=most))
        changed = whole[:place] + new + whole[place + len(new) :]
        path.write_bytes(changed)
        found = examine(path)

    differing = [n for n in range(len(whole)) if changed[n] != whole[n]]
    if not differing:
        assert found.intact
        return

    assert found.damage is not None
    assert found.damage.offset_bytes == max(s for s in starts if s <= differing[0])


class LogMachine(RuleBasedStateMachine):
    """
    A log through appends, tears, crashes, repairs and its end, against a plain list.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.acknowledged: list[str] = []
        self.journal: Journal | None = None
        self.torn = False
        self.locked = False

    @initialize()
    def begin(self) -> None:
        """
        Create the log.
        """
        self.journal = new_journal(self.folder, fsync=lambda _fd: None)
        self.path = self.journal.path

    @precondition(lambda self: self.journal is not None)
    @rule(text=texts)
    def append(self, text: str) -> None:
        """
        An append returns the next number.
        """
        assert self.journal is not None
        number = self.journal.append("x", {"text": text})
        self.acknowledged.append(text)

        assert number == len(self.acknowledged)

    @precondition(lambda self: self.journal is not None)
    @rule()
    def crash(self) -> None:
        """
        The writer is gone; what it acknowledged is in the file.
        """
        assert self.journal is not None
        self.journal.close()
        self.journal = None

    @precondition(lambda self: self.journal is None and not self.locked)
    @rule(tail=st.binary(min_size=1, max_size=30).filter(lambda raw: b"{" not in raw))
    def tear(self, tail: bytes) -> None:
        """
        Foreign bytes land at the end; on an empty log they make it a foreign file.
        """
        if self.acknowledged:
            with self.path.open("ab") as file:
                file.write(tail)
            self.torn = True

    @precondition(lambda self: self.journal is None and not self.locked)
    @rule(by_repair=st.booleans())
    def come_back(self, by_repair: bool) -> None:
        """
        The next writer, or a repair before it, cuts the tail and nothing else.
        """
        if by_repair:
            assert (repair(self.path, clock=SteppedClock()) is not None) == self.torn
        self.journal = reopened(self.path, fsync=lambda _fd: None)
        self.torn = False

    @precondition(lambda self: self.journal is not None)
    @rule()
    def end(self) -> None:
        """
        The run ends; nobody can open its log for writing again.
        """
        assert self.journal is not None
        self.journal.append("run_finished", {"text": "end"})
        self.acknowledged.append("end")
        self.journal.lock()
        self.journal = None
        self.locked = True
        with pytest.raises(JournalError):
            reopened(self.path)
        assert repair(self.path, clock=SteppedClock()) is None

    @precondition(lambda self: self.locked)
    @rule()
    def begin_another_run(self) -> None:
        """
        A finished log is followed by another run's, with a log of its own.
        """
        shutil.rmtree(self.folder)
        self.folder = Path(tempfile.mkdtemp())
        self.acknowledged = []
        self.locked = False
        self.begin()

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        """
        Readers see what was acknowledged, in order; the examination tells the rest.
        """
        if not hasattr(self, "path"):
            return
        found = examine(self.path)

        assert [e.fields["text"] for e in read_events(self.path)] == self.acknowledged
        assert (found.intact, found.damage) == (not self.torn, None)
        assert found.locked == self.locked

    def teardown(self) -> None:
        """
        Remove the folder.
        """
        if self.journal is not None:
            self.journal.close()
        shutil.rmtree(self.folder)


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None
)
