"""
Notices that the infrastructure is gone, and ends a run that cannot go on.

When nothing but trouble has come for long enough to be no accident, the circuit opens:
everybody pauses, and after the pause one attempt alone probes. Each failed probe makes
the pause longer; an answer closes the circuit and the run goes on as if nothing had
been. After the last probe the run stops: more attempts would cost and tell nothing.

How long that takes depends on what was seen: an address that never answered in this
run is most likely wrong, and the run ends after a minute of pauses. One that did answer
is likely to come back, so five minutes are waited for it.
"""

from __future__ import annotations

import math

from reliability.kinds import KIND_RULES, ErrorKind

PROBES = 6
"""With these pauses 63 s, when nothing was ever answered."""

PROBES_AFTER_AN_ANSWER = 10
"""With these pauses 303 s: restarts and short outages of a service end sooner."""

FAILURES_BESIDE_WORKERS = 10
"""How many failures in a row, beyond one for each worker, are no accident."""

FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 60.0

# Trouble of one attempt alone: the service was there and dealt with it.
_ANSWERED = frozenset(
    {
        ErrorKind.BAD_REQUEST,
        ErrorKind.PROMPT_TOO_LONG,
        ErrorKind.CHECK_ERROR,
        ErrorKind.ANSWER_TOO_LONG,
    }
)


def was_answered(kind: ErrorKind) -> bool:
    """
    Tell whether the service did its part, so that trouble is no sign of an outage.
    """
    return kind in _ANSWERED or not KIND_RULES[kind].infrastructure


class Circuit:
    """
    Counts failures in a row.

    Args:
        ceiling: Most attempts in flight: so many may fail for one and the same hiccup.
    """

    def __init__(self, *, ceiling: int) -> None:
        self._threshold = ceiling + FAILURES_BESIDE_WORKERS
        self._failures = 0
        self._failed_probes = 0
        self._has_answered = False
        self._opened_mono_s = math.inf
        self._probing_mono_s = -math.inf

    @property
    def is_open(self) -> bool:
        """
        Tell whether attempts are probes now, one at a time.
        """
        return self._opened_mono_s < math.inf

    @property
    def is_broken(self) -> bool:
        """
        Tell whether the last probe has failed.
        """
        probes = PROBES_AFTER_AN_ANSWER if self._has_answered else PROBES
        return self._failed_probes >= probes

    def wait_s(self, now_mono_s: float) -> float:
        """
        Return seconds until the next probe; 0 while the circuit is closed.
        """
        return max(0.0, self._probing_mono_s - now_mono_s) if self.is_open else 0.0

    def succeeded(self) -> bool:
        """
        Note that the service answered; tell whether that closed the circuit.
        """
        was_open = self.is_open
        self._has_answered = True
        self._failures = self._failed_probes = 0
        self._opened_mono_s = math.inf
        return was_open

    def failed(self, sent_mono_s: float, now_mono_s: float) -> bool:
        """
        Note infrastructure trouble; tell whether a new pause began.

        Attempts sent before the circuit opened are no probes.
        """
        self._failures += 1
        if self.is_open:
            if sent_mono_s <= self._opened_mono_s:
                return False
            self._failed_probes += 1
        elif self._failures < self._threshold:
            return False
        else:
            self._opened_mono_s = now_mono_s
        pause_s = min(MOST_PAUSE_S, FIRST_PAUSE_S * 2**self._failed_probes)
        self._probing_mono_s = now_mono_s + pause_s
        return True
