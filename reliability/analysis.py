"""
How consistent the trials of a log are, case by case.

Computed from the log alone, in time linear in its trials, and the same whatever order
they ended in. Trials that were not measured are left out and counted. Of an answer, its
first 20,000 characters are looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reliability.checks.delegation import relay_fidelity
from reliability.consistency.agreement import Agreement, agreement
from reliability.consistency.modes import modes_of
from reliability.consistency.spread import Paths, Resource, evenness, paths, resource
from reliability.consistency.texts import (
    normalised,
    similarity,
    unit_vector,
    words,
)
from reliability.journal.schema import (
    FIELD_ERRORS,
    malformed_error,
    no_beginning_error,
    read_run_events,
)
from reliability.kept import KeptReader, KeptTrial
from reliability.model import Outcome
from reliability.transcript import SUBAGENT_TOOLS, StepKind, read_logged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MOST_CHARACTERS = 20_000
_OUTLIERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeFinding:
    """
    A group of answers that say nearly the same.

    Args:
        typical: Number of the first trial that gave its most frequent answer.
        sample: The beginning of that answer, normalised.
    """

    trials: int
    passed: int
    typical: int
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnalysis:
    """
    What the trials of one case have in common.

    Args:
        agreement: None for fewer than two trials.
        mean_similarity: Of all pairs of answers; None for fewer than two trials.
        outliers: Trials whose answers are least like the others', with their mean
            similarity; the first is the most unusual one.
        evenness: exp(-mean variation) over what the trials took.
        tools: Over the trials that passed.
        delegated: Share of the trials that called a subagent; None when none did.
        relayed: Mean share of the subagents' last words that the answers carry; None
            where it is not known.
        left_out: Trials that were not measured.
    """

    name: str
    trials: int
    left_out: int
    agreement: Agreement | None
    modes: tuple[ModeFinding, ...]
    mean_similarity: float | None
    outliers: tuple[tuple[int, float], ...]
    resources: Mapping[str, Resource]
    evenness: float | None
    tools: Paths
    delegated: float | None
    relayed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """
    A log's cases.
    """

    run_id: str
    simulated: bool
    cases: tuple[CaseAnalysis, ...]


@dataclass(slots=True)
class _Trial:
    """
    What is kept of one trial.
    """

    number: int
    passed: bool
    answer: str
    tools: tuple[str, ...] = ()
    subagents: int = 0
    relayed: float | None = None
    took: dict[str, float] = field(default_factory=dict)


def analyse(log: Path) -> Analysis:
    """
    Analyse a log; one without an end as far as it goes.

    Raises:
        JournalError: when it cannot be read.
    """
    trials: dict[str, dict[int, _Trial]] = defaultdict(dict)
    ended: Counter[str] = Counter()
    last: dict[int, Mapping[str, Any]] = {}
    reader = KeptReader()
    try:
        for event in read_run_events(log):
            kept, fields = reader.take(event), event.fields
            if event.event == "attempt_finished":
                last[fields["trial"]] = fields
            elif event.event in {"trial_finished", "trial_reused"}:
                attempt = last.pop(fields["trial"], {})
                ended[fields["case"]] += 1
                if kept is not None:
                    trials[kept.case][kept.trial] = _trial(kept, attempt)
        if not reader.run_id:
            raise no_beginning_error(log)
        names = [case["name"] for case in reader.start["cases"]]
        simulated = bool(reader.start["simulated"])
    except FIELD_ERRORS as error:
        raise malformed_error(log, error) from None
    return Analysis(
        run_id=reader.run_id,
        simulated=simulated,
        cases=tuple(
            _case(
                name,
                [one for _, one in sorted(trials[name].items())],
                ended[name] - len(trials[name]),
            )
            for name in names
        ),
    )


def _trial(kept: KeptTrial, attempt: Mapping[str, Any]) -> _Trial:
    """
    Return what is looked at.

    Args:
        attempt: The event of its last one; empty for a trial that was taken over.
    """
    took = {
        "time": kept.duration_s,
        "cost": kept.cost_usd or 0.0,
        "tokens": sum(kept.usage.values()),
        "turns": kept.turns or 0,
    }
    return _Trial(
        number=kept.trial,
        passed=kept.outcome is Outcome.PASS,
        answer=normalised(kept.answer[:MOST_CHARACTERS]),
        tools=tuple(attempt.get("tool_calls", ())),
        subagents=len(attempt.get("subagents", ())),
        relayed=_relayed(attempt, kept.answer),
        took={name: float(value) for name, value in took.items()},
    )


def _relayed(attempt: Mapping[str, Any], answer: str) -> float | None:
    """
    Return how much of what the last subagent returned the answer carries.
    """
    if not attempt.get("subagents") or not attempt.get("transcript"):
        return None
    steps = read_logged(attempt["transcript"])
    calls = {step.call_id for step in steps if step.tool in SUBAGENT_TOOLS}
    found = [
        step.text
        for step in steps
        if step.kind is StepKind.RETURN and step.call_id in calls and not step.is_error
    ]
    return relay_fidelity(found[-1], answer) if found else None


def _case(name: str, trials: Sequence[_Trial], left_out: int) -> CaseAnalysis:
    counts = Counter(trial.answer for trial in trials)
    known = {text: unit_vector(words(text)) for text in counts}
    found = similarity([known[trial.answer] for trial in trials])
    ranked = sorted(
        zip(found.to_others, trials, strict=True),
        key=lambda pair: (round(pair[0], 9), pair[1].number),
    )
    names = ("time", "cost", "tokens", "turns")
    resources = {one: resource([trial.took[one] for trial in trials]) for one in names}
    resources = {one: value for one, value in resources.items() if value.trials}
    return CaseAnalysis(
        name=name,
        trials=len(trials),
        left_out=left_out,
        agreement=agreement(counts.values()) if len(trials) > 1 else None,
        modes=tuple(_modes(trials, counts)),
        mean_similarity=found.mean,
        outliers=tuple((trial.number, value) for value, trial in ranked[:_OUTLIERS])
        if len(trials) > 1
        else (),
        resources=resources,
        evenness=evenness(resources),
        tools=_tools(trials),
        delegated=_share(trial.subagents > 0 for trial in trials),
        relayed=_mean(one.relayed for one in trials if one.relayed is not None),
    )


def _tools(trials: Sequence[_Trial]) -> Paths:
    """
    Return how alike the tools of passing trials are; nothing where none was used.
    """
    found = [trial.tools for trial in trials if trial.passed]
    return paths(found if any(found) else ())


def _modes(
    trials: Sequence[_Trial], counts: Mapping[str, int]
) -> Iterable[ModeFinding]:
    first: dict[str, int] = {}
    passed: Counter[str] = Counter()
    for trial in trials:
        first.setdefault(trial.answer, trial.number)
        passed[trial.answer] += trial.passed
    for mode in modes_of(counts):
        leader = mode.texts[0]
        yield ModeFinding(
            trials=mode.size,
            passed=sum(passed[text] for text in mode.texts),
            typical=first[leader],
            sample=leader[:200],
        )


def _share(values: Iterable[bool]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if any(found) else None


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None
