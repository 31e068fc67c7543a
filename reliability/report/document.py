"""
The results as a JSON document for programs: `results.json`.

Its form is published as JSON Schema in `schema/results.schema.json`; `schema` grows
when a field changes its meaning. The document comes in pieces, one trial at a time, and
is what `json.dumps` with an indent of two makes of the same data.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from reliability.model import SCHEMA_VERSION
from reliability.run_result import TrialResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.run_result import CaseResult, RunResult

_TRIAL_FIELDS = tuple(field.name for field in fields(TrialResult))
_ENCODERS = {
    depth: json.JSONEncoder(
        allow_nan=False, separators=(",\n" + " " * (depth + 2), ": ")
    )
    for depth in (4, 8)
}
_NO_CHECKS = '\n      "checks": []'
_PLACE = '\n  "trials": []'
"""Where the trials stand, and above where checks do: no text of a value can look so,
since it has no newline in JSON."""


def document(result: RunResult) -> dict[str, Any]:
    """
    Return the results as JSON-like data, but without the trials: their list is empty.
    """
    known = {field.name: getattr(result, field.name) for field in fields(result)}
    tally = asdict(known.pop("tally"))
    return {
        "schema": SCHEMA_VERSION,
        "simulated": known.pop("simulated"),
        "verdict": known.pop("verdict"),
        "reason": known.pop("reason"),
        "pass_rate": result.tally.pass_rate,
        "counts": {**tally, "not_run": result.tally.not_run},
        **known,
        "cases": [_case(case) for case in result.cases],
        "usage": asdict(result.usage),
        "trials": [],
    }


def _case(case: CaseResult) -> dict[str, Any]:
    """
    Return what came of a case as one flat object, its counts aside.
    """
    known = {field.name: getattr(case, field.name) for field in fields(case)}
    tally, plan = known.pop("tally"), known.pop("plan")
    counts = {**asdict(tally), "not_run": tally.not_run}
    return {**asdict(plan), "pass_rate": tally.pass_rate, "counts": counts, **known}


def json_pieces(result: RunResult) -> Iterator[str]:
    """
    Yield the document as text in ASCII, ending with a newline.
    """
    text = json.dumps(document(result), indent=2, allow_nan=False)
    before, _, after = text.partition(_PLACE)
    yield before
    between = '\n  "trials": [\n'
    for trial in result.trials:
        yield between + _trial_text(trial)
        between = ",\n"
    yield f"\n  ]{after}\n" if result.trials else f"{_PLACE}{after}\n"


def _trial_text(trial: TrialResult) -> str:
    """
    Return a trial as it stands in the list.

    Its fields are one flat object each time, so the quick encoder, which knows no
    indent, can be told of it as a separator.
    """
    flat = {name: getattr(trial, name) for name in _TRIAL_FIELDS}
    text = _indented({**flat, "checks": []}, 4)
    if not trial.checks:
        return text
    checks = ",\n".join(_indented(asdict(check), 8) for check in trial.checks)
    before, _, after = text.partition(_NO_CHECKS)
    return f'{before}\n      "checks": [\n{checks}\n      ]{after}'


def _indented(members: dict[str, Any], depth: int) -> str:
    """
    Return a flat object on lines of its own, its braces *depth* blanks from the margin.
    """
    margin = "\n" + " " * depth
    text = _ENCODERS[depth].encode(members)[1:-1]
    return f"{margin[1:]}{{{margin}  {text}{margin}}}"
