"""
The benchmarks' own arithmetic: ideals, medians, ratios, and what gets into the page.

No peer is imported and nothing is measured here.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from benchmarks.side_by_side import document, goals, tables
from benchmarks.side_by_side.contenders import CONTENDERS
from benchmarks.side_by_side.figures import Figures, group, ratio, show, wall_s
from benchmarks.side_by_side.machine import foreign_share
from benchmarks.side_by_side.rows import Row, add_row, forget, read_rows
from benchmarks.side_by_side.scenario import BY_NAME, SCENARIOS, Scenario

ADAPTERS = Path(__file__).parents[1] / "benchmarks/side_by_side/adapters"
SERVER = {"answered": 500, "wrong_answers": 50, "by_status": {"200": 500}}


def row(**changes: Any) -> Row:
    """
    Make a row of ours in A that took 2.2 s and agrees with its server.
    """
    values: dict[str, Any] = {
        "scenario": "A",
        "contender": "ours",
        "round": 1,
        "calls": 500,
        "at_utc": "2026-11-23T20:00:00Z",
        "commit": "0123456789ab",
        "wall_s": 2.2,
        "cpu_s": 0.25,
        "peak_rss_mib": 30.0,
        "counts": {"passed": 450, "failed": 50, "lost": 0},
        "server": SERVER,
    }
    return Row(**values | changes)


def page(rows: list[Row]) -> str:
    """
    Write the page of a machine that is not asked for.
    """
    return document.write(rows, machine="2 cores", versions="inspect_ai 1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A", 2.0),
        ("B", 1.0),
        ("C", 29.3),
        ("C-closed", 48.3),
        ("D", 1.2),
        ("claude-limit", 35.5),
    ],
)
def test_ideal_is_what_latency_rounds_and_limit_allow(
    name: str, expected: float
) -> None:
    """
    The ideal is computed from latency, workers, limit and burst.
    """
    ideal_s = BY_NAME[name].ideal_s

    assert expected == pytest.approx(ideal_s)


@given(st.sampled_from(SCENARIOS), st.integers(min_value=1, max_value=30))
def test_smaller_scenario_never_has_more_than_was_asked_for(
    scenario: Scenario, calls: int
) -> None:
    """
    A smoke test makes at most the calls that it was given, and needs no more workers.
    """
    small = scenario.sized(calls)

    assert small.calls <= calls
    assert small.workers <= max(1, calls)


@given(
    st.lists(st.floats(min_value=0.01, max_value=1e4), min_size=1, max_size=9),
    st.randoms(use_true_random=False),
)
def test_median_does_not_depend_on_the_order_of_rounds(
    walls_s: list[float], chance: Any
) -> None:
    """
    The rounds' order changes no median, and as many rounds lie below it as above.
    """
    shuffled = chance.sample(walls_s, len(walls_s))
    median = Figures(rows=tuple(row(wall_s=w) for w in walls_s)).median(wall_s)
    again = Figures(rows=tuple(row(wall_s=w) for w in shuffled)).median(wall_s)

    assert median == again
    assert median is not None
    assert sum(w < median for w in walls_s) == sum(w > median for w in walls_s) or (
        walls_s.count(median) > 1
    )


def test_ratio_to_nothing_is_no_number() -> None:
    """
    Where one side was not measured there is no ratio.
    """
    found = [ratio(1.0, None), ratio(None, 1.0), ratio(1.0, 0.0), ratio(3.0, 2.0)]

    assert [None, None, None, 1.5] == found


def test_number_that_is_not_there_is_a_dash() -> None:
    """
    A table never shows a made-up 0.
    """
    shown = [show(None), show(0.0), show(1234.5, 0), show(0.126)]

    assert ["-", "0.00", "1,234", "0.13"] == shown


def test_run_that_lost_calls_has_no_ratio_to_the_ideal() -> None:
    """
    Giving calls up is not a way to be fast.
    """
    lossy = row(counts={"passed": 400, "failed": 50, "lost": 50})
    whole = tables.table_of(BY_NAME["A"], [row()])
    partial = tables.table_of(BY_NAME["A"], [lossy])

    assert "| 2.20 | 1.10 |" in whole
    assert "| 2.20 | - |" in partial


def test_peer_that_is_not_installed_is_named_and_not_left_out() -> None:
    """
    What is missing has a line of its own, which says so.
    """
    missing = row(contender="promptfoo", note="not installed (promptfoo)", wall_s=0.0)
    text = tables.table_of(BY_NAME["A"], [row(), missing])

    assert "| promptfoo | not installed (promptfoo) |" in text


def test_failed_run_is_not_counted_as_a_fast_one() -> None:
    """
    A row with a note adds nothing to a median.
    """
    rows = [row(), row(round=2, wall_s=0.0, note="exit code 1: ...")]

    assert 2.2 == group(rows, "A")["ours"].median(wall_s)


def test_foreign_processes_mark_the_row() -> None:
    """
    A round with others on more than 8 % of the cores marks its contender.
    """
    quiet = tables.table_of(BY_NAME["A"], [row(foreign=0.07)])
    loud = tables.table_of(BY_NAME["A"], [row(foreign=0.07), row(foreign=0.09)])

    assert "\\*" not in quiet
    assert "reliability** \\*" in loud


def test_foreign_share_is_of_all_cores_and_never_negative() -> None:
    """
    Ticks are coarse, so our own time may come out above the sum.
    """
    assert 0.0 == foreign_share(busy=1.0, own=1.01, wall=2.0)
    assert foreign_share(busy=1.0, own=0.5, wall=0.3) is None


def test_goal_that_is_missed_says_so() -> None:
    """
    The table of goals shows misses as plainly as the rest.
    """
    met = goals.goals_table([row(wall_s=2.2)])
    missed = goals.goals_table([row(wall_s=2.4)])

    assert "| A | wall / ideal | 1.15 | 1.10 | yes |" in met
    assert "| A | wall / ideal | 1.15 | 1.20 | **no** |" in missed


def test_one_lost_call_in_one_round_is_enough_to_miss_the_goal() -> None:
    """
    That nothing is lost must hold in every round, not in most of them.
    """
    whole = {"passed": 270, "failed": 30, "lost": 0}
    lossy = {"passed": 269, "failed": 30, "lost": 1}
    server = {"answered": 300, "wrong_answers": 30}
    rounds = [
        row(scenario="D", round=number, counts=counts, server=server)
        for number, counts in enumerate((whole, whole, lossy), start=1)
    ]

    assert "| D | lost | 0 | 1.00 | **no** |" in goals.goals_table(rounds)


def test_count_that_differs_from_the_servers_is_listed() -> None:
    """
    A contender that miscounts right answers is named at the end of the page.
    """
    wrong = row(counts={"passed": 449, "failed": 51, "lost": 0})
    text = page([wrong])

    assert "A, ours, round 1: counted 449, the server gave 450" in text
    assert "Counts that differ" not in page([row()])


def test_page_has_only_scenarios_that_were_measured() -> None:
    """
    No heading without a measurement below it.
    """
    text = page([row()])

    assert "## A: " in text
    assert "## B: " not in text


def test_interrupted_measurement_keeps_its_rows(tmp_path: Path) -> None:
    """
    Rows survive, a newer one replaces its older, and only named scenarios are dropped.
    """
    place = tmp_path / "results/rows.jsonl"
    for each in (row(), row(wall_s=2.1), row(scenario="B")):
        add_row(place, each)
    both = read_rows(place)
    forget(place, {"A"})

    assert [2.1, 2.2] == [each.wall_s for each in both]
    assert ["B"] == [each.scenario for each in read_rows(place)]


def test_every_contender_and_adapter_of_a_scenario_exists() -> None:
    """
    No scenario names somebody that nobody knows how to start.
    """
    named = {name for each in SCENARIOS for name in each.contenders}
    counting = {each.counts for each in CONTENDERS.values() if each.counts}

    assert set() == named - {*CONTENDERS}
    assert set() == counting - {path.stem for path in ADAPTERS.glob("*.py")}


def test_adapters_know_nothing_of_this_project() -> None:
    """
    What runs inside the contenders is the same for all: nothing of ours is in it.
    """
    imported = {
        name
        for path in ADAPTERS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imports(node)
    }

    assert "reliability" not in imported


def test_peers_are_pinned() -> None:
    """
    Every peer has one exact version.
    """
    folder = ADAPTERS.parents[1]
    lines = (folder / "requirements.txt").read_text().split()
    package = json.loads((folder / "package.json").read_text())
    versions = [line.partition("==")[2] for line in lines]

    assert all(versions)
    assert all(v[0].isdigit() for v in package["dependencies"].values())


def _imports(node: ast.AST) -> list[str]:
    """
    Return the packages that a statement imports.
    """
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0]]
    return []
