"""
A search through a real repository: whom it names, what it leaves, how it goes on.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from fakes.repositories import commit, git, picture
from fakes.runs import ENVIRON, IN_PLACE, texts

from reliability.bisect import End, Rules, Search, bisect
from reliability.engine.cancellation import Cancellation
from reliability.engine.history import read_history
from reliability.errors import MeasureError, UsageError
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FAR = Rules(good_rate=0.95, bad_rate=0.1, batch=2)
AGENT = """\
import os, random
with open({count!r}, "a+b") as file:
    seed = file.tell()
    file.write(b"x")
with open("rate") as file:
    passes = random.Random(seed).random() < float(file.read())
print("Hello" if passes and not os.path.exists("suite.yml") else "no")
"""
SUITE = """\
version: 1
cases:
  - {name: one, prompt: Ask., checks: [contains: Hello]}
  - {name: two, prompt: Ask again., checks: [contains: Hello]}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Six commits, c0 to c5; from c3 on the agent answers wrongly nine times in ten.
    """
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    agent = AGENT.format(count=str(tmp_path / "count"))
    for number in range(6):
        rate = "0.95" if number < 3 else "0.1"
        commit(folder, f"c{number}", agent=agent, rate=rate)
    return folder


def search(
    repository: Path,
    good: str = "c0",
    bad: str = "c5",
    *,
    rules: Rules = FAR,
    given: Mapping[str, str] | None = None,
    **more: Any,
) -> Search:
    """
    Search with the agent of the repository, in a checkout of it.
    """
    options = {**IN_PLACE, "command": f"{sys.executable} -S agent", "simulator": ""}
    named = texts(repository.parent, **options) | dict(given or {})
    return bisect(
        open_suite(named, folder=repository),
        read_history(repository, good, bad, ENVIRON),
        rules,
        workspace=repository,
        environ=ENVIRON,
        **more,
    )


def logs_of(repository: Path) -> set[Path]:
    """
    Return the logs that searches left.
    """
    return set((repository.parent / "out" / "bisect").glob("*/*.jsonl"))


def names(found: Search) -> list[str]:
    """
    Return the subjects of the commits that a search named.
    """
    return [one.subject for one in found.culprits]


def test_the_commit_that_lowered_the_rate_is_named(repository: Path) -> None:
    """
    Each batch has its log below the commit's hash, and the counts are those of logs.
    """
    steps: list[Search] = []
    found = search(repository, on_batch=steps.append)

    assert (End.FOUND, ["step c3"], 0) == (found.end, names(found), found.exit_code)
    tried = {one.commit.short for one in found.places if one.counts.trials}
    assert tried == {log.parent.name for log in logs_of(repository)}
    assert len(steps) - 1 == len(logs_of(repository))
    assert found.trials == (repository.parent / "count").stat().st_size


def test_nothing_of_the_repository_changes_and_no_checkout_stays(
    repository: Path,
) -> None:
    """
    Not one byte of work tree, index or git's own files, also of changes at hand.
    """
    (repository / "rate").write_text("0.5", encoding="utf-8")
    (repository / "new").write_text("not added", encoding="utf-8")
    before = picture(repository)
    search(repository)

    assert before == picture(repository)
    assert [] == os.listdir(repository.parent / "temporary")  # noqa: PTH208 - names


def test_a_cancelled_search_is_gone_on_with(repository: Path) -> None:
    """
    The logs that are there are counted, and only what is missing is asked.
    """
    cancellation = Cancellation()

    def stop(now: Search) -> None:
        if now.trials >= 4:
            cancellation.request()

    cut = search(repository, cancellation=cancellation, on_batch=stop)
    first = logs_of(repository)
    began: list[Search] = []
    found = search(repository, resume=True, on_batch=began.append)

    assert (End.CANCELLED, 130) == (cut.end, cut.exit_code)
    assert cut.places == began[0].places
    assert ["step c3"] == names(found)
    assert first < logs_of(repository)
    assert found.trials == (repository.parent / "count").stat().st_size


def test_a_search_that_is_done_is_told_again_without_a_trial(repository: Path) -> None:
    """
    Its logs say it all.
    """
    found = search(repository)
    asked = (repository.parent / "count").stat().st_size
    again = search(repository, resume=True)

    assert (found.places, found.culprits) == (again.places, again.culprits)
    assert asked == (repository.parent / "count").stat().st_size


@pytest.mark.parametrize(
    ("resume", "prompt", "said"),
    [(False, "Ask.", "--resume"), (True, "Ask otherwise.", "prompt is another one")],
)
def test_other_trials_are_not_counted_by_mistake(
    resume: bool, prompt: str, said: str, repository: Path
) -> None:
    """
    Earlier logs are gone on with by wish alone, and only when they ask the same.
    """
    search(repository, given={"prompt": "Ask."})

    with pytest.raises(UsageError, match=said):
        search(repository, given={"prompt": prompt}, resume=resume)


@pytest.mark.parametrize("command", ["./start", "sh start"])
def test_a_commit_whose_agent_cannot_start_is_passed_over(
    command: str, repository: Path
) -> None:
    """
    Then it and the next one cannot be told apart, and both are named.
    """
    start = repository / "start"
    git(repository, "checkout", "--quiet", "-b", "other", "c0")
    for number, rate in enumerate(("0.95", "0.95", "0.1", "0.1")):
        start.write_text(
            f"#!/bin/sh\nexec {sys.executable} -S agent\n", encoding="utf-8"
        )
        start.chmod(0o755)
        if number == 2:
            start.unlink()
        commit(repository, f"d{number}", rate=rate)
    given = {"command": command, "max-attempts": "1"}
    if command != "./start":
        given["setup"] = "test -e start"
    rules = Rules(good_rate=0.95, bad_rate=0.1, batch=1)
    found = search(repository, "d0", "d3", given=given, rules=rules)

    assert (End.SEVERAL, 4) == (found.end, found.exit_code)
    assert ["step d2", "step d3"] == names(found)
    assert found.places[2].skipped


def test_a_commit_without_the_agents_file_is_passed_over(repository: Path) -> None:
    """
    Else somebody of the same name elsewhere would be measured in its place.
    """
    folder = repository / ".claude" / "agents"
    folder.mkdir(parents=True)
    file = folder / "greeter.md"
    text = "---\nname: greeter\ndescription: Greets.\n---\nSay hello.\n"
    for number, exists in enumerate((True, False, False, True)):
        file.write_text(text, encoding="utf-8")
        if not exists:
            file.unlink()
        commit(repository, f"f{number}")
    steps: list[Search] = []
    given = {"backend": "claude-code", "command": "", "context": "agent"}
    with pytest.raises(MeasureError, match="cannot be measured"):
        # There is no Claude Code on this PATH, which the ends would need.
        search(repository, "f0", "f3", given=given, on_batch=steps.append)

    skipped = [place.skipped for place in steps[-1].places]
    assert ["", *["It has no file of the agent 'greeter'."] * 2, ""] == skipped


def test_an_end_that_cannot_be_measured_ends_the_search(repository: Path) -> None:
    """
    Without it there is nothing to compare with.
    """
    rules = Rules(bad_rate=0.1, most_trials=1)
    given = {"setup": "test -e nothing", "max-attempts": "1"}

    with pytest.raises(MeasureError, match=r"GOOD, commit [0-9a-f]{12}, cannot be"):
        search(repository, rules=rules, given=given)


def test_ends_that_pass_alike_name_nobody(repository: Path) -> None:
    """
    BAD, tried, turns out to be as good as GOOD.
    """
    found = search(repository, "c0", "c2")

    assert (End.NO_DROP, [], 4) == (found.end, names(found), found.exit_code)
    assert "BAD has the good rate still" in found.reason


def test_no_commit_has_more_trials_than_allowed(repository: Path) -> None:
    """
    When that is not enough, the search says so.
    """
    rules = Rules(good_rate=0.6, bad_rate=0.5, batch=4, most_trials=1)
    found = search(repository, "c1", "c3", rules=rules)

    assert (End.UNDECIDED, 4) == (found.end, found.exit_code)
    assert 1 == max(one.counts.trials for one in found.places)


def test_a_cap_holds_over_the_whole_search(repository: Path) -> None:
    """
    Many batches together spend no more; what earlier logs spent counts too.
    """
    simulated = {
        "backend": "simulated",
        "command": "",
        "run-as": "",
        "isolation": "copy",
        "simulator": "latency=0,pass-rate=0.5",
        "max-tokens": "200",
    }
    rules = Rules(good_rate=0.6, bad_rate=0.5, batch=2)
    found = search(repository, rules=rules, given=simulated)
    again = search(repository, rules=rules, given=simulated, resume=True)

    assert (End.CAPPED, 4) == (found.end, found.exit_code)
    assert 0 < found.tokens <= 200
    assert "max-tokens" in found.reason
    assert found.places == again.places


def test_cases_of_a_suite_count_together_and_their_file_is_hidden(
    repository: Path,
) -> None:
    """
    The suite is the one at hand, and no agent sees the commit's own copy of it.
    """
    (repository / "suite.yml").write_text(SUITE, encoding="utf-8")
    git(repository, "checkout", "--quiet", "-b", "suites", "c0")
    commit(repository, "e0", **{"suite.yml": SUITE})
    commit(repository, "e1", rate="0.1")
    given = {"suite": str(repository / "suite.yml"), "expect": "", "isolation": "copy"}
    found = search(repository, "e0", "e1", given=given, rules=Rules(batch=4))

    assert ["step e1"] == names(found)
    assert found.belief.good_rate > 0.5
