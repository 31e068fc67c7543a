"""
The commands about suites, as somebody uses them who has just come.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.judges import run_judged
from fakes.runs import command_line, run_simulated

from reliability.errors import UsageError
from reliability.report.transcript import CUT_LINES, trial_lines
from reliability.suites.opening import open_suite
from reliability.suites.schema import json_schema

if TYPE_CHECKING:
    from subprocess import CompletedProcess

HERE = "version: 1\ncases:\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Work in an empty folder.
    """
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> CompletedProcess[str]:
    """
    Call the command in the current folder.
    """
    return command_line(*words, folder=Path.cwd())


def write_suite(text: str) -> None:
    """
    Write the suite of the folder.
    """
    Path("reliability.yml").write_text(HERE + text, encoding="utf-8")


def test_what_init_writes_runs_green_and_a_broken_check_turns_it_red(
    place: Path,
) -> None:
    """
    Two commands to a verdict, and the red one names the case's check.
    """
    call("init", "--yes")
    suite = open_suite({"backend": "simulated"})
    green = call("run", "--backend", "simulated", "--quiet")
    text = Path("reliability.yml").read_text(encoding="utf-8")
    Path("reliability.yml").write_text(text.replace("text: hello", "text: good day"))
    red = call("run", "--backend", "simulated")

    assert ["greets"] == [case.name for case in suite.cases]
    assert 0 == green.returncode
    assert "PASS (simulated)" in green.stdout
    assert 1 == red.returncode
    assert "expected an answer that contains 'good day'" in " ".join(red.stdout.split())
    assert (place / ".github/workflows/reliability.yml").exists()


def test_init_writes_over_nothing(place: Path) -> None:
    """
    What is there stays, an agent that is there is the one that is asked.
    """
    own = place / ".claude/agents/mine.md"
    own.parent.mkdir(parents=True)
    own.write_text("---\nname: mine\ndescription: x\n---\nBe.\n", encoding="utf-8")
    workflow = place / ".github/workflows/reliability.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("mine", encoding="utf-8")
    said = call("init", "--yes").stdout

    assert "mine" == workflow.read_text(encoding="utf-8")
    assert "kept   .github/workflows/reliability.yml" in said
    assert [own] == sorted(own.parent.iterdir())
    assert "mine" == open_suite({}).cases[0].settings.agent


def test_init_without_a_terminal_asks_nothing(place: Path) -> None:
    """
    A pipe gets the proposals, and the command does not hang.
    """
    assert 0 == call("init").returncode
    assert (place / "reliability.yml").exists()


def test_schema_is_that_of_suite_files() -> None:
    """
    What is printed is the published schema.
    """
    assert json_schema() == json.loads(call("schema").stdout)


def test_plan_shows_every_case_that_the_matrix_makes(place: Path) -> None:
    """
    Names, models, variables and checks, and how many trials that is.
    """
    assert place
    write_suite(
        "  - name: greets\n    prompt: Greet {{who}}.\n    loops: 4\n"
        "    tags: [quick]\n    checks: [{contains: Hello}]\n"
        "    matrix: {model: [a, b], vars: {who: [Ada, Grace]}}\n"
    )
    said = call("plan", "--list").stdout
    short = call("plan", "--model", "c").stdout
    listed = json.loads(call("plan", "--json").stdout)

    assert "greets [model=b, who=Grace]" in said
    assert "contains:Hello" in said
    assert "4 cases, 16 trials in rounds, shuffled by seed 1." in said
    assert "cases" in short
    assert ["a", "a", "b", "b"] == sorted(case["model"] for case in listed)


def test_check_config_names_everything_at_once(place: Path) -> None:
    """
    A program that is not there and a key that is missing, before anything is called.
    """
    assert place
    write_suite(
        "  - {name: a, prompt: x, backend: command, command: no-such-program}\n"
        "  - {name: b, prompt: x, backend: messages, model: m}\n"
    )

    done = call("check-config")

    assert 2 == done.returncode
    assert "no-such-program" in done.stderr
    assert "ANTHROPIC_API_KEY" in done.stderr


def test_check_config_shows_the_plan_when_nothing_is_wrong(place: Path) -> None:
    """
    Cases, cost and time, and that nothing was called.
    """
    assert place
    write_suite("  - {name: a, prompt: x, backend: simulated, loops: 3}\n")
    said = call("check-config")

    assert 0 == said.returncode
    assert "a: simulated-model, 3 trials" in said.stdout
    assert "Nothing is wrong" in said.stdout


def test_a_trial_is_told_whole(tmp_path: Path) -> None:
    """
    What was asked, said and graded, and what the judge said.
    """
    result = run_judged(tmp_path)
    said = "\n".join(trial_lines(Path(result.log), 2))

    assert "Trial 2: judged, 2" in said
    assert "Hello! I am the agent" in said
    assert "Judge a-judge" in said
    assert "✓ judge:It is friendly." in said
    assert "it is friendly" in said


def test_a_number_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """
    Whoever asks for trial 7 of 3 learns that.
    """
    result = run_simulated(tmp_path)

    with pytest.raises(UsageError, match=r"no trial 7 .* its trials are 1 to 3"):
        list(trial_lines(Path(result.log), 7))


def test_hostile_text_is_cut_and_cannot_act(tmp_path: Path) -> None:
    """
    No escape reaches the terminal, and a flood of lines says how long it is.
    """
    script = tmp_path / "script.json"
    text = "\033[2J" + "\n".join(f"line {n}" for n in range(100))
    script.write_text(json.dumps([{"text": text}]), encoding="utf-8")
    result = run_simulated(tmp_path, simulator=f"latency=0,script={script}")
    short = list(trial_lines(Path(result.log), 1))
    full = list(trial_lines(Path(result.log), 1, full=True))

    assert "\033" not in "".join(full)
    assert len(full) - len(short) == 100 - CUT_LINES - 1
    assert f"... {100 - CUT_LINES} more lines; --full shows them" in "\n".join(short)
