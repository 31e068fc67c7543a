r"""
A profile: everything that decides how the simulator behaves, in one value.

It promises that a profile which exists is valid: the constructor and `Profile.parse`
refuse wrong values and name all of them at once. Parsing takes one line of text, so
that a flag, an environment variable and a test can say the same:

    pass-rate=0.9,latency=0.2,rate-429=0.05,seed=7

Units are left out of the keys there (seconds for `latency` and `retry-after`). A comma
inside a value is written `\,`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from reliability.errors import UsageError
from reliability.simulator.script import MAX_WAIT_S, Step, is_wait_s, load_script
from reliability.simulator.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAULT_RATES = ("rate_429", "rate_529", "rate_500", "rate_drop")
_LEAST = {
    "requests_per_minute": 0,
    "burst": 1,
    "input_tokens_per_minute": 0,
    "output_tokens_per_minute": 0,
    "token_burst": 0,
}
# exp(5 sigma) is still a number of seconds then; beyond it a draw means nothing.
MAX_LATENCY_SIGMA = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    How the simulator behaves.

    Args:
        seed: Any integer; every random decision is a function of it.
        pass_rate: Chance, by trial, that the answer is the right one, from 0 to 1.
        latency_s: Median seconds before an answer is complete.
        latency_sigma: Sigma of a lognormal factor with median 1; 0: always the same.
        rate_429: Chance, by attempt, of a rate limit error.
        rate_529: Chance, by attempt, of an overload error.
        rate_500: Chance, by attempt, of an internal error.
        rate_drop: Chance, by attempt, that the connection is reset before the answer
            or in the middle of it.
        retry_after_s: The `retry-after` header of random 429s; None: no 429 at all
            carries the header, also not those of the limits below.
        requests_per_minute: The refill rate of a token bucket; 0: no limit.
        burst: How many requests the full bucket holds.
        input_tokens_per_minute: The same for the tokens of requests; 0: no limit.
        output_tokens_per_minute: The same for the tokens of answers, taken when a
            request is admitted; 0: no limit.
        token_burst: How many tokens each of these two buckets holds when it is full;
            0: a minute's worth.
        answer: The right answer.
        script: Steps that replace the random faults; empty: none.

    Raises:
        UsageError: names every value that is out of its range.
    """

    seed: int = 1
    pass_rate: float = 0.9
    latency_s: float = 0.2
    latency_sigma: float = 0.0
    rate_429: float = 0.0
    rate_529: float = 0.0
    rate_500: float = 0.0
    rate_drop: float = 0.0
    retry_after_s: float | None = 1.0
    requests_per_minute: int = 0
    burst: int = 10
    input_tokens_per_minute: int = 0
    output_tokens_per_minute: int = 0
    token_burst: int = 0
    answer: str = "Hello! I am the agent you asked for, and all is well."
    script: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        problems = _problems({f.name: getattr(self, f.name) for f in fields(self)})
        if problems:
            raise UsageError(problems)

    @classmethod
    def parse(cls, text: str) -> Profile:
        """
        Make a profile from `key=value` pairs with commas between them.

        Keys that are left out keep their defaults; an empty text is the default
        profile. `retry-after=none` sends no header, `script=PATH` reads a script.

        Raises:
            UsageError: names every wrong pair, with the nearest key for a misspelt
                one, and every value out of its range.
        """
        values, problems = _read_pairs(text)
        defaults = {f.name: f.default for f in fields(cls)}
        problems.extend(_problems({**defaults, **values}))
        if problems:
            raise UsageError(problems)
        return cls(**values)  # type: ignore[arg-type]  # _problems checked each one


def _read_pairs(text: str) -> tuple[dict[str, object], list[str]]:
    """
    Return the values by field name that *text* gives, and what is wrong with it.
    """
    values: dict[str, object] = {}
    problems: list[str] = []
    for pair in re.split(r"(?<!\\),", text):
        if not pair.strip():
            continue
        key, equals, raw = (part.strip() for part in pair.partition("="))
        if key not in _KEYS:
            hint = did_you_mean(key, list(_KEYS))
            problems.append(f"There is no simulator setting {key!r}. {hint}")
            continue
        name, kind, convert = _KEYS[key]
        if not equals:
            problems.append(f"{key!r} has no value. Write {key}=VALUE.")
        elif name in values:
            problems.append(f"{key!r} is given twice.")
        else:
            try:
                values[name] = convert(raw.replace("\\,", ","))
            except UsageError as error:
                problems.extend(error.problems)
            except (ValueError, OverflowError):
                problems.append(f"{key} is {raw!r}, which is not {kind}.")
    return values, problems


def _seconds_or_none(raw: str) -> float | None:
    """
    Convert a number of seconds, or the word `none`.
    """
    return None if raw.lower() == "none" else float(raw)


def _script_from(raw: str) -> tuple[Step, ...]:
    """
    Read the script file that *raw* names.
    """
    return load_script(Path(raw))


def _problems(values: Mapping[str, object]) -> list[str]:
    """
    Return a sentence for each value that is not of its kind or out of its range.
    """
    problems: list[str] = []

    def expect(name: str, what: str, *, holds: bool) -> None:
        if not holds:
            problems.append(
                f"{_KEY_OF[name]} is {values[name]!r}, which is not {what}."
            )

    expect("seed", "a whole number", holds=_is_whole(values["seed"], least=-math.inf))
    for name in ("pass_rate", *FAULT_RATES):
        expect(name, "a number from 0 to 1", holds=_is_rate(values[name]))
    seconds = f"a number from 0 to {MAX_WAIT_S}"
    expect("latency_s", seconds, holds=is_wait_s(values["latency_s"]))
    sigma = values["latency_sigma"]
    holds = isinstance(sigma, int | float) and 0 <= sigma <= MAX_LATENCY_SIGMA
    expect("latency_sigma", f"a number from 0 to {MAX_LATENCY_SIGMA:g}", holds=holds)
    wait_s = values["retry_after_s"]
    holds = wait_s is None or is_wait_s(wait_s)
    expect("retry_after_s", f"{seconds}, or none", holds=holds)
    for name, least in _LEAST.items():
        what = f"a whole number from {least} up"
        expect(name, what, holds=_is_whole(values[name], least=least))
    expect("answer", "a text", holds=isinstance(values["answer"], str))
    script = values["script"]
    holds = isinstance(script, tuple) and all(isinstance(s, Step) for s in script)
    expect("script", "a tuple of steps", holds=holds)
    problems.extend(_problems_of_rates(values))
    return problems


def _problems_of_rates(values: Mapping[str, object]) -> list[str]:
    """
    Return what is wrong with the fault rates taken together.
    """
    rates = {
        _KEY_OF[name]: rate
        for name in FAULT_RATES
        if isinstance(rate := values[name], int | float) and _is_rate(rate) and rate
    }
    problems = []
    # A sum such as 0.3 + 0.3 + 0.4 may come out a rounding error above 1.
    if sum(rates.values()) > 1 + 1e-9:
        problems.append(f"{', '.join(rates)} add up to more than 1.")
    if rates and values["script"]:
        problems.append(
            f"script and {', '.join(rates)} exclude each other: with a script, "
            "its steps are the faults."
        )
    return problems


def _is_rate(value: object) -> bool:
    """
    Return whether *value* is a probability.
    """
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= 1
    )


def _is_whole(value: object, *, least: float) -> bool:
    """
    Return whether *value* is an integer of at least *least*.
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


# By key: the field, what a value is called in an error, and how it is read.
_KEYS: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "seed": ("seed", "a whole number", int),
    "pass-rate": ("pass_rate", "a number", float),
    "latency": ("latency_s", "a number", float),
    "latency-sigma": ("latency_sigma", "a number", float),
    "rate-429": ("rate_429", "a number", float),
    "rate-529": ("rate_529", "a number", float),
    "rate-500": ("rate_500", "a number", float),
    "rate-drop": ("rate_drop", "a number", float),
    "retry-after": ("retry_after_s", "a number or none", _seconds_or_none),
    "requests-per-minute": ("requests_per_minute", "a whole number", int),
    "burst": ("burst", "a whole number", int),
    "input-tokens-per-minute": ("input_tokens_per_minute", "a whole number", int),
    "output-tokens-per-minute": ("output_tokens_per_minute", "a whole number", int),
    "token-burst": ("token_burst", "a whole number", int),
    "answer": ("answer", "a text", str),
    "script": ("script", "a path", _script_from),
}
_KEY_OF = {name: key for key, (name, _, _) in _KEYS.items()}
