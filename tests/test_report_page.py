"""
The HTML page: what did not pass first, every mark a link, and what is cut is named.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fakes.runs import run_simulated

from reliability.model import Outcome
from reliability.report.document import as_json
from reliability.report.html import MAX_OPEN, page
from reliability.report.junit import junit
from reliability.report.markdown import summary

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
    text = page(result)
    first, rest = text.split("<h2>All trials</h2>")

    assert ["3", "5"] == re.findall(r'<details id="trial-(\d+)"[^>]* open>', first)
    assert ["1", "2", "4", "6"] == re.findall(r'<details id="trial-(\d+)"', rest)
    assert ["3", "5"] == re.findall(r'href="#trial-(\d+)"', rest)
    assert " open" not in rest


def test_every_mark_leads_to_its_trial(result: RunResult) -> None:
    """
    Each trial has one place on the page, and one mark that links to it.
    """
    text = page(result)
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
    text = page(replace(result, trials=trials))

    assert MAX_OPEN == text.count(" open>")
    assert 500 == len(re.findall(r'<details id="trial-\d+"', text))


def test_page_without_failures_has_no_list_of_them(result: RunResult) -> None:
    """
    Nothing did not pass.
    """
    good = tuple(replace(trial, outcome=Outcome.PASS) for trial in result.trials)
    text = page(replace(result, trials=good))

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
        assert CUT in text(cut)
        assert CUT not in text(whole)
    assert [True] == [one["answer_cut"] for one in json.loads(as_json(cut))["trials"]]
