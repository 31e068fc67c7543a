"""
Whatever happens to a run and in which order, its trials are counted once.

One plan is begun, killed at any line, torn, cancelled and gone on with, also from a log
that is not the newest. After every step each log tells a part of one plan, no trial is
there twice, and no log but the newest has changed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from fakes.continued import cut_log
from fakes.runs import ENVIRON, texts
from hypothesis import HealthCheck, settings as hypothesis_settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from reliability.earlier import read_earlier
from reliability.engine.cancellation import Cancellation
from reliability.errors import JournalError, UsageError
from reliability.journal import read_events
from reliability.merge import merge
from reliability.model import RunStatus
from reliability.results import read_result
from reliability.run import run
from reliability.settings import Settings

LOOPS = 4


class _CancelAfter:
    """
    A display that asks for the stop when it is shown so many ended trials.
    """

    def __init__(self, cancellation: Cancellation, ended: int) -> None:
        self._cancellation = cancellation
        self._ended = ended

    def begin(self, *, simulated: bool) -> None:
        pass

    def show(self, tally: object, **_rest: object) -> None:
        ended = tally.measured + tally.invalid  # type: ignore[attr-defined]
        if ended >= self._ended:
            self._cancellation.request()

    def close(self) -> None:
        pass


class Runs(RuleBasedStateMachine):
    """
    The logs of one plan, the newest last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        profile = "latency=0,pass-rate=0.7,rate-drop=0.2,seed=8"
        self.settings = Settings.from_text(
            texts(self.folder, loops=str(LOOPS), max_attempts="1", simulator=profile)
        )
        self.logs: list[Path] = []
        self.contents: dict[Path, bytes] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def go(self, *, after: Path | None, cancel_at: int | None = None) -> None:
        """
        Begin or go on, and keep what comes of it.
        """
        cancellation = Cancellation()
        display = None
        if cancel_at is not None:
            display = _CancelAfter(cancellation, cancel_at)
        earlier = None if after is None else read_earlier(after)
        result = run(
            self.settings,
            environ=ENVIRON,
            workspace=self.folder,
            cancellation=cancellation,
            display=display,
            earlier=earlier,
        )
        log = Path(result.log)
        if log not in self.logs:
            self.logs.append(log)
        self.contents[log] = log.read_bytes()

    @initialize(cancel_at=st.none() | st.integers(0, LOOPS))
    def start(self, cancel_at: int | None) -> None:
        """
        Begin the plan.
        """
        self.go(after=None, cancel_at=cancel_at)

    @rule(back=st.integers(0, 2), cancel_at=st.none() | st.integers(0, LOOPS))
    def resume(self, back: int, cancel_at: int | None) -> None:
        """
        Go on with the newest log, or with one before it.
        """
        log = self.logs[max(-len(self.logs), -1 - back)]
        was = read_result(log)
        try:
            self.go(after=log, cancel_at=cancel_at)
        except UsageError:
            # It was killed while it took over: the one before has more.
            assert read_earlier(log).start["reused"] > was.tally.measured
            return
        if was.status is RunStatus.COMPLETED and not was.tally.missing:
            assert read_result(log) == was
            return
        now = read_earlier(self.logs[-1])
        kept = read_earlier(log).kept
        assert kept.items() <= now.kept.items()

    @precondition(lambda self: self.logs)
    @rule(share=st.floats(0, 1), torn_bytes=st.integers(0, 40))
    def crash(self, share: float, torn_bytes: int) -> None:
        """
        Leave the newest log as a kill would have, at any of its lines.
        """
        log = self.logs[-1]
        names = [event.event for event in read_events(log)]
        at = round(share * (len(names) - 2))
        count = names[: at + 1].count(names[at])
        cut_log(log, after=names[at], count=count, torn_bytes=torn_bytes)
        self.contents[log] = log.read_bytes()

    @rule()
    def join(self) -> None:
        """
        Merge all logs: what was measured counts once, and nothing is lost.
        """
        measured = {who for log in self.logs for who in read_earlier(log).kept.values()}
        result = merge(self.logs, self.folder / "merged", environ=ENVIRON)

        assert len(measured) == result.tally.measured == len(result.trials)
        assert result.tally.planned >= max(LOOPS, len(measured))
        assert measured == set(read_earlier(Path(result.log)).kept.values())

    @invariant()
    def each_trial_is_counted_once(self) -> None:
        """
        In every log: a number of the plan at most once, and all of them at its end.
        """
        for log in self.logs:
            result = read_result(log)
            numbers = [trial.number for trial in result.trials]
            assert len(set(numbers)) == len(numbers)
            assert set(numbers) <= set(range(1, LOOPS + 1))
            assert LOOPS == result.tally.planned
            if result.status is RunStatus.COMPLETED:
                assert LOOPS == len(numbers)
            identities = list(read_earlier(log).kept.values())
            assert len(set(identities)) == len(identities)

    @invariant()
    def no_log_was_touched(self) -> None:
        """
        Going on and merging only read.
        """
        for log, content in self.contents.items():
            assert content == log.read_bytes()
        with pytest.raises(JournalError):
            read_earlier(self.folder / "none.jsonl")


Runs.TestCase.settings = hypothesis_settings(
    max_examples=12,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestRuns = pytest.mark.crash(Runs.TestCase)
