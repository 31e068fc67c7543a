"""
Which commit lowered an agent's pass rate: trials at chosen commits until it is clear.

Take the commits from GOOD to BAD; ask `stats.bisection` where the next trials tell
most; check that commit out in a temporary folder and run a batch of them there with
`run`; count what passed and failed; stop when one commit is likely enough. Each batch
leaves its own log in `bisect/<commit>/` of the output folder, and these logs are all
there is to know: whoever goes on with a search reads them again.

What is asked and how it is graded comes from the user's tree as it is now and is the
same at every commit. What an agent finds, its own file included, is the commit's.

A commit at which no agent can be started, or whose `setup` fails, is passed over. What
is everybody's trouble, such as a service that is away, ends the search: it would make
every commit look broken.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.clock import Clock, SystemClock
from reliability.engine.cancellation import Cancellation, caught_signals
from reliability.engine.history import checked_out, checkouts_folder
from reliability.engine.measuring import agents_with_file, suite_at, why_not
from reliability.engine.question import remember_question
from reliability.engine.search import (
    End,
    Place,
    Rules,
    Search,
    concluded,
    next_trials,
)
from reliability.engine.tools import ToolError, Tools
from reliability.errors import (
    AgentSetupError,
    MeasureError,
    ReliabilityError,
    UsageError,
)
from reliability.model import RunStatus
from reliability.results import read_result
from reliability.run import run
from reliability.stats.bisection import believe
from reliability.stats.verdict import CAPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.engine.history import History
    from reliability.run_result import RunResult
    from reliability.suite import Suite

__all__ = ["End", "Place", "Rules", "Search", "bisect"]


def bisect(
    suite: Suite,
    history: History,
    rules: Rules,
    *,
    workspace: Path,
    environ: Mapping[str, str] | None = None,
    resume: bool = False,
    on_batch: Callable[[Search], None] = lambda _: None,
    cancellation: Cancellation | None = None,
    clock: Clock | None = None,
) -> Search:
    """
    Search until one commit is likely enough, or nothing more can be found out.

    Args:
        suite: As it is to be asked at each commit; the loops of its cases are not used.
            Its caps hold for the whole search, what earlier logs cost included.
        workspace: The user's, in the work tree of *history*.
        environ: None for this process's own.
        resume: Count what the logs of an earlier search have.
        on_batch: Is told what is known: at the beginning, after each batch and each
            commit passed over.

    Raises:
        UsageError: when there are logs of a search, and it is not to be gone on with,
            or one that asked something else is; nothing was called.
        MeasureError: when an end cannot be measured, or nothing can just now.
        JournalError: when a log cannot be written, or an earlier one not be read.
    """
    cancellation = cancellation or Cancellation()
    seeker = _Seeker(
        suite,
        history,
        rules,
        workspace=workspace.resolve(),
        environ=os.environ if environ is None else environ,
        cancellation=cancellation,
        clock=clock or SystemClock(),
    )
    seeker.recall(resume=resume)
    with caught_signals(cancellation), checkouts_folder(seeker.tools) as folder:
        return seeker.seek(folder, on_batch)


class _Seeker:
    """
    One search under way.
    """

    def __init__(
        self,
        suite: Suite,
        history: History,
        rules: Rules,
        *,
        workspace: Path,
        environ: Mapping[str, str],
        cancellation: Cancellation,
        clock: Clock,
    ) -> None:
        self._suite = suite
        self._history = history
        self._rules = rules
        self._workspace = workspace
        self._environ = environ
        self._cancellation = cancellation
        self._clock = clock
        self._places = [Place(commit=commit) for commit in history.commits]
        self._agents = agents_with_file(suite, workspace)
        self._folder = suite.settings.output_dir.absolute() / "bisect"
        self._began_mono_s = clock.monotonic_s()
        cancel = threading.Event()
        cancellation.on_request(cancel.set)
        self.tools = Tools(
            environ, name=f"bisect-{os.urandom(4).hex()}", clock=clock, cancel=cancel
        )

    def recall(self, *, resume: bool) -> None:
        """
        Count what earlier logs have, and write down what is asked.
        """
        logs = sorted(self._folder.glob("*/*.jsonl"))
        if logs and not resume:
            raise UsageError(
                f"There are logs of a search in {str(self._folder)!r}.",
                remedy="Go on with it by --resume, or name another --output-dir.",
            )
        remember_question(self._suite, self._folder, has_logs=bool(logs))
        for at, place in enumerate(self._places):
            for log in logs:
                if log.parent.name == place.commit.short:
                    self._places[at] = self._places[at].plus(read_result(log))

    def seek(self, folder: Path, on_batch: Callable[[Search], None]) -> Search:
        """
        Run batches until there is an end.
        """
        on_batch(self._known())
        while True:
            search = concluded(self._known(), self._rules)
            chosen = next_trials(search, self._rules)
            if search.end is None and (ended := self._stopped(search)) is not None:
                return ended
            if search.end is not None or chosen is None:
                return search
            at, trials = chosen
            ended_by = self._measure(at, trials, folder)
            on_batch(self._known(at))
            if ended_by in CAPS:
                return _capped(self._known(), ended_by)

    def _known(self, at: int | None = None) -> Search:
        belief = believe(
            [place.counts for place in self._places],
            good_rate=self._rules.good_rate,
            bad_rate=self._rules.bad_rate,
        )
        return Search(places=tuple(self._places), belief=belief, at=at)

    def _stopped(self, search: Search) -> Search | None:
        """
        Return the search with its end when it was cancelled or may spend no more.
        """
        if self._cancellation.requested:
            return replace(
                search,
                end=End.CANCELLED,
                reason="The search was cancelled; --resume goes on with it.",
                signal_number=self._cancellation.signal_number,
            )
        caps = self._left(search)
        # One more trial, at the mean of those so far.
        trials = max(1, search.trials)
        needed = {"max_cost_usd": (search.cost_usd or 0.0) / trials}
        needed["max_tokens"] = search.tokens / trials
        for name, left in caps.items():
            if left is not None and (left <= 0 or left < needed.get(name, 0.0)):
                return _capped(search, name.replace("_", "-"))
        return None

    def _left(self, search: Search) -> dict[str, float | None]:
        """
        Return what is left of each cap, by field; None for one that is not set.
        """
        settings = self._suite.settings
        spent = {
            "max_cost_usd": search.cost_usd or 0.0,
            "max_tokens": search.tokens,
            "max_minutes": (self._clock.monotonic_s() - self._began_mono_s) / 60,
        }
        most = {name: getattr(settings, name) for name in spent}
        return {
            name: None if most[name] is None else most[name] - spent[name]
            for name in spent
        }

    def _measure(self, at: int, trials: int, folder: Path) -> str:
        """
        Run a batch, and return what stopped it; empty when nothing did.
        """
        place = self._places[at]
        try:
            checkout = self._history.checkout(place.commit)
            with checked_out(checkout, folder, self.tools) as tree:
                result = self._run(place, trials, tree)
        except ToolError:
            if self._cancellation.requested:
                return ""
            raise
        except (AgentSetupError, UsageError) as error:
            self._skip(at, error)
            return ""
        self._places[at] = place.plus(result)
        is_cut = result.stopped_by in CAPS or result.status is RunStatus.CANCELLED
        if not result.tally.measured and not is_cut:
            reason = why_not(result)
            if not isinstance(reason, AgentSetupError):
                raise reason
            self._skip(at, reason)
        return result.stopped_by

    def _run(self, place: Place, trials: int, tree: Path) -> RunResult:
        own = tree / self._history.prefix
        here = agents_with_file(self._suite, own)
        if missing := sorted(self._agents - here):
            raise AgentSetupError(f"It has no file of the agent {missing[0]!r}.")
        self._agents |= here
        suite = suite_at(
            self._suite,
            top=self._history.top,
            tree=tree,
            workspace=self._workspace,
            loops=max(1, round(trials / len(self._suite.cases))),
            output_dir=self._folder / place.commit.short,
            **self._left(self._known()),
        )
        return run(
            suite.settings,
            suite=suite,
            environ=self._environ,
            workspace=own,
            cancellation=self._cancellation,
            clock=self._clock,
        )

    def _skip(self, at: int, error: ReliabilityError) -> None:
        """
        Pass a commit over, unless the search cannot do without it.
        """
        place = self._places[at]
        if at in {0, len(self._places) - 1}:
            name = "BAD" if at else "GOOD"
            raise MeasureError(
                f"{name}, commit {place.commit.short}, cannot be measured: "
                f"{error.what}",
                remedy=error.remedy,
            ) from error
        if place.counts.trials:
            raise error
        self._places[at] = replace(place, skipped=error.what)


def _capped(search: Search, option: str) -> Search:
    reason = f"The cap {option} is reached; with a higher one --resume goes on."
    return replace(search, end=End.CAPPED, reason=reason, at=None)
