"""
The simulated backend: the Messages API client, pointed at a simulator of this process.

Nothing is faked in between: requests cross a real loopback socket, and faults, limits
and latency are the simulator's. Everything that comes of it is labelled simulated.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.agents.messages import Messages
from reliability.simulator.profile import Profile

if TYPE_CHECKING:
    from reliability.agents.base import Call
    from reliability.clock import Clock
    from reliability.model import Reply, Setup
    from reliability.settings import Settings
    from reliability.simulator.embedded import Simulator

_ANY_ANSWER_PASSES = "Without expect any answer passes, so pass-rate has no effect."


class Simulated:
    """
    An agent that answers as its profile says, by seed and trial.

    Raises:
        UsageError: when the profile is not understood.
    """

    needs_room = False

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._profile = Profile.parse(settings.simulator)
        self._settings = settings
        self._clock = clock
        self._simulator: Simulator | None = None
        self._messages: Messages | None = None

    def prepare(self) -> Setup:
        """
        Start the simulator.
        """
        from reliability.simulator.embedded import Simulator

        self._simulator = Simulator(self._profile)
        self._simulator.__enter__()
        self._messages = Messages(
            self._settings,
            environ={
                "ANTHROPIC_BASE_URL": self._simulator.base_url,
                "ANTHROPIC_API_KEY": "simulated",
            },
            clock=self._clock,
        )
        setup = self._messages.prepare()
        settings = self._settings
        is_ungraded = not (settings.expect or settings.checks or settings.suite)
        known = {"seed": str(self._profile.seed)}
        if script := self._profile.script:
            known["script_sha256"] = hashlib.sha256(repr(script).encode()).hexdigest()
        return replace(
            setup,
            fingerprint={**setup.fingerprint, **known},
            warnings=(_ANY_ANSWER_PASSES,) if is_ungraded else (),
        )

    def attempt(self, call: Call) -> Reply:
        """
        Ask the simulator once.
        """
        assert self._messages is not None, "prepare() comes first"  # noqa: S101
        return self._messages.attempt(call)

    def cancel(self) -> None:
        """
        Shut the connections to the simulator.
        """
        if self._messages is not None:
            self._messages.cancel()

    def close(self) -> None:
        """
        Stop the simulator.
        """
        if self._messages is not None:
            self._messages.close()
        if self._simulator is not None:
            self._simulator.__exit__(None, None, None)
