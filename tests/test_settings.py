"""
From text to settings: all problems at once, and nothing called before.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.runs import texts

from reliability.choices import Backend
from reliability.errors import EXIT_USAGE, UsageError
from reliability.options import OPTIONS
from reliability.parsers import Expectation, ExpectMode
from reliability.settings import MAX_PROMPT_BYTES, Settings
from reliability.template import CLASSIC_PROMPT, DIRECT_PROMPT

WRONG = {
    "agent": "-rf",
    "loops": "0",
    "parallel": "yes",
    "max-workers": "1e3",
    "backend": "openai",
    "command": "'",
    "var": "no equals",
    "expect": "matches:(",
    "min-pass-rate": "1.1",
    "confidence": "0.5",
    "margin": "2",
    "expected-rate": "2",
    "gate": "most",
    "early-stop": "often",
    "on-stop": "wait",
    "max-invalid": "1.1",
    "allow-unreachable": "ok",
    "on-inconclusive": "ignore",
    "filename": "../log",
    "seed": "-1",
    "delay": "-1",
    "timeout": "never",
    "max-attempts": "0",
    "permission-mode": "yolo",
    "context": "everything",
    "claude-args": '"',
    "max-output-tokens": "many",
    "requests-per-minute": "0",
    "max-cost-usd": "0",
    "max-tokens": "1e6",
    "max-minutes": "-5",
    "isolation": "chroot",
    "pass-env": "ACTIONS_RUNTIME_TOKEN",
    "setup": "'",
    "teardown": '"',
    "dry-run": "maybe",
    "quiet": "1",
    "json": "on",
    "artifact": "y",
    "artifact-required": "n",
    "retention-days": "0",
}
ANY_TEXT_GOES = {
    *("model", "prompt", "prompt-file", "output-dir", "prices", "simulator"),
    *("artifact-name", "run-as", "suite", "case", "tag", "checks"),
    *("against", "baseline"),
}


def problems_of(given: dict[str, str]) -> tuple[str, ...]:
    """
    Return the problems with what is *given*.
    """
    with pytest.raises(UsageError) as caught:
        Settings.from_text(given)
    assert EXIT_USAGE == caught.value.exit_code
    return caught.value.problems


def test_every_wrong_value_is_named_in_one_error() -> None:
    """
    One problem for each option, in their order, and none that only follows from it.
    """
    problems = problems_of(WRONG)

    assert {option.name for option in OPTIONS} == set(WRONG) | ANY_TEXT_GOES
    assert [name for name in (one.name for one in OPTIONS) if name in WRONG] == [
        problem.partition(" ")[0].removeprefix("--") for problem in problems
    ]


@pytest.mark.parametrize("name", sorted(ANY_TEXT_GOES))
def test_a_nul_is_refused_wherever_any_other_text_goes(name: str) -> None:
    """
    No program can be given a NUL, so none gets that far.
    """
    (problem,) = problems_of(texts(Path()) | {name: "a\0b"})

    assert f"--{name} is 'a\\x00b': it must not hold a NUL character." == problem


def test_a_problem_shows_the_beginning_of_a_long_value() -> None:
    """
    A message stays readable whatever was pasted.
    """
    (problem,) = problems_of(texts(Path()) | {"loops": "9" * 5000})

    assert len(problem) < 200
    assert "must be a whole number from 1 to 100000" in problem


def test_problems_are_spelt_as_the_surface_spells_its_options() -> None:
    """
    The action speaks of inputs, the command line of flags.
    """
    with pytest.raises(UsageError) as caught:
        Settings.from_text(
            texts(Path()) | {"loops": "x"}, spelling=lambda one: f"Input {one.name}"
        )

    assert caught.value.problems[0].startswith("Input loops is 'x': it must be")


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n"])
def test_blank_means_not_given(blank: str | None) -> None:
    """
    An input that is left empty in a workflow has its default.
    """
    given: dict[str, str | None] = {option.name: blank for option in OPTIONS}

    settings = Settings.from_text(given | {"agent": "a"})

    assert Settings.from_text({"agent": "a"}) == settings
    assert 10 == settings.loops


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt": "a", "prompt-file": __file__}, "Both a prompt and a prompt file"),
        ({"var": "a=b"}, "A var is given, but there is no prompt file"),
        (
            {"backend": "command", "simulator": ""},
            "The command backend needs a command",
        ),
        ({"command": "true"}, "A command is given, but the backend is simulated"),
        (
            {"backend": "messages", "simulator": ""},
            "The messages backend needs a model",
        ),
        ({"backend": "claude-code"}, "A simulator profile is given"),
        ({"context": "agent"}, "context=agent is for claude-code"),
        ({"agent": ""}, "Neither an agent nor a prompt is given"),
        ({"prompt-file": "/nowhere"}, "Prompt file /nowhere: No such file"),
        ({"prompt-file": "/"}, "Prompt file /: Is a directory"),
    ],
)
def test_options_that_exclude_or_need_each_other_are_named(
    given: dict[str, str], expected: str
) -> None:
    """
    A combination that makes no sense is refused before any call.
    """
    assert any(one.startswith(expected) for one in problems_of(texts(Path()) | given))


@pytest.mark.parametrize(
    "given",
    [
        {"backend": "ai", "command": "true", "simulator": "seed=1", "agent": "a"},
        {"backend": "simulated", "agent": "-rf"},
        {"backend": "command", "command": "'", "agent": "a"},
    ],
)
def test_a_wrong_value_is_one_problem(given: dict[str, str]) -> None:
    """
    What only follows from it is not named beside it.
    """
    assert 1 == len(problems_of(given))


def test_several_conflicts_are_named_at_once() -> None:
    """
    Nobody has to run three times to hear of three mistakes.
    """
    problems = problems_of(
        {"backend": "messages", "command": "x", "var": "a=b", "loops": "none"}
    )

    assert 5 == len(problems)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b" \n", "empty, or with a NUL character"),
        (b"a\0b", "empty, or with a NUL character"),
        (b"x" * (MAX_PROMPT_BYTES + 1), f"larger than {MAX_PROMPT_BYTES} bytes"),
        (b"Hi {{nobody}}", "{{nobody}} has no value"),
    ],
)
def test_a_prompt_file_that_cannot_be_used_is_named(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    """
    The message has the path and what is wrong in it.
    """
    path = tmp_path / "prompt.md"
    path.write_bytes(content)

    problems = problems_of(texts(tmp_path, prompt_file=str(path)))

    assert (f"Prompt file {path}: {problem}.",) == problems


def test_a_prompt_file_is_filled_from_agent_model_and_vars(tmp_path: Path) -> None:
    """
    Built-in names and the user's own stand in one template.
    """
    path = tmp_path / "prompt.md"
    path.write_text("{{agent}} on {{model}}: {{what}}", encoding="utf-8")

    settings = Settings.from_text(
        texts(tmp_path, prompt_file=str(path), model="m-1", var="what=say hi")
    )

    assert "greeter on m-1: say hi" == settings.prompt
    assert not settings.classic


def test_without_a_prompt_the_classic_one_asks_the_named_agent(tmp_path: Path) -> None:
    """
    In the project's context by name; where the agent itself reads it, directly.
    """
    classic = Settings.from_text(texts(tmp_path))
    direct = Settings.from_text({"agent": "a", "context": "agent"})

    assert CLASSIC_PROMPT.replace("{{agent}}", "greeter") == classic.prompt
    assert DIRECT_PROMPT == direct.prompt
    assert classic.classic
    assert direct.classic


def test_a_prompt_without_an_agent_is_enough() -> None:
    """
    A model can be tested without a name for it.
    """
    settings = Settings.from_text({"prompt": "Say {{this}}.", "backend": "simulated"})

    assert "Say {{this}}." == settings.prompt
    assert Backend.SIMULATED is settings.backend
    assert "simulated-model" == settings.model


def test_public_options_are_plain_data() -> None:
    """
    What goes into the log is JSON, and has every field.
    """
    import json

    settings = Settings.from_text(texts(Path("x"), expect="equals:Yes"))
    public = json.loads(json.dumps(settings.public()))

    assert Expectation(ExpectMode.EQUALS, "Yes") == settings.expect
    assert "equals:Yes" == public["expect"]
    assert "x/out" == public["output_dir"]
    assert set(Settings.__dataclass_fields__) == set(public)
