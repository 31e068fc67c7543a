"""
The HTML page: what did not pass first, every mark a link, and what is cut is named.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from fakes.runs import run_simulated
from fakes.trials import stored

from reliability.model import Outcome
from reliability.report.document import json_pieces
from reliability.report.html import MAX_OPEN, page
from reliability.report.junit import junit
from reliability.report.markdown import summary
from reliability.report.terminal import verdict_table

if TYPE_CHECKING:
    from reliability.run_result import RunResult

CUT = "the whole answer is in the log"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Make a run of six trials, of which the third and fifth failed.
    """
    made = run_simulated(tmp_path_factory.mktemp("run"), loops="6")
    trials = [
        replace(trial, outcome=Outcome.FAIL, reason="no", answer="Nope.")
        if trial.number in {3, 5}
        else trial
        for trial in made.trials
    ]
    return replace(made, trials=tuple(trials))


def test_trials_that_did_not_pass_come_first_and_open(result: RunResult) -> None:
    """
    A reader of 500 trials looks for the few.
    """
    text = "".join(page(result))
    first, rest = text.split("<h2>All trials</h2>")

    assert ["3", "5"] == re.findall(r'<details id="trial-(\d+)"[^>]* open>', first)
    assert ["1", "2", "4", "6"] == re.findall(r'<details id="trial-(\d+)"', rest)
    assert ["3", "5"] == re.findall(r'href="#trial-(\d+)"', rest)
    assert " open" not in rest


def test_every_mark_leads_to_its_trial(result: RunResult) -> None:
    """
    Each trial has one place on the page, and one mark that links to it.
    """
    text = "".join(page(result))
    strip = text.split('<ol class="strip"')[1].split("</ol>")[0]
    places = re.findall(r'id="trial-(\d+)"', text)

    assert [str(n) for n in range(1, 7)] == re.findall(r'href="#trial-(\d+)"', strip)
    assert sorted(places) == sorted(set(places)) == [str(n) for n in range(1, 7)]


def test_page_of_many_failures_opens_only_some(result: RunResult) -> None:
    """
    A page of 500 open answers is not quick to read.
    """
    bad = result.trials[2]
    trials = tuple(replace(bad, number=n) for n in range(1, 501))
    text = "".join(page(replace(result, trials=trials)))

    assert MAX_OPEN == text.count(" open>")
    assert 500 == len(re.findall(r'<details id="trial-\d+"', text))


def test_page_without_failures_has_no_list_of_them(result: RunResult) -> None:
    """
    Nothing did not pass.
    """
    good = tuple(replace(trial, outcome=Outcome.PASS) for trial in result.trials)
    text = "".join(page(replace(result, trials=good)))

    assert "did not pass" not in text
    assert "<h2>All trials</h2>" in text


def test_answer_that_was_cut_says_so(result: RunResult) -> None:
    """
    In every report that shows it; an answer that was not cut says nothing.
    """
    bad = result.trials[2]
    whole = replace(result, trials=(bad,))
    cut = replace(result, trials=(replace(bad, answer_cut=True),))

    for text in (page, summary, junit):
        assert CUT in "".join(text(cut))
        assert CUT not in "".join(text(whole))
    trials = json.loads("".join(json_pieces(cut)))["trials"]
    assert [True] == [one["answer_cut"] for one in trials]


def test_page_of_a_long_run_says_what_it_leaves_out(
    result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It shows the first trials and, of the later ones, some that did not pass.
    """
    monkeypatch.setattr("reliability.report.html.MAX_TRIALS", 5)
    good, bad = result.trials[0], result.trials[2]
    trials = [replace(bad if n % 4 == 0 else good, number=n) for n in range(1, 41)]
    text = "".join(page(replace(result, trials=stored(*trials))))
    first, rest = text.split("<h2>The first 5 trials, and later ones that did not pass")
    places = re.findall(r'<details id="trial-(\d+)"', text)

    assert ["4", "8", "12", "16", "20"] == re.findall(r'id="trial-(\d+)"', first)
    assert "<p>5 more that did not pass are in results.json and in the log.</p>" in text
    assert ["1", "2", "3", "5"] == re.findall(r'<details id="trial-(\d+)"', rest)
    assert "<p>31 more are in results.json and in the log.</p>" in rest
    assert set(places) == set(re.findall(r'href="#trial-(\d+)"', text))


def test_page_of_a_long_run_without_failures_says_so_too(
    result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The first ones stand for the rest; exactly as many as there is room for are all.
    """
    monkeypatch.setattr("reliability.report.html.MAX_TRIALS", 5)
    trials = [replace(result.trials[0], number=n) for n in range(1, 8)]
    text = "".join(page(replace(result, trials=stored(*trials))))
    whole = "".join(page(replace(result, trials=stored(*trials[:5]))))

    assert "<h2>The first 5 trials</h2>" in text
    assert "<p>2 more are in results.json and in the log.</p>" in text
    assert "<h2>All trials</h2>" in whole
    assert "results.json" not in whole


def test_reused_trial_is_labelled_wherever_it_is_shown(result: RunResult) -> None:
    """
    A trial that was measured under other conditions is never shown as one of this run.
    """
    bad = replace(result.trials[2], reused_from="aaaa1111", changed=True)
    shown = replace(result, trials=stored(bad))
    label = "reused from run aaaa1111, measured under other conditions"
    properties = {
        one.get("name"): one.get("value")
        for one in ET.fromstring("".join(junit(shown))).iter("property")
    }

    assert f"{label}: no" in "".join(page(shown))
    assert f"{label}: no" in summary(shown)
    assert f"{label}: no" in " ".join(verdict_table(shown, colour=False).split())
    assert ("aaaa1111", "true") == (properties["reused_from"], properties["changed"])
    assert "reused" not in "".join(page(result))
