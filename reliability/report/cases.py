"""
The cases of a suite in words, for whoever shows facts in rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.model import Verdict

if TYPE_CHECKING:
    from reliability.run_result import CaseResult, RunResult

_WORST_FIRST = (Verdict.FAIL, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.PASS)
_MOST_CASES = 40


def case_rows(result: RunResult) -> list[tuple[str, str]]:
    """
    Return a row for the suite and for each case, those that did not pass first.
    """
    suite = result.options.get("suite")
    if not suite:
        return []
    by_verdict = {verdict: at for at, verdict in enumerate(_WORST_FIRST)}
    ranked = sorted(result.cases, key=lambda case: by_verdict[case.verdict])
    rows = [
        ("Suite", f"{suite}, {len(ranked)} {'case' if len(ranked) == 1 else 'cases'}")
    ]
    rows += [("Case", _case(case)) for case in ranked[:_MOST_CASES]]
    if len(ranked) > _MOST_CASES:
        rows.append(("Case", f"and {len(ranked) - _MOST_CASES} more, in results.json"))
    return [*rows, *(("Tag", text) for text in _tags(result))]


def _tags(result: RunResult) -> list[str]:
    """
    Return the sum over the cases of each tag, in a line; a tag has no verdict.
    """
    tags = dict.fromkeys(tag for case in result.cases for tag in case.plan.tags)
    lines = []
    for tag in tags:
        cases = [case for case in result.cases if tag in case.plan.tags]
        passed = sum(case.tally.passed for case in cases)
        measured = sum(case.tally.measured for case in cases)
        lines.append(f"{tag}: {passed} of {measured} passed")
    return lines


def _case(case: CaseResult) -> str:
    """
    Return verdict, name and numbers of a case in one line.
    """
    tally = case.tally
    said = f"{case.verdict.upper()} {case.plan.name}: {tally.passed} of "
    said += f"{tally.measured} passed"
    if tally.missing:
        said += f", {tally.missing} not measured"
    bounds = f"at least {case.lower:.1%}, at most {case.upper:.1%}"
    score = case.mean_score
    if score is not None and tally.pass_rate is not None and score != tally.pass_rate:
        bounds += f"; mean score {score:.2f}"
    return f"{said} ({bounds})"
