"""
Runs whose trials a model judges: agent and judge are both simulated.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes.runs import ENVIRON, texts

from reliability.checks.judge import Judge
from reliability.run import run
from reliability.settings import Settings
from reliability.suite import Case, Suite, Weighed

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult

FOR = {"text": 'It does. {"reason": "it is friendly", "pass": true}'}
AGAINST = {"text": 'It does not. {"reason": "it is rude", "pass": false}'}


def judged_suite(
    folder: Path,
    *steps: dict[str, Any],
    judge: Judge | None = None,
    others: tuple[Weighed, ...] = (),
    **given: str,
) -> Suite:
    """
    Return a suite of one case that a judge grades, and who plays the judge.

    Args:
        steps: What the judge's simulator does; a vote for the answer when there are
            none.
        others: More checks, before the judge.
    """
    settings = Settings.from_text(texts(folder, expect="", **given))
    script = folder / "judge.json"
    script.write_text(json.dumps(steps or [FOR]), encoding="utf-8")
    asked = Weighed(check=judge or Judge(rubric="It is friendly."))
    case = Case(name="judged", settings=settings, checks=(*others, asked))
    who = replace(settings, model="a-judge", simulator=f"latency=0,script={script}")
    return Suite(cases=(case,), judge=who)


def run_judged(folder: Path, *steps: dict[str, Any], **given: Any) -> RunResult:
    """
    Run such a suite and return the result.
    """
    suite = judged_suite(folder, *steps, **given)
    settings = suite.cases[0].settings
    return run(settings, suite=suite, environ=ENVIRON, workspace=folder)
