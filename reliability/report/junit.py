"""
The results as JUnit XML, in the dialect that CI systems read.

A trial that could not be measured is an `error`, one that failed is a `failure`: the
difference between the two is the point of this project. One that the end of the run cut
off is `skipped`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reliability.escape import visible
from reliability.kinds import CUT_KINDS
from reliability.model import Outcome
from reliability.report.words import ANSWER_CUT, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.run_result import RunResult, TrialResult

_END = "</testsuite>"


def junit(result: RunResult) -> Iterator[str]:
    """
    Yield the document, one trial at a time, ending with a newline.
    """
    tally = result.tally
    suite = ET.Element(
        "testsuite",
        name=visible(f"reliability of {title(result)}"),
        tests=str(len(result.trials)),
        failures=str(tally.failed),
        errors=str(tally.invalid - tally.cut + tally.unknown),
        skipped=str(tally.cut),
        time=f"{result.duration_s:.3f}",
        timestamp=result.started_utc,
    )
    opening = ET.tostring(suite, encoding="unicode", short_empty_elements=False)
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n{opening.removesuffix(_END)}'
    if result.simulated:
        yield _text(_properties(simulated="true"), level=1)
    for trial in result.trials:
        yield _text(_case(trial), level=1)
    yield f"\n{_END}\n"


def _case(trial: TrialResult) -> ET.Element:
    """
    Return a trial as a test case, with what it answered unless it passed.
    """
    case = ET.Element(
        "testcase",
        classname=visible(trial.case),
        name=f"loop {trial.loop}",
        time=f"{trial.duration_s:.3f}",
    )
    if trial.reused_from:
        changed = {"changed": "true"} if trial.changed else {}
        case.append(_properties(reused_from=trial.reused_from, **changed))
    if trial.outcome is Outcome.PASS:
        return case
    if trial.kind in CUT_KINDS:
        ET.SubElement(case, "skipped", message=visible(trial.reason))
        return case
    tag = "failure" if trial.outcome is Outcome.FAIL else "error"
    problem = ET.SubElement(case, tag, message=visible(trial.reason), type=trial.kind)
    cut = f"\n({ANSWER_CUT})" if trial.answer_cut else ""
    problem.text = visible(trial.answer) + cut
    return case


def _properties(**values: str) -> ET.Element:
    found = ET.Element("properties")
    for name, value in values.items():
        ET.SubElement(found, "property", name=name, value=visible(value))
    return found


def _text(element: ET.Element, *, level: int) -> str:
    """
    Return an element on lines of its own, indented as deep as it stands.
    """
    ET.indent(element, level=level)
    return "\n" + "  " * level + ET.tostring(element, encoding="unicode")
