"""
What a run would probably cost and take, before anything is called.

The best basis is an earlier run of the same agent, prompt and model: its log is looked
for in the output folder. Without one, a Messages API call has an upper bound from the
price table; everything else is not known before the first answer, and is said to be so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from reliability.agents.prices import load_prices
from reliability.choices import Backend
from reliability.errors import ReliabilityError
from reliability.journal import read_events
from reliability.model import Usage
from reliability.results import read_result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reliability.settings import Settings

_LOGS_LOOKED_AT = 20
_CHARACTERS_A_TOKEN = 4  # Of English text, roughly; other text has more tokens.


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """
    Numbers of a run that has not begun.

    Args:
        cost_usd: Of all trials with one attempt each; None when not known.
        is_upper_bound: The cost is the most that it can be, not the most likely.
        time_s: Wall time; None when not known.
        most_time_s: When every attempt took the whole timeout.
        basis: What the numbers rest on, in words.
        trials_in_caps: How many trials the caps would let run; None for all.
    """

    trials: int
    workers: int
    cost_usd: float | None
    is_upper_bound: bool
    time_s: float | None
    most_time_s: float
    basis: str
    trials_in_caps: int | None


@dataclass(frozen=True, slots=True)
class _Means:
    """
    Of one trial.
    """

    cost_usd: float | None
    tokens: float | None
    duration_s: float | None
    basis: str
    is_upper_bound: bool = False


def estimate(settings: Settings, *, workers: int) -> Estimate:
    """
    Return what is known of the run that the options describe; reads, never writes.
    """
    means = _earlier(settings) or _priced(settings) or _unknown()
    trials = settings.loops
    return Estimate(
        trials=trials,
        workers=workers,
        cost_usd=None if means.cost_usd is None else trials * means.cost_usd,
        is_upper_bound=means.is_upper_bound,
        time_s=_time_s(settings, means.duration_s, workers),
        most_time_s=_time_s(settings, settings.timeout, workers) or 0.0,
        basis=means.basis,
        trials_in_caps=_trials_in_caps(settings, means),
    )


def together(parts: Sequence[Estimate]) -> Estimate:
    """
    Return the estimate of a run of several cases; what one does not know, none does.
    """
    if len(parts) == 1:
        return parts[0]
    costs = [part.cost_usd for part in parts]
    times = [part.time_s for part in parts]
    bases = dict.fromkeys(part.basis for part in parts)
    return Estimate(
        trials=sum(part.trials for part in parts),
        workers=parts[0].workers,
        cost_usd=None if None in costs else sum(filter(None, costs)),
        is_upper_bound=any(part.is_upper_bound for part in parts),
        time_s=None if None in times else sum(filter(None, times)),
        most_time_s=sum(part.most_time_s for part in parts),
        basis=next(iter(bases)) if len(bases) == 1 else "other things for each case",
        trials_in_caps=None,
    )


def _time_s(settings: Settings, trial_s: float | None, workers: int) -> float | None:
    """
    Return the wall time when each trial takes *trial_s*.
    """
    if trial_s is None:
        return None
    total_s = math.ceil(settings.loops / workers) * trial_s
    if not settings.parallel:
        total_s += (settings.loops - 1) * settings.delay
    if settings.requests_per_minute is not None:
        spaced_s = (settings.loops - 1) * 60 / settings.requests_per_minute
        total_s = max(total_s, spaced_s + trial_s)
    return total_s


def _trials_in_caps(settings: Settings, means: _Means) -> int | None:
    """
    Return how many trials fit under the caps; None when all do, or when nobody knows.
    """
    fits = [
        int(cap / mean)
        for cap, mean in (
            (settings.max_cost_usd, means.cost_usd),
            (settings.max_tokens, means.tokens),
        )
        if cap is not None and mean
    ]
    fewest = min(fits, default=settings.loops)
    return fewest if fewest < settings.loops else None


def _earlier(settings: Settings) -> _Means | None:
    """
    Return the means of the newest earlier run of the same agent, prompt and model.
    """
    for log in islice(_logs(settings.output_dir), _LOGS_LOOKED_AT):
        try:
            start = next(iter(read_events(log))).fields
            asked = (start["agent"], start["backend"], start["prompt"])
            model = start["options"]["model"]
            if (*asked, model) != (
                settings.agent,
                settings.backend,
                settings.prompt,
                settings.model,
            ):
                continue
            result = read_result(log)
        except (ReliabilityError, StopIteration, LookupError, TypeError, OSError):
            continue  # A log that cannot be read is no basis.
        measured = result.tally.measured
        if measured:
            cost_usd = result.cost_usd
            return _Means(
                cost_usd=None if cost_usd is None else cost_usd / measured,
                tokens=result.usage.total_tokens / measured,
                duration_s=result.worked_s / measured,
                basis=f"the {measured} measured trials in {log.name}",
            )
    return None


def _logs(folder: Path) -> Iterator[Path]:
    """
    Yield the logs in *folder*, the newest first; their names hold the time.
    """

    def moment(path: Path) -> str:
        """
        Return the time in a log's name.
        """
        return path.stem.rsplit("_", 2)[-2] if path.stem.count("_") >= 2 else ""

    yield from sorted(folder.glob("*.jsonl"), key=moment, reverse=True)


def _priced(settings: Settings) -> _Means | None:
    """
    Return the most that a Messages API call can cost, if the model's price is known.
    """
    if settings.backend is not Backend.MESSAGES:
        return None
    tokens_in = math.ceil(len(settings.prompt) / _CHARACTERS_A_TOKEN)
    usage = Usage(input_tokens=tokens_in, output_tokens=settings.max_output_tokens)
    cost_usd = load_prices(settings.prices).cost_usd(settings.model, usage)
    return _Means(
        cost_usd=cost_usd,
        tokens=float(tokens_in + settings.max_output_tokens),
        duration_s=None,
        basis=f"about {tokens_in} input tokens and at most "
        f"{settings.max_output_tokens} output tokens a trial",
        is_upper_bound=True,
    )


def _unknown() -> _Means:
    basis = "no earlier run of the same agent, prompt and model in the output folder"
    return _Means(cost_usd=None, tokens=None, duration_s=None, basis=basis)
