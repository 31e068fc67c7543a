"""
What the server counts: a snapshot for readers, and the counters behind it.

Every model request is counted when it arrives and settled exactly once, before the
last byte of its reply is handed to the socket: a client that has its answer finds it
counted.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """
    Counters since the server began, all about `POST /v1/messages` except the last two.

    `requests` is always the sum of `answered`, the errors of `by_status`, `dropped`,
    `abandoned`, `stream_errors` and `in_flight`.

    Args:
        requests: Model requests that arrived.
        answered: Whole answers that were sent, right and wrong ones.
        wrong_answers: Answers with one of the profile's wrong texts.
        by_status: Whole replies by HTTP status.
        dropped: Connections reset on purpose, before or in the middle of an answer.
        stream_errors: Streams that ended with an `error` event.
        abandoned: Requests whose client (or server) went away before the reply.
        in_flight: Requests without their whole reply at this moment.
        max_in_flight: The most there ever were at once.
        other_requests: Any other request, malformed ones included.
        defects: Failures of the simulator itself; anything but 0 is a bug in it.
    """

    requests: int = 0
    answered: int = 0
    wrong_answers: int = 0
    by_status: Mapping[int, int] = field(default_factory=dict, hash=False)
    dropped: int = 0
    stream_errors: int = 0
    abandoned: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    other_requests: int = 0
    defects: int = 0


class Tally:
    """
    Counts on the server's thread; any thread may take a snapshot.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._by_status: Counter[int] = Counter()
        self._max_in_flight = 0

    def add(self, name: str, amount: int = 1) -> None:
        """
        Add *amount* to the counter *name*, a field of `Stats`.
        """
        with self._lock:
            self._counts[name] += amount

    def begin(self) -> Ticket:
        """
        Count a model request that has arrived.
        """
        with self._lock:
            self._counts["requests"] += 1
            self._counts["in_flight"] += 1
            in_flight = self._counts["in_flight"]
            self._max_in_flight = max(self._max_in_flight, in_flight)
        return Ticket(self)

    def end(self, *names: str, status: int | None = None) -> None:
        """
        Count how a model request ended.

        Args:
            names: The counters that it adds to.
            status: Of a whole reply; None: there was none.
        """
        with self._lock:
            self._counts["in_flight"] -= 1
            self._counts.update(names)
            if status is not None:
                self._by_status[status] += 1

    def snapshot(self) -> Stats:
        """
        Return all counters as of one moment.
        """
        with self._lock:
            return Stats(
                **self._counts,
                by_status=dict(sorted(self._by_status.items())),
                max_in_flight=self._max_in_flight,
            )


class Ticket:
    """
    One model request that waits for its end to be counted.
    """

    __slots__ = ("_open", "_tally")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._open = True

    def settle(self, *names: str, status: int | None = None) -> None:
        """
        Count the end; only the first call counts.
        """
        if self._open:
            self._open = False
            self._tally.end(*names, status=status)
