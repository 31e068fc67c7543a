"""
What the log of an earlier run offers to a new one: settings, conditions, trials.

Nothing of the earlier run is touched, not even a torn tail, which readers skip. A log
that somebody is writing is refused; that of a killed run is as good as any. Trials that
passed or failed are kept; those that could not be measured, that never ended or never
began are left to the new run.

Answers are never held: `read_earlier` remembers which trials there are, and `trials`
reads the log again and hands them on one by one. What is in memory at a time are the
answers of trials that were under way at once.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reliability.clock import SystemClock
from reliability.conditions import Conditions
from reliability.errors import JournalError, UsageError
from reliability.gate import EARLY_STOP
from reliability.journal import examine, read_whole_events
from reliability.journal.files import open_regular
from reliability.journal.lock import take_lock
from reliability.journal.schema import (
    FIELD_ERRORS,
    changed_error,
    malformed_error,
    read_run_events,
)
from reliability.kept import KeptReader, KeptTrial, planned_trials
from reliability.model import RunStatus
from reliability.options.texts import texts_of
from reliability.redact import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reliability.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """
    An earlier run, as its log tells it.

    Args:
        start, finish: Fields of `run_started` and `run_finished`; the latter is empty
            when the run was killed.
        sha256: Of the log as it is, a torn tail included.
        kept: By number, each trial that was measured: its run and its number there.
        differences: What was another one then than it is now, a sentence each; see
            `accepted`.
        allow_changed: Take trials over even so, and label them.
    """

    path: Path
    run_id: str
    sha256: str
    start: Mapping[str, Any]
    finish: Mapping[str, Any]
    kept: Mapping[int, tuple[str, int]]
    differences: tuple[str, ...] = ()
    allow_changed: bool = False

    @property
    def planned(self) -> int:
        """
        Trials that the run was to have.
        """
        return planned_trials(self.start)

    @property
    def status(self) -> RunStatus:
        """
        How the run ended.
        """
        return RunStatus(self.finish.get("status", RunStatus.STARTED))

    @property
    def complete(self) -> bool:
        """
        True when the run came to its end and its verdict lacks nothing.
        """
        if self.finish.get("stopped_by") == EARLY_STOP:
            return True
        return self.status is RunStatus.COMPLETED and len(self.kept) == self.planned

    @property
    def changed(self) -> tuple[str, ...]:
        """
        What differs from the conditions of any trial in it, a sentence each.
        """
        before = self.start.get("changed", ())
        return tuple(dict.fromkeys((*before, *self.differences)))

    @property
    def conditions(self) -> Conditions:
        """
        What was measured, with what.
        """
        names = ("options", "fingerprint", "versions", "simulated")
        return Conditions(**{name: self.start[name] for name in names})

    @property
    def lineage(self) -> list[dict[str, str]]:
        """
        This log and those that it took trials over from, the oldest first.
        """
        own = {"run_id": self.run_id, "log": self.path.name, "sha256": self.sha256}
        return [*self.start.get("earlier", ()), own]

    def texts(self) -> dict[str, str]:
        """
        Return its options as texts by name, for `open_suite`.

        Raises:
            UsageError: when one held a secret, which no log keeps.
            JournalError: when one is not as it should be.
        """
        try:
            suite = self.start.get("suite")
            texts = (
                {str(name): str(text) for name, text in suite["given"].items()}
                if suite
                else texts_of(self.start["options"])
            )
        except FIELD_ERRORS as error:
            raise malformed_error(self.path, error) from None
        if hidden := [name for name, text in texts.items() if MARK in text]:
            raise UsageError(
                f"{self.path} does not tell all of {', '.join(hidden)}: a secret in it "
                "was left out.",
                remedy="Begin a new run, with the secret in an environment variable.",
            )
        return texts

    def accepted(self, now: Conditions, *, same_loops: bool = True) -> Earlier:
        """
        Return this with its differences from *now* looked up.

        Args:
            same_loops: The number of loops must agree too.

        Raises:
            UsageError: with every difference, when there is one and none is allowed.
        """
        differences = self.conditions.differences(now, same_loops=same_loops)
        if differences and not self.allow_changed:
            raise UsageError(
                [f"{self.path.name} was measured otherwise:", *differences],
                remedy="Put that back, or give --allow-changed, which labels the "
                "trials of that log.",
            )
        return replace(self, differences=differences)

    def require_all_taken_over(self) -> None:
        """
        Refuse a log whose run was killed before it had measured anything of its own.

        Raises:
            UsageError: naming the log to use in its place.
        """
        missing = self.start.get("reused", 0) - len(self.kept)
        if missing > 0:
            before = ", ".join(str(one["log"]) for one in self.start["earlier"])
            raise UsageError(
                f"{self.path.name} lacks {missing} trials that it was to take over: "
                "its run was killed at that.",
                remedy=f"It measured nothing itself; resume what it names: {before}.",
            )

    def trials(self) -> Iterator[KeptTrial]:
        """
        Yield each kept trial with its answer, in the order in which they ended.

        Raises:
            JournalError: when the log or a side file is no longer what it was.
        """
        reading = KeptReader()
        count = 0
        try:
            for event in read_whole_events(self.path):
                trial = reading.take(event)
                if trial is None:
                    continue
                count += 1
                is_changed = trial.changed or bool(self.differences)
                yield replace(trial, changed=is_changed)
        except FIELD_ERRORS as error:
            raise malformed_error(self.path, error) from None
        if count != len(self.kept):
            raise JournalError(
                f"{self.path} was changed while it was read.",
                remedy="Use a copy that nobody writes.",
            )


def read_earlier(
    path: Path, *, allow_changed: bool = False, clock: Clock | None = None
) -> Earlier:
    """
    Read what the log at *path* offers, and touch nothing.

    Args:
        allow_changed: Trials may be taken over when conditions differ; they are
            labelled.
        clock: Tells since when the log is in use; None for the machine's own.

    Raises:
        JournalError: when the log is in use, damaged, changed after it was locked, not
            one of ours, or of a later schema.
    """
    _refuse_in_use(path, clock or SystemClock())
    examination = examine(path)
    present, recorded = examination.sha256, examination.recorded_sha256
    if recorded is not None and recorded != present:
        raise changed_error(path, present=present, recorded=recorded)
    if examination.side_problems:
        raise JournalError(examination.side_problems[0])
    reading = KeptReader()
    try:
        kept = {}
        for event in read_run_events(path):
            if (trial := reading.take(event)) is not None:
                # The same few ids thousands of times: keep each text once.
                kept[trial.trial] = (sys.intern(trial.from_run), trial.from_trial)
        earlier = Earlier(
            path=path,
            run_id=reading.run_id,
            sha256=examination.sha256,
            start=reading.start,
            finish=reading.finish,
            kept=kept,
            allow_changed=allow_changed,
        )
        _use_fields(earlier)
    except FIELD_ERRORS as error:
        raise malformed_error(path, error) from None
    return earlier


def _use_fields(earlier: Earlier) -> None:
    """
    Use once what is relied on later, so that a log without it is refused at once.
    """
    start = earlier.start
    _ = [start[name] for name in ("agent", "backend", "prompt", "warnings")]
    _ = [earlier.planned, earlier.status, earlier.changed, start["options"]["filename"]]
    _ = [*earlier.conditions.fingerprint, *earlier.conditions.versions]
    _ = [(one["run_id"], one["log"]) for one in earlier.lineage]


def _refuse_in_use(path: Path, clock: Clock) -> None:
    """
    Refuse a log that a run is writing; a reader's lock on it is gone at once.
    """
    fd = open_regular(path, os.O_RDONLY)
    try:
        take_lock(fd, path, clock=clock)
    finally:
        os.close(fd)
