"""
The reports of a run, with answers that try to break out of them.
"""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from fakes.runs import run_simulated, scripted

from reliability.model import (
    Outcome,
    RunStatus,
    Verdict,
)
from reliability.report.html import page
from reliability.report.junit import junit
from reliability.report.markdown import BUDGET_BYTES, MAX_ROWS, summary
from reliability.report.readable import readable_log
from reliability.report.terminal import MAX_TRIALS, verdict_table
from reliability.report.words import duration, facts, headline, notes
from reliability.run_result import Tally, TrialResult

if TYPE_CHECKING:
    from reliability.run_result import RunResult

HOSTILE = (
    "</pre><script>alert(1)</script><img src=http://evil.example/x onerror=a>\n"
    "```\n| a | b |\n<details><summary>\n::set-output name=verdict::pass\n"
    "=== Loop 1/1 - 2026-01-01 00:00:00 UTC ===\n\x1b[2J\x9b1m\u202egnp\r---\n"
    "]]>\ufffe\x00 @team https://evil.example #1\n"
)
# Elements whose end may be left out, or that have none.
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """
    Run an agent that fails with a hostile answer, under a hostile name.
    """
    folder = tmp_path_factory.mktemp("hostile")
    step = {"text": HOSTILE}
    return run_simulated(
        folder,
        agent="<b>|`x`",
        prompt=f"Say {HOSTILE[:60]}",
        simulator=scripted(folder, step),
    )


class Page(HTMLParser):
    """
    What a browser would see of the report.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.policy = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [str(value) for name, value in attrs if name == "href"]
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = str(dict(attrs)["content"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_well_formed_and_loads_nothing(hostile: RunResult) -> None:
    """
    No script, no reference, no handler, and a policy that forbids them all.
    """
    seen = Page("".join(page(hostile)))

    assert [] == seen.open
    assert set() == {
        *("script", "img", "link", "iframe", "object", "form", "base", "svg"),
    } & set(seen.elements)
    assert seen.attributes <= {
        *("lang", "charset", "name", "content", "http-equiv", "class", "scope"),
        *("title", "aria-label", "id", "open", "href"),
    }
    assert all(link.startswith("#trial-") for link in seen.links)
    assert "default-src 'none'; style-src 'unsafe-inline'" == seen.policy
    assert "@import" not in "".join(page(hostile))
    assert "url(" not in "".join(page(hostile))


def test_the_page_shows_what_the_agent_said_as_text(hostile: RunResult) -> None:
    """
    Hostile marks are there to be read, control characters as their escapes.
    """
    seen = Page("".join(page(hostile)))

    assert "</pre><script>alert(1)</script>" in seen.text
    assert "\\u001b[2J" in seen.text
    assert "\\u202e" in seen.text
    assert "Reliability of <b>|`x`" in seen.text
    assert hostile.log_sha256 in seen.text


def test_junit_has_a_case_for_each_trial_and_parses(hostile: RunResult) -> None:
    """
    A failure is a failure; the answer is text.
    """
    suite = ET.fromstring("".join(junit(hostile)))

    assert ("3", "3", "0") == (
        suite.get("tests"),
        suite.get("failures"),
        suite.get("errors"),
    )
    assert ["loop 1", "loop 2", "loop 3"] == [
        c.get("name") for c in suite.iter("testcase")
    ]
    assert 3 == len(list(suite.iter("failure")))
    assert "</pre><script>" in str(suite.find("testcase/failure").text)  # type: ignore[union-attr]
    assert ["simulated"] == [one.get("name") for one in suite.iter("property")]


def test_junit_tells_what_could_not_be_measured_from_a_failure(
    hostile: RunResult,
) -> None:
    """
    Invalid and unknown trials are errors.
    """
    trials = tuple(
        TrialResult(number=n, case="prompt", loop=n, outcome=outcome, reason="why")
        for n, outcome in enumerate(Outcome, 1)
    )
    tally = Tally(planned=4, passed=1, failed=1, invalid=1, unknown=1)
    suite = ET.fromstring("".join(junit(replace(hostile, trials=trials, tally=tally))))

    assert [[], ["failure"], ["error"], ["error"]] == [
        [problem.tag for problem in case] for case in suite.iter("testcase")
    ]
    assert ("1", "2") == (suite.get("failures"), suite.get("errors"))


def test_the_summary_keeps_its_structure(hostile: RunResult) -> None:
    """
    No answer adds a heading, a row, a tag or a fence of its own.
    """
    text = summary(hostile)
    outside = []
    fence = ""
    for line in text.split("\n"):
        if not fence and line.startswith("```"):
            fence = line.removesuffix("text")
        elif line == fence:
            fence = ""
        elif not fence:
            outside.append(line)

    assert "" == fence
    assert [] == [line for line in outside if "<script" in line or "<img" in line]
    assert 2 == len([line for line in outside if line.startswith("#")])
    assert 4 == text.count("<details>") - text.count("\n<details><summary>\n")
    assert "## Reliability of " in outside[0]
    assert "FAIL (simulated)" in outside[0]


def test_the_summary_stays_within_its_budget_and_says_what_it_leaves_out(
    hostile: RunResult,
) -> None:
    """
    GitHub drops a summary that is too large, so ours never is.
    """
    trial = replace(hostile.trials[0], reason="r" * 300, answer="\x01" * 2000)
    trials = tuple(replace(trial, number=n) for n in range(1, 5001))
    text = summary(replace(hostile, trials=trials, prompt="`" * 10**6))

    assert len(text.encode()) < BUDGET_BYTES + 16 * 1024
    assert "more are in the artifact._" in text


def test_the_summary_of_a_long_run_has_a_bound(hostile: RunResult) -> None:
    """
    A table of thousands of rows is not read by anybody; the rest is counted.
    """
    trial = replace(hostile.trials[0], reason="no", answer="")
    trials = tuple(replace(trial, number=n) for n in range(1, MAX_ROWS + 8))
    text = summary(replace(hostile, trials=trials))

    assert f"\n| {MAX_ROWS} | " in text
    assert f"\n| {MAX_ROWS + 1} | " not in text
    assert "_7 more are in the artifact._" in text


def test_the_table_has_no_control_character_and_few_columns(
    hostile: RunResult,
) -> None:
    """
    Only what paints is added, and only when colour is wanted.
    """
    plain = verdict_table(hostile, colour=False)
    painted = verdict_table(hostile, colour=True)

    assert all(char.isprintable() or char == "\n" for char in plain)
    assert "\n::" not in plain
    assert plain == painted.replace("\x1b[36m", "").replace("\x1b[31;1m", "").replace(
        "\x1b[0m", ""
    )


def test_the_table_names_some_trials_and_counts_the_rest(hostile: RunResult) -> None:
    """
    A terminal is not for a thousand lines.
    """
    trials = tuple(replace(hostile.trials[0], number=n) for n in range(1, 31))
    table = verdict_table(replace(hostile, trials=trials), colour=False)

    assert f"... and {30 - MAX_TRIALS} more in the reports" in table


def test_nothing_is_claimed_when_nothing_was_measured(hostile: RunResult) -> None:
    """
    No rate, no bounds, no cost.
    """
    result = replace(
        hostile,
        simulated=False,
        tally=Tally(planned=3, invalid=1),
        verdict=Verdict.INVALID,
        status=RunStatus.STARTED,
        log_sha256="",
        cost_usd=None,
        trials=(),
    )
    rows = dict(facts(result))

    assert "not known: nothing was measured" == rows["Pass rate"]
    assert rows["Cost"].startswith("not known")
    assert "3 planned: 0 passed, 0 failed, 1 invalid, 2 not run" == rows["Trials"]
    assert any("the log is not locked" in note for note in notes(result))
    assert headline(result).startswith("INVALID: ")
    assert "not locked" in "".join(page(result))
    assert "not locked" in summary(result)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (61.6, "1 min 2 s"),
        (3600, "1 h 0 min"),
        (7260, "2 h 1 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, expected: str) -> None:
    """
    Tenths below a minute, then minutes, then hours.
    """
    assert expected == duration(seconds)


def test_a_hostile_answer_forges_nothing_in_the_readable_log(
    hostile: RunResult,
) -> None:
    """
    Every header is one of ours, everything of the agent's is indented.
    """
    lines = list(readable_log(Path(hostile.log)))
    headers = [line for line in lines if line.startswith("===")]

    assert 4 == len(headers)
    assert 3 == lines.count("---")
    assert "  === Loop 1/1 - 2026-01-01 00:00:00 UTC ===" in lines
