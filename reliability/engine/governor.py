"""
Decides how many attempts may be in flight and when the next may start.

One gate stands in front of every attempt, first or repeated, of everything in a run
that calls the service. It learns from what the service says and from nothing else:

- an allowance (`anthropic-ratelimit-*` headers) becomes a `Meter` for requests and one
  for each kind of tokens: starts are paced by the stated rate;
- "too many" without any allowance, as from a child process, teaches a `Cadence`;
- `retry-after` is one pause for all: nobody knocks before, instead of every worker
  finding out by itself;
- overload cuts the window of attempts in flight, once for each burst of trouble, and
  answers let it grow back one by one;
- nothing but trouble opens the `Circuit`.

It begins slowly, and again after each pause: until the service has answered anybody,
starts beyond the first few are a little apart, so that a refusal is heard before
everybody has knocked.

Only the scheduler's thread calls it. Time is an argument everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.engine.allowances import Allowances
from reliability.engine.cadence import Cadence
from reliability.engine.circuit import Circuit, was_answered
from reliability.engine.meter import Meter
from reliability.engine.retry import RETRY_AFTER_CAP_S
from reliability.engine.window import Window
from reliability.kinds import ErrorKind
from reliability.limits import Hold

if TYPE_CHECKING:
    from reliability.limits import Limits
    from reliability.model import Reply, Trouble

_AT_ONCE = 10
_OPENING_GAP_S = 0.001
_MOST_BLIND_PAUSE_S = 60.0
_OVERLOAD = frozenset({ErrorKind.OVERLOADED, ErrorKind.SERVER_ERROR})


@dataclass(frozen=True, slots=True)
class Ticket:
    """
    An attempt that was let through: its place in the order of starts, and when.
    """

    number: int
    sent_mono_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    Something about the gate that is different now, for the log.

    Args:
        reason: One of: rate-known, refused, paused, overloaded, recovering, outage,
            outage-over.
        kind: The trouble that caused it; empty when none did.
        in_flight_limit: Attempts that may be in flight now.
        per_minute: Starts a minute that are let through; None when nothing says so.
        paused_s: Seconds for which everybody pauses from now on; 0 when nobody does.
    """

    reason: str
    kind: str
    in_flight_limit: int
    per_minute: float | None
    paused_s: float


class Governor:
    """
    The gate of one run.

    Args:
        ceiling: Most attempts in flight.
        gap_s: Seconds from the end of one attempt to the start of the next trial.
        per_minute: The user's own bound on starts; None for none.
    """

    def __init__(
        self, *, ceiling: int, gap_s: float, per_minute: int | None = None
    ) -> None:
        self._ceiling = ceiling
        self._window = Window(ceiling=ceiling)
        self._gap_s = gap_s
        self._next_trial_mono_s = -math.inf
        self._paused_until_mono_s = -math.inf
        self._last_start_mono_s = -math.inf
        self._started = 0
        self._opening_from: int | None = 0
        self._bound = Meter(per_minute=per_minute, capacity=1) if per_minute else None
        self._allowances = Allowances()
        self._cadence = Cadence()
        self._circuit = Circuit(ceiling=ceiling)
        self._blind_refusals = 0
        self._changes: list[Change] = []
        self.in_flight = 0

    @property
    def is_broken(self) -> bool:
        """
        Tell whether the infrastructure is gone and the run should end.
        """
        return self._circuit.is_broken

    @property
    def in_flight_limit(self) -> int:
        """
        How many attempts may be in flight now.
        """
        return 1 if self._circuit.is_open else self._window.width

    def wait_s(self, now_mono_s: float, *, first_attempt: bool) -> float | None:
        """
        Return seconds until an attempt may start, 0 for now; None until one has ended.
        """
        if self.in_flight >= self.in_flight_limit:
            return None
        opens_s = self._paused_until_mono_s - now_mono_s
        if first_attempt:
            opens_s = max(opens_s, self._next_trial_mono_s - now_mono_s)
        opening_from = self._opening_from
        if opening_from is not None and self._started >= opening_from + _AT_ONCE:
            opens_s = max(
                opens_s, self._last_start_mono_s + _OPENING_GAP_S - now_mono_s
            )
        return max(0.0, opens_s, self._paced_s(now_mono_s))

    def hold(self, now_mono_s: float) -> Hold | None:
        """
        Return why the gate is closed, for people; None when it is open or just full.
        """
        paused_s = self._paused_until_mono_s - now_mono_s
        if self._circuit.is_open:
            wait_s = max(paused_s, self._circuit.wait_s(now_mono_s))
            return Hold(why="the service is gone, probing", wait_s=max(0.0, wait_s))
        if paused_s > 0:
            return Hold(why="paused by the service", wait_s=paused_s)
        if (wait_s := self._paced_s(now_mono_s)) > 0:
            rate = self._per_minute()
            why = "paced by a limit" if rate is None else f"paced at {rate:.0f}/min"
            return Hold(why=why, wait_s=wait_s)
        if self.in_flight_limit < self._ceiling:
            why = f"at most {self.in_flight_limit} at once after overload"
            return Hold(why=why, wait_s=None)
        return None

    def started(self, now_mono_s: float) -> Ticket:
        """
        Note that an attempt has started.
        """
        self.in_flight += 1
        self._started += 1
        self._last_start_mono_s = now_mono_s
        self._cadence.started(now_mono_s)
        if self._bound is not None:
            self._bound.take(1, now_mono_s)
        self._allowances.take(now_mono_s)
        return Ticket(self._started, now_mono_s)

    def ended(self, ticket: Ticket, reply: Reply, now_mono_s: float) -> None:
        """
        Note that an attempt has ended, and what the service said.
        """
        self.in_flight -= 1
        self._next_trial_mono_s = now_mono_s + self._gap_s
        trouble = reply.trouble
        if reply.limits is not None:
            self._hear(reply.limits, ticket)
        if trouble is None or was_answered(trouble.kind):
            self._allowances.learn(reply.usage)
            self._note_answer(ticket)
        elif trouble.rule.retry:
            self._note_trouble(ticket, trouble, reply.limits, now_mono_s)
        if reply.refusals and self._cadence.refused(
            ticket.number, ticket.sent_mono_s, None
        ):
            # A child that went on by itself after it was refused in mid-conversation.
            self._change("refused", ErrorKind.RATE_LIMIT, now_mono_s)
        if trouble is not None and trouble.retry_after_s:
            self._pause(trouble.retry_after_s, trouble.kind, now_mono_s)

    def take_changes(self) -> list[Change]:
        """
        Return what has changed since the last time, in order.
        """
        changes, self._changes = self._changes, []
        return changes

    def _paced_s(self, now_mono_s: float) -> float:
        """
        Return seconds until the rate lets the next one start.
        """
        return max(
            self._cadence.wait_s(now_mono_s),
            self._circuit.wait_s(now_mono_s),
            self._allowances.wait_s(now_mono_s),
            self._bound.wait_s(1, now_mono_s) if self._bound is not None else 0.0,
        )

    def _per_minute(self) -> float | None:
        """
        Return the lowest rate of starts that is known; None when there is none.
        """
        rates = (
            60 * self._cadence.per_s if self._cadence.per_s < math.inf else None,
            self._allowances.per_minute(),
            self._bound.per_minute if self._bound is not None else None,
        )
        return min((rate for rate in rates if rate is not None), default=None)

    def _hear(self, limits: Limits, ticket: Ticket) -> None:
        before = self._per_minute()
        self._allowances.hear(
            limits,
            sent_mono_s=ticket.sent_mono_s,
            sent_later=self._started - ticket.number,
        )
        after = self._per_minute()
        if after is not None and (before is None or abs(after - before) > 0.1 * before):
            self._change("rate-known")

    def _note_answer(self, ticket: Ticket) -> None:
        self._blind_refusals = 0
        if self._opening_from is not None and ticket.number > self._opening_from:
            self._opening_from = None
        self._cadence.passed(ticket.number)
        if self._circuit.succeeded():
            self._change("outage-over")
        if self._window.answered():
            self._change("recovering")

    def _note_trouble(
        self, ticket: Ticket, trouble: Trouble, limits: Limits | None, now_mono_s: float
    ) -> None:
        kind = trouble.kind
        is_refusal = kind is ErrorKind.RATE_LIMIT
        if is_refusal and not self._allowances.explain(limits):
            self._note_refusal(ticket, trouble, now_mono_s)
        is_overload = kind in _OVERLOAD
        if is_overload and self._window.overloaded(ticket.sent_mono_s, now_mono_s):
            self._change("overloaded", kind, now_mono_s)
        if self._circuit.failed(ticket.sent_mono_s, now_mono_s):
            self._change("outage", kind, now_mono_s)

    def _note_refusal(
        self, ticket: Ticket, trouble: Trouble, now_mono_s: float
    ) -> None:
        """
        Learn from a refusal that no stated limit explains; pause even if none is asked.
        """
        retry_after_s = trouble.retry_after_s
        if not self._cadence.refused(ticket.number, ticket.sent_mono_s, retry_after_s):
            return
        self._change("refused", trouble.kind, now_mono_s)
        if not retry_after_s and not self._cadence.is_rarely_refused:
            pause_s = min(_MOST_BLIND_PAUSE_S, 2.0**self._blind_refusals)
            self._blind_refusals += 1
            self._pause(pause_s, trouble.kind, now_mono_s)

    def _pause(self, pause_s: float, kind: ErrorKind, now_mono_s: float) -> None:
        """
        Let everybody wait; who says the same while they do brings no news.
        """
        pause_s = min(pause_s, RETRY_AFTER_CAP_S)
        until_mono_s = now_mono_s + pause_s
        has_news = until_mono_s > self._paused_until_mono_s + 0.1 * pause_s
        self._paused_until_mono_s = max(self._paused_until_mono_s, until_mono_s)
        self._opening_from = self._started
        self._cadence.paused(now_mono_s, self._paused_until_mono_s)
        if has_news:
            self._change("paused", kind, now_mono_s)

    def _change(
        self, reason: str, kind: str = "", now_mono_s: float = math.inf
    ) -> None:
        paused_s = max(
            0.0,
            self._paused_until_mono_s - now_mono_s,
            self._circuit.wait_s(now_mono_s),
        )
        self._changes.append(
            Change(
                reason=reason,
                kind=kind,
                in_flight_limit=self.in_flight_limit,
                per_minute=self._per_minute(),
                paused_s=paused_s,
            )
        )
