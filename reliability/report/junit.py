"""
The results as JUnit XML, in the dialect that CI systems read.

A trial that could not be measured is an `error`, one that failed is a `failure`: the
difference between the two is the point of this project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reliability.escape import visible
from reliability.model import Outcome
from reliability.report.words import ANSWER_CUT, title

if TYPE_CHECKING:
    from reliability.run_result import RunResult, TrialResult


def junit(result: RunResult) -> str:
    """
    Return the document, ending with a newline.
    """
    tally = result.tally
    suite = ET.Element(
        "testsuite",
        name=visible(f"reliability of {title(result)}"),
        tests=str(len(result.trials)),
        failures=str(tally.failed),
        errors=str(tally.invalid + tally.unknown),
        time=f"{result.duration_s:.3f}",
        timestamp=result.started_utc,
    )
    if result.simulated:
        properties = ET.SubElement(suite, "properties")
        ET.SubElement(properties, "property", name="simulated", value="true")
    for trial in result.trials:
        _add_trial(suite, trial)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _add_trial(suite: ET.Element, trial: TrialResult) -> None:
    """
    Add a trial as a test case, with what it answered unless it passed.
    """
    case = ET.SubElement(
        suite,
        "testcase",
        classname=visible(trial.case),
        name=f"loop {trial.loop}",
        time=f"{trial.duration_s:.3f}",
    )
    if trial.outcome is Outcome.PASS:
        return
    tag = "failure" if trial.outcome is Outcome.FAIL else "error"
    problem = ET.SubElement(case, tag, message=visible(trial.reason), type=trial.kind)
    cut = f"\n({ANSWER_CUT})" if trial.answer_cut else ""
    problem.text = visible(trial.answer) + cut
