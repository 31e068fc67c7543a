"""
All limits that a service states, each with its meter, and what an attempt takes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.engine.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.limits import Allowance, Limits
    from reliability.model import Usage

_KINDS = ("requests", "input_tokens", "output_tokens", "tokens")


class Allowances:
    """
    Knows nothing and holds nothing back until a reply states a limit.
    """

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}
        self._answers = 0
        self._sums = dict.fromkeys(_KINDS, 0)

    def wait_s(self, now_mono_s: float) -> float:
        """
        Return seconds until an attempt of the usual size finds enough of everything.
        """
        return max(
            (
                meter.wait_s(self._cost(kind), now_mono_s)
                for kind, meter in self._meters.items()
            ),
            default=0.0,
        )

    def take(self, now_mono_s: float) -> None:
        """
        Note that an attempt has been sent.
        """
        for kind, meter in self._meters.items():
            meter.take(self._cost(kind), now_mono_s)

    def hear(self, limits: Limits, *, sent_mono_s: float, sent_later: int) -> None:
        """
        Take in what a reply said.

        Args:
            sent_mono_s: When the attempt was sent that this is the reply to.
            sent_later: Attempts that were sent after it.
        """
        for kind, allowance in _stated(limits):
            cost = self._cost(kind)
            self._meters.setdefault(kind, Meter()).hear(
                allowance,
                sent_mono_s=sent_mono_s,
                own_cost=cost,
                later_cost=cost * sent_later,
            )

    def explain(self, limits: Limits | None) -> bool:
        """
        Tell whether one of the stated limits is the one that a refusal met.
        """
        return limits is not None and any(
            # Before an answer nobody knows how many tokens are too few.
            (kind != "requests" and not self._answers)
            or allowance.remaining < max(1.0, self._cost(kind))
            for kind, allowance in _stated(limits)
        )

    def per_minute(self) -> float | None:
        """
        Return the lowest rate of attempts that the limits allow; None without any.
        """
        return min(
            (
                meter.per_minute / self._cost(kind)
                for kind, meter in self._meters.items()
                if meter.per_minute and self._cost(kind)
            ),
            default=None,
        )

    def learn(self, usage: Usage) -> None:
        """
        Take in what an answer took; what was read from a cache is not limited.
        """
        tokens_in = usage.input_tokens + usage.cache_write_tokens
        if not tokens_in and not usage.output_tokens:
            return
        self._answers += 1
        self._sums["input_tokens"] += tokens_in
        self._sums["output_tokens"] += usage.output_tokens
        self._sums["tokens"] += tokens_in + usage.output_tokens

    def _cost(self, kind: str) -> float:
        """
        Return the mean; a request is one, and tokens are nothing before an answer.
        """
        if kind == "requests":
            return 1.0
        return self._sums[kind] / self._answers if self._answers else 0.0


def _stated(limits: Limits) -> Iterator[tuple[str, Allowance]]:
    for kind in _KINDS:
        if (allowance := getattr(limits, kind)) is not None:
            yield kind, allowance
