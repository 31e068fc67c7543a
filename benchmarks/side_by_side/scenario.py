"""
What is measured: each scenario with its server, its size and its ideal.

An ideal is what no runner can beat: the latency times the rounds that the workers need,
or the time in which a limit lets all calls through. It is computed, not measured, and
holds no start-up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

PROMPT = "Ask the agent to say hello, then tell me what it replied, word for word."
EXPECTED = "Hello"
MODEL = "claude-simulated-1"
# 17,000 characters: about 4,300 tokens by the simulator's count, so that the few
# hundred bytes by which clients' requests differ do not move the limit.
LONG_PROMPT = PROMPT + "\n" + "Nothing of what follows matters to you. " * 425
_TOKENS_OF_LONG = 4_320


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    One thing to measure.

    Args:
        name: As on the command line.
        kind: What takes part: "api", "help", "commands" or "claude".
        calls: 0: none is made.
        workers: Most calls at once.
        latency_s: Of an answer.
        profile: The rest of the server's profile.
        server: "lean", "full" (the product's simulator) or "" for none.
        per_minute: The limit on requests, or on what tokens allow of them; 0: none.
        closed_s: How long everybody is refused once half of the calls were let
            through; 0: never.
        max_minutes: The deadline that a runner is given; 0: none.
        contenders: Names of those who take part, in the order of the first round.
    """

    name: str
    title: str
    kind: str
    contenders: tuple[str, ...]
    calls: int = 0
    workers: int = 1
    latency_s: float = 0.0
    profile: str = ""
    server: str = "lean"
    per_minute: int = 0
    burst: int = 10
    closed_s: float = 0.0
    max_minutes: float = 0.0
    prompt: str = PROMPT

    @property
    def ideal_s(self) -> float | None:
        """
        The wall time that no runner can beat; None: there is no such figure.
        """
        if not self.calls or self.kind in {"commands", "help"} or self.max_minutes:
            return None
        rounds_s = math.ceil(self.calls / self.workers) * self.latency_s
        if not self.per_minute:
            return rounds_s
        bursts = self.burst * (2 if self.closed_s else 1)
        waited_s = max(0, self.calls - bursts) * 60 / self.per_minute
        return max(rounds_s, waited_s + self.closed_s + self.latency_s)

    def profile_text(self, seed: int) -> str:
        """
        Return the server's profile for one run.
        """
        return f"seed={seed},latency={self.latency_s:g},{self.profile}"

    def sized(self, calls: int) -> Scenario:
        """
        Return the same with at most *calls* calls, to see whether all works.
        """
        if not self.calls or calls >= self.calls:
            return self
        return replace(self, calls=calls, workers=min(self.workers, calls))


_FLOORS = ("floor-asyncio", "floor-threads")
_PEERS = ("naive", "inspect", "promptfoo", "agentrial")
_ALL = (*_FLOORS, "ours", *_PEERS[:2], "inspect-fixed", *_PEERS[2:])
_LIMIT = "requests-per-minute=600,burst=10"
_C = {"kind": "api", "calls": 300, "workers": 50, "latency_s": 0.3, "per_minute": 600}

SCENARIOS = (
    Scenario(
        name="capacity",
        title="The server's own capacity: no latency, 100 at once",
        kind="api",
        contenders=_FLOORS,
        calls=5_000,
        workers=100,
    ),
    Scenario(
        name="A",
        title="500 calls, latency 0.2 s, 50 at once",
        kind="api",
        contenders=_ALL,
        calls=500,
        workers=50,
        latency_s=0.2,
    ),
    Scenario(
        name="B",
        title="2,000 calls, latency 0.05 s, 100 at once",
        kind="api",
        contenders=_ALL,
        calls=2_000,
        workers=100,
        latency_s=0.05,
    ),
    Scenario(
        name="C",
        title="300 calls, latency 0.3 s, 50 at once, 600 a minute with burst 10",
        contenders=("ours", "naive", "inspect", "inspect-fixed", *_PEERS[2:]),
        profile=_LIMIT,
        **_C,
    ),
    Scenario(
        name="C-silent",
        title="C, and a refused call is not told when to come back",
        contenders=("ours", "naive", "inspect"),
        profile=f"{_LIMIT},retry-after=none",
        **_C,
    ),
    Scenario(
        name="C-tokens",
        title="C, limited by input tokens that let 600 such calls a minute through",
        contenders=("ours", "naive", "inspect"),
        profile=f"input-tokens-per-minute={600 * _TOKENS_OF_LONG},"
        f"token-burst={10 * _TOKENS_OF_LONG}",
        server="full",
        prompt=LONG_PROMPT,
        **_C,
    ),
    Scenario(
        name="C-closed",
        title="C, and half way everybody is told once to come back after 20 s",
        contenders=("ours", "naive", "inspect"),
        profile=_LIMIT,
        closed_s=20.0,
        **_C,
    ),
    Scenario(
        name="D",
        title="300 calls, latency 0.2 s, 50 at once, 10 % 529, 5 % 500, 2 % resets",
        kind="api",
        contenders=("ours", "naive", "inspect", "inspect-fixed", *_PEERS[2:]),
        calls=300,
        workers=50,
        latency_s=0.2,
        profile="rate-529=0.1,rate-500=0.05,rate-drop=0.02",
    ),
    Scenario(
        name="E-help",
        title="Start-up: the help of the command that runs trials",
        kind="help",
        contenders=("python", "ours", *_PEERS),
        server="",
    ),
    Scenario(
        name="E-one",
        title="Start-up: one call without latency, log and verdict included",
        kind="api",
        contenders=("floor-threads", "ours", *_PEERS),
        calls=1,
        profile="pass-rate=1",
    ),
    Scenario(
        name="F",
        title="500 children of a trivial command, 16 at once",
        kind="commands",
        contenders=("ours", "ours-shared", "pool"),
        calls=500,
        workers=16,
        server="",
    ),
    Scenario(
        name="claude",
        title="Claude Code: 32 calls, 16 at once, latency 3 s",
        kind="claude",
        contenders=("ours", "ours-agent", "pool"),
        calls=32,
        workers=16,
        latency_s=3.0,
        profile="pass-rate=1",
        server="full",
    ),
    Scenario(
        name="claude-limit",
        title="Claude Code: 40 calls, 8 at once, 0.5 s, 60 a minute with burst 5",
        kind="claude",
        contenders=("ours", "pool"),
        calls=40,
        workers=8,
        latency_s=0.5,
        profile="pass-rate=1,requests-per-minute=60,burst=5",
        server="full",
        per_minute=60,
        burst=5,
    ),
    Scenario(
        name="claude-storm",
        title="Claude Code: 20 calls, 8 at once, every one refused, deadline 1 minute",
        kind="claude",
        contenders=("ours",),
        calls=20,
        workers=8,
        profile="rate-429=1,retry-after=1",
        server="full",
        max_minutes=1.0,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
