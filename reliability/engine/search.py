"""
What is known of a search for the commit that lowered a pass rate, and when it is done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reliability.errors import EXIT_INCONCLUSIVE, EXIT_OK, EXIT_SIGNAL_BASE
from reliability.stats import percent
from reliability.stats.bisection import Belief, Counts, groups_of, next_place

if TYPE_CHECKING:
    from reliability.engine.history import Commit
    from reliability.run_result import RunResult

FIRST_TRIALS = 5
"""Made at each end whose rate is not told, before anything else."""


class End(StrEnum):
    """
    How a search ended.
    """

    FOUND = "found"
    NO_DROP = "no-drop"  # GOOD and BAD pass alike
    SEVERAL = "several"  # one of some commits that cannot be told apart
    UNDECIDED = "undecided"  # no commit may have more trials
    CAPPED = "capped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """
    When a search is done.

    Args:
        confidence: How likely the named commit must be, between 0.5 and 1.
        most_trials: Of one commit.
        batch: Trials at a commit before the next is chosen.
        good_rate, bad_rate: Pass rates that are known, above 0 and below 1; None for
            one to be measured.
    """

    confidence: float = 0.9
    most_trials: int = 100
    batch: int = 4
    good_rate: float | None = None
    bad_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    A commit and what its trials brought.

    Args:
        cost_usd: Of its priced attempts; None when none was.
        skipped: Why no trial can be made there; empty when some can.
    """

    commit: Commit
    counts: Counts = field(default_factory=Counts)
    tokens: int = 0
    cost_usd: float | None = None
    skipped: str = ""

    def plus(self, result: RunResult) -> Place:
        """
        Return it with what a batch brought.
        """
        tally, cost = result.tally, self.cost_usd
        if result.cost_usd is not None:
            cost = (cost or 0.0) + result.cost_usd
        passed, failed = self.counts
        return replace(
            self,
            counts=Counts(passed + tally.passed, failed + tally.failed),
            tokens=self.tokens + result.usage.total_tokens,
            cost_usd=cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """
    What is known so far.

    Args:
        places: From GOOD to BAD.
        end: None as long as it goes on.
        culprits: Whom the end names: one commit, or several.
        reason: What ended it, in a sentence that has no text of a commit.
        at: The place that was looked at last; None at the beginning and the end.
    """

    places: tuple[Place, ...]
    belief: Belief
    end: End | None = None
    culprits: tuple[Commit, ...] = ()
    reason: str = ""
    signal_number: int | None = None
    at: int | None = None

    @property
    def trials(self) -> int:
        """
        Those that passed or failed.
        """
        return sum(place.counts.trials for place in self.places)

    @property
    def tokens(self) -> int:
        """
        Of all attempts.
        """
        return sum(place.tokens for place in self.places)

    @property
    def cost_usd(self) -> float | None:
        """
        Of all priced attempts; None when none was.
        """
        costs = [one.cost_usd for one in self.places if one.cost_usd is not None]
        return math.fsum(costs) if costs else None

    @property
    def exit_code(self) -> int:
        """
        What a command ends with.
        """
        if self.end is End.CANCELLED:
            return EXIT_SIGNAL_BASE + (self.signal_number or 0)
        return EXIT_OK if self.end is End.FOUND else EXIT_INCONCLUSIVE


def concluded(search: Search, rules: Rules) -> Search:
    """
    Return *search* with its end, if what is known is enough for one.
    """
    belief, places = search.belief, search.places
    sure = percent(rules.confidence)
    if belief.no_drop >= rules.confidence:
        reason = f"{_no_drop(belief, rules)}, {sure} sure."
        return replace(search, end=End.NO_DROP, reason=reason)
    closed = {at for at, place in enumerate(places) if place.skipped}
    for group in groups_of(len(places), closed)[1:]:
        share = math.fsum(belief.shares[at] for at in group)
        if share < rules.confidence:
            continue
        culprits = tuple(places[at].commit for at in group)
        if len(culprits) == 1:
            rates = f"from about {belief.good_rate:.0%} to {belief.bad_rate:.0%}"
            reason = f"It lowered the pass rate {rates}, {share:.1%} likely."
            return replace(search, end=End.FOUND, culprits=culprits, reason=reason)
        reason = (
            f"It is one of {len(culprits)} commits, {share:.1%} likely; all but the "
            "last of them were passed over, so they cannot be told apart."
        )
        return replace(search, end=End.SEVERAL, culprits=culprits, reason=reason)
    if next_trials(search, rules) is None:
        reason = f"No commit that could tell more may have more trials: {sure} is not "
        reason += f"reached with {rules.most_trials} trials a commit."
        return replace(search, end=End.UNDECIDED, reason=reason)
    return search


def next_trials(search: Search, rules: Rules) -> tuple[int, int] | None:
    """
    Return the place that is next and how many trials to make there; None for nowhere.
    """
    last = len(search.places) - 1
    for end, rate in ((0, rules.good_rate), (last, rules.bad_rate)):
        lacking = (
            min(FIRST_TRIALS, rules.most_trials) - search.places[end].counts.trials
        )
        if rate is None and lacking > 0:
            return end, lacking
    room = {
        at: rules.most_trials - place.counts.trials
        for at, place in enumerate(search.places)
        if not place.skipped and place.counts.trials < rules.most_trials
    }
    at = next_place(search.belief, room)
    return None if at is None else (at, min(rules.batch, room[at]))


def _no_drop(belief: Belief, rules: Rules) -> str:
    if rules.good_rate is None and rules.bad_rate is None:
        return "Nothing lowered the pass rate: GOOD and BAD pass alike"
    if belief.shares[0] > belief.shares[-1]:
        return "Nothing here lowered the pass rate: GOOD has the bad rate already"
    return "Nothing here lowered the pass rate: BAD has the good rate still"
