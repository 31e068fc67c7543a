"""
A run's trials out of memory: a sequence by number, kept in a temporary file.

A run of 20,000 trials has some 50 MB of answers, of which a report shows one at a time.
So each trial is put down as one line of JSON when it is read from the log, and comes
back when it is asked for; in memory stay 29 bytes of it. The first MiB is kept in
memory, so a usual run makes no file at all.

The file has no name, from its first moment on: nobody else sees it, and it is gone
with the last `Trials` that needs it, also after a kill. Where no such file can be made
or the disk is full, the lines stay in memory: what was measured is reported even so.

A `Trials` never changes. Any number of iterations, also in several threads, may be
under way at once: each trial is read at its own place.
"""

from __future__ import annotations

import json
import os
import weakref
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, overload

from reliability.model import CheckResult, Outcome
from reliability.run_result import TrialResult

if TYPE_CHECKING:
    from collections.abc import Iterable

SPILL_BYTES = 1024 * 1024
"""How much is kept in memory before it goes to the file."""

_OUTCOMES = tuple(Outcome)
_NAMES = tuple(field.name for field in fields(TrialResult))
_CHECK_NAMES = tuple(field.name for field in fields(CheckResult))
_encode = json.JSONEncoder(separators=(",", ":")).encode
_values_of = attrgetter(*_NAMES)
_OUTCOME, _CHECKS = _NAMES.index("outcome"), _NAMES.index("checks")


class TrialStore:
    """
    Where trials are put down as they end, in any order.
    """

    def __init__(self) -> None:
        self._lines = _Lines()
        self._numbers = array("Q")
        self._outcomes = array("B")
        self._cases = array("I")
        self._loops = array("I")
        self._case_ids: dict[str, int] = {}

    def add(self, trial: TrialResult) -> None:
        """
        Put down one trial.

        Raises:
            TypeError: when its number is none.
            ValueError: when its number is negative or has more than 64 bits.
        """
        if not 0 <= trial.number < 1 << 64:
            raise ValueError(f"{trial.number} is no number of a trial")
        self._numbers.append(trial.number)
        self._outcomes.append(_OUTCOMES.index(trial.outcome))
        ids = self._case_ids
        self._cases.append(ids.setdefault(trial.case, len(ids)))
        self._loops.append(trial.loop)
        self._lines.append(_to_line(trial))

    def outcomes(self) -> Counter[tuple[str, Outcome]]:
        """
        Return how many trials of each case ended how; of two with one number, the last.
        """
        names = list(self._case_ids)
        found: Counter[tuple[str, Outcome]] = Counter()
        for place in self._last_places():
            found[names[self._cases[place]], _OUTCOMES[self._outcomes[place]]] += 1
        return found

    def ends(self) -> Iterator[tuple[int, str, int, Outcome]]:
        """
        Yield number, case, loop and outcome of each trial; of two numbers, the last.
        """
        names = list(self._case_ids)
        for place in self._last_places():
            case = names[self._cases[place]]
            outcome = _OUTCOMES[self._outcomes[place]]
            yield self._numbers[place], case, self._loops[place], outcome

    def trials(self) -> Trials:
        """
        Return all trials so far by number; of two with one number, the later.
        """
        return Trials(self._lines, self._outcomes, self._last_places())

    def _last_places(self) -> array[int]:
        numbers = self._numbers
        places = array("Q")
        for place in sorted(range(len(numbers)), key=numbers.__getitem__):
            if places and numbers[places[-1]] == numbers[place]:
                places[-1] = place
            else:
                places.append(place)
        return places


class Trials(Sequence[TrialResult]):
    """
    Trials in a fixed order; equal to every sequence of equal trials.

    Args:
        lines: The trials as they were put down.
        outcomes: Of each line, as a position in `Outcome`.
        places: Which of the lines, in which order.
    """

    def __init__(self, lines: _Lines, outcomes: array[int], places: array[int]) -> None:
        self._lines = lines
        self._outcomes = outcomes
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> TrialResult: ...

    @overload
    def __getitem__(self, index: slice) -> Trials: ...

    def __getitem__(self, index: int | slice) -> TrialResult | Trials:
        if isinstance(index, slice):
            return Trials(self._lines, self._outcomes, self._places[index])
        return _from_line(self._lines[self._places[index]])

    def __iter__(self) -> Iterator[TrialResult]:
        for place in self._places:
            yield _from_line(self._lines[place])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == its for mine, its in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # equal ones may be of other types

    def __repr__(self) -> str:
        return f"<Trials: {len(self)}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Trials:
        return self

    def count_of(self, outcome: Outcome) -> int:
        """
        Return how many trials ended so; none of them is read.
        """
        return len(self.of({outcome}))

    def of(self, outcomes: Iterable[Outcome]) -> Trials:
        """
        Return the trials that ended in one of these ways; none of them is read.
        """
        wanted = {_OUTCOMES.index(outcome) for outcome in outcomes}
        places = (place for place in self._places if self._outcomes[place] in wanted)
        return Trials(self._lines, self._outcomes, array("Q", places))


class _Lines:
    """
    Texts by their position: the last ones in memory, those before in a file.
    """

    def __init__(self) -> None:
        self._starts = array("Q", [0])
        self._recent = bytearray()
        self._spilled_bytes = 0
        self._may_spill = True
        self._fd = -1

    def append(self, line: bytes) -> None:
        """
        Add one text at the end.
        """
        self._recent += line
        self._starts.append(self._starts[-1] + len(line))
        if len(self._recent) >= SPILL_BYTES and self._may_spill:
            self._spill()

    def __getitem__(self, position: int) -> bytes:
        start, end = self._starts[position], self._starts[position + 1]
        if end <= self._spilled_bytes:
            return os.pread(self._fd, end - start, start)
        begin = start - self._spilled_bytes
        return bytes(memoryview(self._recent)[begin : begin + end - start])

    def _spill(self) -> None:
        """
        Move all of it to the file; if that cannot be, what is in memory stays there.
        """
        try:
            if self._fd < 0:
                self._open()
            _write_all(self._fd, self._recent, self._spilled_bytes)
        except OSError:
            self._may_spill = False
            return
        self._spilled_bytes += len(self._recent)
        self._recent.clear()

    def _open(self) -> None:
        """
        Make the file, which is closed with this object.
        """
        # Most runs are too small to need it.
        from tempfile import TemporaryFile

        file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this object
        weakref.finalize(self, file.close)
        self._fd = file.fileno()


def _write_all(fd: int, content: bytearray, offset_bytes: int) -> None:
    """
    Write at a place of a file, also where one call takes only a part.
    """
    with memoryview(content) as view:
        written_bytes = 0
        while written_bytes < len(view):
            written_bytes += os.pwrite(
                fd, view[written_bytes:], offset_bytes + written_bytes
            )


def _to_line(trial: TrialResult) -> bytes:
    """
    Return a trial as text; every value comes back as it was.
    """
    values = list(_values_of(trial))
    values[_CHECKS] = [
        [getattr(one, name) for name in _CHECK_NAMES] for one in trial.checks
    ]
    return _encode(values).encode("ascii")


def _from_line(line: bytes) -> TrialResult:
    """
    Return the trial that a text was made of.
    """
    values = json.loads(line.decode("ascii"))
    values[_OUTCOME] = Outcome(values[_OUTCOME])
    values[_CHECKS] = tuple(
        CheckResult(**dict(zip(_CHECK_NAMES, one, strict=True)))
        for one in values[_CHECKS]
    )
    return TrialResult(**dict(zip(_NAMES, values, strict=True)))
