"""
The verdict on two arms: is head worse than base?

`regressed` by the exact test: over all cases, or by one case alone, which get four and
one fifth of the error (a change that breaks one case in ten hides in the mean).
`not-worse` when the lower end of the difference is above minus the margin (Newcombe,
Statistics in Medicine 17, 1998, method 10). Both at once is a `small-drop`: real, and
inside the margin. Neither is `inconclusive`.

Trials that could not be measured count against either claim: base's lost ones as
failures and head's as passes before anything is called worse, and the mirror before
anything is called no worse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from reliability.stats.difference import difference_bounds, rate_of
from reliability.stats.interval import percent, quantile
from reliability.stats.tables import Arm, holm, lowered, stratified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reliability.run_result import Tally

POWER = 0.8
"""Chance to see the smallest change that is called visible."""

_SUITE_SHARE = 0.8
_WIDE_MARGIN, _NARROW_MARGIN, _MANY = 0.10, 0.05, 200


class Finding(StrEnum):
    """
    What the comparison says of head.
    """

    REGRESSED = "regressed"
    NOT_WORSE = "not-worse"
    SMALL_DROP = "small-drop"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """
    One case in both arms.

    Args:
        base_lost, head_lost: Trials that could not be measured.
    """

    name: str
    base: Arm
    head: Arm
    base_lost: int = 0
    head_lost: int = 0

    @classmethod
    def of(cls, name: str, base: Tally, head: Tally) -> Self:
        """
        Return the pair that the counts of both arms make.
        """
        return cls(
            name=name,
            base=Arm(base.passed, base.measured),
            head=Arm(head.passed, head.measured),
            base_lost=base.lost,
            head_lost=head.lost,
        )

    @property
    def kindest(self) -> tuple[Arm, Arm]:
        """
        The arms if what was lost spoke for head.
        """
        base, head = self.base, self.head
        return (
            Arm(base.passed, base.measured + self.base_lost),
            Arm(head.passed + self.head_lost, head.measured + self.head_lost),
        )

    @property
    def harshest(self) -> tuple[Arm, Arm]:
        """
        The arms if what was lost spoke against head.
        """
        base, head = self.base, self.head
        return (
            Arm(base.passed + self.base_lost, base.measured + self.base_lost),
            Arm(head.passed, head.measured + self.head_lost),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinding:
    """
    What one case says by itself.

    Args:
        p: Of Boschloo's test, or Fisher's for very many trials.
        corrected_p: For the number of cases (Holm).
    """

    pair: Pair
    p: float
    corrected_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    The finding with its numbers.

    Args:
        p, mid_p: Exact, stratified by case; of one case, Boschloo's p and Fisher's
            mid-p.
        difference: Head's pass rate minus base's, all trials together.
        lower, upper: Its one-sided bounds.
        margin: What head may be below base and still be called not worse.
        visible: The smallest drop that these trials see in 8 of 10 comparisons.
        needed: Trials an arm that tell an unchanged head from one beyond the margin in
            8 of 10 comparisons; 0 when the finding needs no more.
        worst: Cases by their p, the least likely first.
    """

    finding: Finding
    reason: str
    p: float
    mid_p: float
    difference: float
    lower: float
    upper: float
    margin: float
    visible: float
    needed: int
    base: Arm
    head: Arm
    worst: tuple[CaseFinding, ...]

    def as_json(self) -> dict[str, Any]:
        """
        Return it as results.json has it, its cases by name.
        """
        return {
            "finding": self.finding.value,
            "reason": self.reason,
            "p": self.p,
            "mid_p": self.mid_p,
            "difference": self.difference,
            "lower": self.lower,
            "upper": self.upper,
            "margin": self.margin,
            "visible_drop": self.visible,
            "trials_needed": self.needed,
            "base": self.base._asdict(),
            "head": self.head._asdict(),
            "cases": [
                {
                    "name": one.pair.name,
                    "base": one.pair.base._asdict(),
                    "head": one.pair.head._asdict(),
                    "p": one.p,
                    "corrected_p": one.corrected_p,
                }
                for one in self.worst
            ],
        }


def compare(
    pairs: Sequence[Pair], *, margin: float | None = None, confidence: float = 0.95
) -> Comparison:
    """
    Compare head with base.

    Args:
        pairs: The cases that both arms have; each with at least one trial in each.
        margin: From 0 to 1; None for 0.10 under 200 trials an arm, else 0.05.
        confidence: One-sided, of each claim.

    Raises:
        ValueError: when there is nothing to compare.
    """
    pairs = [one for one in pairs if one.base.measured and one.head.measured]
    if not pairs:
        raise ValueError("no case was measured in both arms")
    alpha = 1 - confidence
    base, head = (_summed([getattr(one, arm) for one in pairs]) for arm in _ARMS)
    if margin is None:
        is_many = min(base.measured, head.measured) >= _MANY
        margin = _NARROW_MARGIN if is_many else _WIDE_MARGIN
    worst = _by_case(pairs)
    kindest = [one.kindest for one in pairs]
    chance = stratified(kindest)
    p = worst[0].p if len(pairs) == 1 else chance.p
    is_worse = p <= (alpha if len(pairs) == 1 else _SUITE_SHARE * alpha)
    is_broken = len(pairs) > 1 and worst[0].corrected_p <= (1 - _SUITE_SHARE) * alpha
    lower, upper = difference_bounds(base, head, confidence)
    sums = [_summed(arms) for arms in zip(*(o.harshest for o in pairs), strict=True)]
    safe_lower, _ = difference_bounds(sums[0], sums[1], confidence)
    finding = {
        (False, False): Finding.INCONCLUSIVE,
        (False, True): Finding.NOT_WORSE,
        (True, False): Finding.REGRESSED,
        (True, True): Finding.SMALL_DROP,
    }[is_worse or is_broken, safe_lower > -margin]
    needed = 0
    if finding is Finding.INCONCLUSIVE:
        needed = _needed(base, head, margin, confidence)
    found = Comparison(
        finding=finding,
        reason="",
        p=p,
        mid_p=chance.mid_p,
        difference=rate_of(head) - rate_of(base),
        lower=lower,
        upper=upper,
        margin=margin,
        visible=_visible(base, head, confidence),
        needed=needed,
        base=base,
        head=head,
        worst=worst,
    )
    culprit = worst[0] if is_broken and not is_worse else None
    return _with_reason(found, confidence, culprit)


_ARMS = ("base", "head")


def _by_case(pairs: Sequence[Pair]) -> tuple[CaseFinding, ...]:
    chances = [lowered(*one.kindest) for one in pairs]
    found = [
        CaseFinding(pair=pair, p=p, corrected_p=corrected)
        for pair, p, corrected in zip(pairs, chances, holm(chances), strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (one.p, one.pair.name)))


def _summed(arms: Sequence[Arm]) -> Arm:
    return Arm(sum(one.passed for one in arms), sum(one.measured for one in arms))


def _spread(base: Arm, head: Arm) -> float:
    """
    Return the variance of one trial at the common rate, never quite 0.
    """
    both = _summed([base, head])
    rate = (both.passed + 0.5) / (both.measured + 1)
    return rate * (1 - rate)


def _visible(base: Arm, head: Arm, confidence: float) -> float:
    reach = quantile(confidence) + quantile(POWER)
    shares = 1 / base.measured + 1 / head.measured
    return min(1.0, reach * math.sqrt(_spread(base, head) * shares))


def _needed(base: Arm, head: Arm, margin: float, confidence: float) -> int:
    if margin <= 0:
        return 0
    reach = quantile(confidence) + quantile(POWER)
    trials = math.ceil(2 * _spread(base, head) * (reach / margin) ** 2)
    rate = rate_of(_summed([base, head]))
    while True:
        alike = Arm(round(rate * trials), trials)
        if difference_bounds(alike, alike, confidence)[0] > -margin:
            return trials
        trials += 1 + trials // 20


def _with_reason(
    found: Comparison, confidence: float, culprit: CaseFinding | None
) -> Comparison:
    said = (
        f"head passed {found.head.passed} of {found.head.measured}, base "
        f"{found.base.passed} of {found.base.measured}"
    )
    sure, points = percent(confidence), f"{100 * found.margin:g} points"
    chance = f"a drop like this has a chance of {found.p:.2g} if nothing changed"
    match found.finding:
        case Finding.REGRESSED if culprit is not None:
            pair = culprit.pair
            text = (
                f"Worse than the base in case {pair.name}: {pair.head.passed} of "
                f"{pair.head.measured} there, where base had {pair.base.passed} of "
                f"{pair.base.measured}."
            )
        case Finding.REGRESSED:
            text = f"Worse than the base: {said}; {chance}."
        case Finding.NOT_WORSE:
            text = (
                f"Not worse than the base: {said}; {sure} sure that it lost less than "
                f"{points}."
            )
        case Finding.SMALL_DROP:
            text = (
                f"A small drop: {said}; {chance}, but {sure} sure that it is less than "
                f"{points}."
            )
        case Finding.INCONCLUSIVE:
            text = (
                f"Neither worse nor surely as good: {said}; so many trials see a drop "
                f"of {100 * found.visible:.0f} points, and {found.needed} an arm could "
                f"show that it lost less than {points}."
            )
    return replace(found, reason=text)
