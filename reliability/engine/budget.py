"""
What a run may cost and how long it may take, asked before each launch.

A cap is a promise about the end, so what is under way counts too: what was spent, plus
the running mean for each attempt in flight, plus the next one. Before the first answer
there is no mean; then one attempt alone goes ahead and the others wait for what it
cost. Attempts that come out dearer than the mean can still end above the cap, by what
they are dearer; nothing can take an attempt back that has been sent.

The deadline keeps a reserve for the end itself: what is under way then is ended, and
log, reports and summary are written inside the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reliability.model import Reply
    from reliability.settings import Settings

RESERVE_S = 6.0
_ROUNDING = 1e-9  # Ten times ten cents are a dollar.
_RESERVE_SHARE = 0.1  # A short run gives up no more than this for its end.


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why the next attempt must not start now.

    Args:
        option: The option whose cap is in the way.
        is_final: It stays so; else the end of an attempt in flight may change it.
    """

    option: str
    is_final: bool


class Budget:
    """
    The caps of one run.

    Args:
        max_cost_usd, max_tokens, max_minutes: None for no cap.
        began_mono_s: When the run began, for the deadline.
    """

    def __init__(
        self,
        *,
        began_mono_s: float,
        max_cost_usd: float | None = None,
        max_tokens: int | None = None,
        max_minutes: float | None = None,
    ) -> None:
        self._caps = [
            _Cap(option, float(most))
            for option, most in (
                ("max-cost-usd", max_cost_usd),
                ("max-tokens", max_tokens),
            )
            if most is not None
        ]
        self.cut_mono_s = math.inf
        if max_minutes is not None:
            total_s = 60 * max_minutes
            reserve_s = min(RESERVE_S, _RESERVE_SHARE * total_s)
            self.cut_mono_s = began_mono_s + total_s - reserve_s
        self._durations_s = 0.0
        self._answers = 0

    @classmethod
    def of(cls, settings: Settings, *, began_mono_s: float) -> Budget:
        """
        Return the budget that the options give.
        """
        return cls(
            began_mono_s=began_mono_s,
            max_cost_usd=settings.max_cost_usd,
            max_tokens=settings.max_tokens,
            max_minutes=settings.max_minutes,
        )

    def refusal(self, now_mono_s: float, *, in_flight: int) -> Refusal | None:
        """
        Return why the next attempt must not start; None when it may.
        """
        mean_s = self._durations_s / self._answers if self._answers else 0.0
        if now_mono_s + mean_s > self.cut_mono_s:
            return Refusal("max-minutes", is_final=True)
        for cap in self._caps:
            if not cap.has_room(in_flight):
                return Refusal(cap.option, is_final=in_flight == 0)
        return None

    def spend(self, reply: Reply) -> None:
        """
        Count what an attempt took.
        """
        trouble = reply.trouble
        is_answer = trouble is None or not trouble.rule.infrastructure
        if is_answer:
            self._answers += 1
            self._durations_s += reply.duration_s
        spent = {
            "max-cost-usd": reply.cost_usd,
            "max-tokens": reply.usage.total_tokens,
        }
        for cap in self._caps:
            cap.spend(spent[cap.option], is_answer=is_answer)


class _Cap:
    """
    One amount that must not be passed.
    """

    def __init__(self, option: str, most: float) -> None:
        self.option = option
        self._most = most
        self._spent = 0.0
        self._spent_on_answers = 0.0
        self._answers = 0

    def has_room(self, in_flight: int) -> bool:
        if not self._answers:
            return in_flight == 0 and self._spent < self._most
        mean = self._spent_on_answers / self._answers
        return self._spent + (in_flight + 1) * mean <= self._most * (1 + _ROUNDING)

    def spend(self, amount: float | None, *, is_answer: bool) -> None:
        if amount is None:
            return
        self._spent += amount
        if is_answer:
            self._spent_on_answers += amount
            self._answers += 1
