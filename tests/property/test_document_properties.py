"""
The results' document: streamed, and the same text as one dump of the same data.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from fakes.runs import run_simulated
from fakes.trials import a_trial, stored
from hypothesis import HealthCheck, given, settings

from reliability.model import CheckResult, Outcome
from reliability.report.document import document, json_pieces

if TYPE_CHECKING:
    from reliability.run_result import RunResult

PLACES = ['\n  "trials": []', '"trials": []', '\n      "checks": []', '"checks": []']
TEXTS = st.text() | st.sampled_from(PLACES)
CHECKS = st.lists(
    st.builds(CheckResult, check=TEXTS, passed=st.booleans(), reason=TEXTS), max_size=3
)
TRIALS = st.builds(
    a_trial,
    st.integers(1, 99),
    outcome=st.sampled_from(Outcome),
    answer=TEXTS,
    reason=TEXTS,
    cost_usd=st.none() | st.floats(0, 1e9),
    checks=CHECKS.map(tuple),
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make one run.
    """
    return run_simulated(Path(tmp_path_factory.mktemp("run")), loops="1")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TRIALS, max_size=4), TEXTS, st.lists(TEXTS, max_size=2))
def test_pieces_are_one_dump_of_the_same_data(
    result: RunResult, trials: list[object], prompt: str, warnings: list[str]
) -> None:
    """
    Whatever texts the run holds, also those that look like the frame.
    """
    made = replace(
        result,
        trials=stored(*trials),  # type: ignore[arg-type]
        prompt=prompt,
        warnings=tuple(warnings),
        options={"trials": [], "checks": [], "prompt": prompt},
    )
    whole = {**document(made), "trials": [asdict(trial) for trial in made.trials]}

    expected = json.dumps(whole, indent=2, allow_nan=False) + "\n"

    assert expected == "".join(json_pieces(made))
