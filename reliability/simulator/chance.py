"""
Every random decision, as a pure function of the seed and of who asks.

Nothing here has a state: a decision is a hash (blake2b) of the seed, the name of the
decision and the identity of the request. So the same seed gives the same outcome trial
by trial, whatever the order in which requests arrive and whatever else is asked:

- right or wrong, and which wrong text: by (seed, trial);
- faults and latency: by (seed, trial, attempt, n-th request of that attempt).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reliability.simulator.profile import FAULT_RATES
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from reliability.simulator.profile import Profile

# Plausible for the prompt "ask the agent to say hello", and none of them says it.
WRONG_ANSWERS = (
    "I could not find an agent with that name.",
    "I'm sorry, but I can't help with that request.",
    "The agent was started, but it returned no reply.",
    "Sure! What would you like me to do next?",
    "Here is a summary of the repository: it holds a small Python package.",
    "Goodbye! The task is complete.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    Who asks: the n-th request of an attempt of a trial.

    Args:
        trial: As the client names it, or the server's count of nameless requests.
        attempt: As the client names it.
        request_number: Counts the requests of this attempt, from 1.
    """

    trial: str
    attempt: str = "1"
    request_number: int = 1


def unit(seed: int, *parts: object) -> float:
    """
    Return a number from 0 up to but not 1, uniform over different *parts*.
    """
    text = "\x1f".join(map(str, (seed, *parts)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    # 53 bits: all that a float holds, so that the result can never round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def is_right(profile: Profile, trial: str) -> bool:
    """
    Return whether the answer of *trial* is the right one.
    """
    return unit(profile.seed, "right", trial) < profile.pass_rate


def answer_of(profile: Profile, trial: str) -> str:
    """
    Return the answer of *trial*, right or wrong.

    A wrong text never contains the right one, unless that is so short that all do.
    """
    if is_right(profile, trial):
        return profile.answer
    right = profile.answer.casefold()
    wrong = [text for text in WRONG_ANSWERS if right not in text.casefold()]
    texts = wrong or WRONG_ANSWERS
    return texts[int(unit(profile.seed, "wrong", trial) * len(texts))]


def fault_of(profile: Profile, identity: Identity) -> Step | None:
    """
    Return the fault that meets this request, as a step; None: an answer.
    """
    drawn = unit(profile.seed, "fault", *_parts(identity))
    for field in FAULT_RATES:
        rate = getattr(profile, field)
        if drawn < rate:
            return _fault(profile, field, in_middle=drawn >= rate / 2)
        drawn -= rate
    return None


def _fault(profile: Profile, rate_field: str, *, in_middle: bool) -> Step:
    """
    Return the fault that *rate_field* is the rate of, as a step.
    """
    if rate_field == "rate_drop":
        return Step(drop="middle" if in_middle else "before")
    if rate_field == "rate_429":
        return Step(status=429, retry_after_s=profile.retry_after_s)
    return Step(status=int(rate_field.removeprefix("rate_")))


def latency_s_of(profile: Profile, identity: Identity) -> float:
    """
    Return the seconds until the answer is complete.

    The lognormal factor comes from two uniform numbers by the Box-Muller transform.
    """
    if not profile.latency_sigma:
        return profile.latency_s
    radius = 1.0 - unit(profile.seed, "latency-radius", *_parts(identity))
    angle = unit(profile.seed, "latency-angle", *_parts(identity))
    normal = math.sqrt(-2.0 * math.log(radius)) * math.cos(math.tau * angle)
    return profile.latency_s * math.exp(profile.latency_sigma * normal)


def _parts(identity: Identity) -> tuple[object, ...]:
    """
    Return the identity as parts of a hash.
    """
    return (identity.trial, identity.attempt, identity.request_number)
