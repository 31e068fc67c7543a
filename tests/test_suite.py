"""
From a suite file to the cases of a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.suites import DATA

from reliability.choices import Backend
from reliability.errors import UsageError
from reliability.settings import Settings
from reliability.suite import DEFAULT_CASE, Workspace
from reliability.suites.loader import load_suite, suite_of

if TYPE_CHECKING:
    from reliability.suite import Suite

HEAD = "version: 1\ndefaults: {backend: simulated}\n"


def loaded(folder: Path, text: str, **given: str) -> Suite:
    """
    Return the suite of a file with these lines after the head.
    """
    path = folder / "reliability.yml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_suite(
        path, {name.replace("_", "-"): value for name, value in given.items()}
    )


def problems_of(folder: Path, text: str, **given: str) -> str:
    """
    Return what is said of such a file, which is wrong.
    """
    with pytest.raises(UsageError) as caught:
        loaded(folder, text, **given)
    return "\n".join(caught.value.problems)


def test_the_layers_of_options_win_from_defaults_to_flags(tmp_path: Path) -> None:
    """
    Defaults, the agent's entry, the case, the matrix, the user: each over those before.
    """
    text = (
        "agents: {a: {timeout: 20s, model: of-agent, max-output-tokens: 7}}\n"
        "cases:\n"
        "  - name: one\n"
        "    prompt: x\n"
        "    timeout: 30s\n"
        "    loops: 4\n"
        "    matrix: {model: [of-matrix]}\n"
    )
    (case,) = loaded(tmp_path, text, loops="2").cases
    settings = case.settings

    assert Backend.SIMULATED is settings.backend
    assert 7 == settings.max_output_tokens
    assert 30 == settings.timeout
    assert "of-matrix" == settings.model
    assert 2 == settings.loops


def test_a_backend_of_the_users_drops_what_only_another_one_takes(
    tmp_path: Path,
) -> None:
    """
    A suite for a program runs on the simulator with one flag.
    """
    text = (
        "agents: {a: {backend: command, command: [python3, agent.py], setup: make}}\n"
        "cases: [{name: one, prompt: x}]\n"
    )
    (before,) = loaded(tmp_path, text).cases
    (case,) = loaded(tmp_path, text, backend="simulated").cases

    assert ("python3", "agent.py") == before.settings.command
    assert ("make",) == before.settings.setup
    assert ((), ()) == (case.settings.command, case.settings.setup)


def test_an_agents_entry_may_be_called_otherwise_than_the_agent(
    tmp_path: Path,
) -> None:
    """
    Two entries can be one agent with different options.
    """
    text = (
        "agents: {quick: {agent: reviewer, model: x}, slow: {agent: reviewer}}\n"
        "cases: [{name: one, agent: [quick, slow], prompt: 'I am {{agent}}.'}]\n"
    )
    suite = loaded(tmp_path, text)

    assert ["one [agent=quick]", "one [agent=slow]"] == [c.name for c in suite.cases]
    assert {"reviewer"} == {case.settings.agent for case in suite.cases}
    assert {"I am reviewer."} == {case.settings.prompt for case in suite.cases}


def test_a_file_without_agents_takes_any_name(tmp_path: Path) -> None:
    """
    `agent` is then the agent's own name, and a case without a prompt asks for it.
    """
    (case,) = loaded(tmp_path, "cases: [{name: one, agent: greeter}]\n").cases

    assert "greeter" == case.settings.agent
    assert "Ask the greeter agent" in case.settings.prompt


def test_files_are_beside_the_suite_and_hidden_from_agents(tmp_path: Path) -> None:
    """
    Relative paths start from the file; what tells the expected answer is hidden.
    """
    suite = load_suite(DATA / "good.yml", {})
    by_name = {case.name: case for case in suite.cases}
    works = by_name["works"]

    assert "Count 3 in en." == by_name["extracts [model=q, lang=en]"].settings.prompt
    assert Workspace(folder=DATA / "repository", ref="v1.0") == works.workspace
    assert (DATA / "good.yml", DATA / "grade.txt") == works.hidden
    assert ("npm", "ci") == works.settings.setup
    assert ("rm", "-rf", "node modules") == works.settings.teardown
    assert {"main"} == {case.workspace.ref for case in suite.cases if case != works}
    assert suite.judge is not None
    assert "j" == suite.judge.model


def test_variables_reach_prompt_and_checks(tmp_path: Path) -> None:
    """
    What varies in a prompt varies in what is expected; other braces stay.
    """
    text = (
        "cases:\n"
        "  - name: sums\n"
        "    prompt: What is {{a}} + 1?\n"
        "    matrix: {vars: {a: [1, 2]}}\n"
        "    checks: [{contains: '{{a}} {{b}}'}]\n"
    )
    cases = loaded(tmp_path, text).cases

    assert ["sums [a=1]", "sums [a=2]"] == [case.name for case in cases]
    assert "What is 2 + 1?" == cases[1].settings.prompt
    assert {"a": "2"} == cases[1].variables
    assert {"contains": "2 {{b}}"} == cases[1].checks[0].check.spec()


def test_what_is_put_in_is_not_looked_at_again(tmp_path: Path) -> None:
    """
    A value that looks like a name stays a value.
    """
    text = "cases: [{name: a, prompt: '{{x}}', vars: {x: '{{y}}', }}]\n"
    (case,) = loaded(tmp_path, text).cases

    assert "{{y}}" == case.settings.prompt


def test_variables_and_prompt_of_the_user_win(tmp_path: Path) -> None:
    """
    A given variable leaves no choice; a given prompt is taken as it was typed.
    """
    text = (
        "cases:\n"
        "  - {name: a, prompt: 'In {{lang}}', matrix: {vars: {lang: [en, de]}}}\n"
    )
    (case,) = loaded(tmp_path, text, var="lang=fr").cases
    plain = "cases: [{name: a, prompt: x}]\n"
    (asked,) = loaded(tmp_path, plain, prompt="{{not a name}} {{name}}").cases

    assert ("a", "In fr") == (case.name, case.settings.prompt)
    assert "{{not a name}} {{name}}" == asked.settings.prompt
    assert "no case uses {{lang}}" in problems_of(tmp_path, plain, var="lang=fr")


def test_a_prompt_file_of_the_user_is_read_by_his_reader(tmp_path: Path) -> None:
    """
    What the user names is not beside the suite but where he is.
    """
    path = tmp_path / "reliability.yml"
    path.write_text(HEAD + "cases: [{name: a, prompt: x}]\n", encoding="utf-8")
    given = {"prompt-file": "p.md", "var": "who=you"}
    read: dict[Path, str] = {Path("p.md"): "Hello {{who}}"}
    (case,) = load_suite(path, given, read_text=read.__getitem__).cases

    assert "Hello you" == case.settings.prompt


def test_options_for_one_prompt_are_refused_beside_a_suite(tmp_path: Path) -> None:
    """
    `--expect` has no case to belong to.
    """
    text = "cases: [{name: a, prompt: x}]\n"

    assert "--expect is for a run without a suite" in problems_of(
        tmp_path, text, expect="Hello"
    )
    assert "--checks is for a run without a suite" in problems_of(
        tmp_path, text, checks="[]"
    )


def test_an_agent_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    """
    A typing mistake does not become a run of an agent without options.
    """
    text = "agents: {fast: {}, slow: {}}\ncases: [{name: a, prompt: x}]\n"

    assert "There is no agent 'fats'" in problems_of(tmp_path, text, agent="fats")
    assert "slow" == loaded(tmp_path, text, agent="slow").cases[0].settings.agent


def test_shared_variables_vary_only_the_cases_that_use_them(tmp_path: Path) -> None:
    """
    The file's matrix does not run the same prompt twice under two names.
    """
    text = (
        "matrix: {vars: {lang: [en, de]}, model: [x]}\n"
        "cases:\n"
        "  - {name: a, prompt: 'In {{lang}}'}\n"
        "  - {name: b, prompt: plain, model: own}\n"
    )

    assert ["a [model=x, lang=en]", "a [model=x, lang=de]", "b"] == [
        case.name for case in loaded(tmp_path, text).cases
    ]


def test_long_values_of_a_matrix_are_named_by_their_number(tmp_path: Path) -> None:
    """
    A name stays one short line.
    """
    text = (
        "cases:\n"
        '  - {name: a, prompt: "{{t}}", matrix: {vars: {t: ["two\\nlines", short]}}}\n'
    )

    assert ["a [t=#1]", "a [t=short]"] == [c.name for c in loaded(tmp_path, text).cases]


def test_a_judge_goes_with_the_simulator(tmp_path: Path) -> None:
    """
    A trial run on the simulator needs no key, not for the judge either.
    """
    text = "cases: [{name: a, prompt: x, checks: [{judge: nice}]}]\n"
    suite = loaded(tmp_path, text, backend="simulated")

    assert suite.judge is not None
    assert Backend.SIMULATED is suite.judge.backend


def test_a_run_without_a_suite_has_one_case(tmp_path: Path) -> None:
    """
    Its checks are those of `expect`, or of `checks`.
    """
    texts = {"agent": "a", "backend": "simulated"}
    plain = suite_of(Settings.from_text({**texts, "expect": "matches:^a"}))
    checked = suite_of(Settings.from_text({**texts, "checks": "[{max-turns: 3}]"}))

    assert [DEFAULT_CASE] == [case.name for case in plain.cases]
    assert [{"regex": "^a"}] == [one.spec() for one in plain.cases[0].checks]
    assert [{"max-turns": 3}] == [one.spec() for one in checked.cases[0].checks]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{contans: x}]", "checks:1: [0].contans: there is no such check"),
        ("contains: x", "checks:1: must be a list"),
        ("[{judge: nice}]", "checks:1: a judge needs a suite"),
        ("[", "checks:"),
    ],
)
def test_checks_of_an_option_are_refused_with_a_line(text: str, said: str) -> None:
    """
    The small form has the same errors as a file.
    """
    texts = {"agent": "a", "backend": "simulated", "checks": text}
    with pytest.raises(UsageError) as caught:
        suite_of(Settings.from_text(texts))

    assert caught.value.problems[0].startswith(said)


def test_what_a_backend_does_not_take_is_told_with_the_case(tmp_path: Path) -> None:
    """
    Options that do not go together, and what a backend finds wrong, have a line.
    """
    text = "cases:\n  - {name: a, prompt: x, backend: messages}\n"
    path = tmp_path / "reliability.yml"
    path.write_text(HEAD + "cases: [{name: a, prompt: x}]\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_suite(path, {}, also=lambda parsed: [f"No {parsed['model']!r} here."])

    assert ":4: cases[0]: The messages backend needs a model" in problems_of(
        tmp_path, text
    )
    assert (f"{path}:3: cases[0]: No '' here.",) == caught.value.problems
