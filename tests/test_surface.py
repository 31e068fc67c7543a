"""
One declaration, five surfaces: options, settings, flags, inputs and tables are equal.
"""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fakes.runs import ROOT, command_line, texts

import reliability.agents
import reliability.checks
import reliability.report
import reliability.stats
from reliability import __version__
from reliability.cli import running
from reliability.options import OPTIONS, Option
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import click

# Computed from the options, not given by them.
COMPUTED = {"classic"}

# A value that is not the default, for each option.
OTHER = {
    "agent": "other",
    "loops": "7",
    "parallel": "true",
    "max-workers": "9",
    "backend": "messages",
    "model": "some-model",
    "command": "true",
    "prompt": "Ask this.",
    "prompt-file": "prompt.md",
    "var": "name=value",
    "expect": "equals:Yes",
    "suite": "suite.yml",
    "case": "greets*",
    "tag": "quick",
    "checks": "[{contains: Hello}]",
    "seed": "42",
    "min-pass-rate": "0.9",
    "confidence": "0.99",
    "against": "HEAD",
    "margin": "0.07",
    "baseline": "before.jsonl",
    "expected-rate": "0.95",
    "gate": "all-cases",
    "early-stop": "true",
    "on-stop": "drain",
    "max-invalid": "0.1",
    "allow-unreachable": "true",
    "on-inconclusive": "warn",
    "output-dir": "elsewhere",
    "filename": "base",
    "delay": "2.5",
    "timeout": "90s",
    "max-attempts": "2",
    "permission-mode": "plan",
    "context": "agent",
    "claude-args": "--verbose",
    "max-output-tokens": "77",
    "prices": "prices.json",
    "simulator": "seed=9",
    "requests-per-minute": "60",
    "max-cost-usd": "2.5",
    "max-tokens": "100000",
    "max-minutes": "30",
    "isolation": "worktree",
    "run-as": "root",
    "pass-env": "SOME_NAME",
    "setup": "make ready",
    "teardown": "make clean",
    "dry-run": "true",
    "quiet": "true",
    "json": "true",
}


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """
    Load `scripts/tables.py`, which is no package.
    """
    spec = importlib.util.spec_from_file_location("tables", ROOT / "scripts/tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """
    Load `action.yml`.
    """
    loaded = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def of_surface(surface: str) -> list[Option]:
    """
    Return the options that a surface has.
    """
    return [one for one in OPTIONS if one.where in {"everywhere", surface}]


def flags() -> dict[str, click.Parameter]:
    """
    Return the parameters of `reliability run` by field.
    """
    return {str(one.name): one for one in running.run.params}


def test_no_two_options_share_a_name_field_or_variable() -> None:
    """
    Each is found by any of its spellings.
    """
    for spelling in ("name", "field", "variable"):
        names = [getattr(option, spelling) for option in OPTIONS]

        assert sorted(set(names)) == sorted(names)


def test_settings_have_a_field_for_each_option_and_nothing_else() -> None:
    """
    What can be given is kept, and what is kept can be given.
    """
    expected = {option.field for option in OPTIONS} | COMPUTED

    assert expected == {field.name for field in fields(Settings)}


def test_click_has_a_flag_for_each_option_of_the_command_line() -> None:
    """
    Names are spelt alike, switches have their negation, and defaults are not click's.
    """
    found = flags()

    assert {option.field for option in of_surface("cli")} == set(found)
    for option in of_surface("cli"):
        flag = found[option.field]
        name = "agent" if option.name == "agent" else f"--{option.name}"
        assert name in flag.opts
        if not option.metavar:
            assert [f"--no-{option.name}"] == flag.secondary_opts
        assert option.repeat == flag.multiple


def test_action_inputs_are_the_options_with_their_defaults(
    action: dict[str, Any],
) -> None:
    """
    `action.yml` has each input, not required, with the default of the options.
    """
    expected = {option.name: (option.default, False) for option in of_surface("action")}
    inputs = action["inputs"]

    assert expected == {
        name: (one["default"], one["required"]) for name, one in inputs.items()
    }
    for option in of_surface("action"):
        described = " ".join(inputs[option.name]["description"].split())
        assert " ".join(option.help.split()) == described


def test_the_files_hold_the_tables_that_are_made_of_the_options(
    tables: ModuleType,
) -> None:
    """
    `python scripts/tables.py` would change nothing.
    """
    for path, text in tables.current().items():
        assert text == path.read_text(encoding="utf-8"), f"{path.name} is out of date"


def test_help_mentions_each_option_its_variable_and_its_default(
    tmp_path: Path,
) -> None:
    """
    `reliability run --help` tells everything that can be given.
    """
    done = command_line("run", "--help", folder=tmp_path, environ={"COLUMNS": "200"})
    shown = " ".join(done.stdout.split())

    for option in of_surface("cli"):
        if option.name == "agent":
            assert "[AGENT]" in shown
            continue
        assert f"--{option.name}" in shown
        assert f"env {option.variable}" in shown
        if option.metavar and option.default:
            assert f"default {option.default};" in shown


@pytest.mark.parametrize(
    "option",
    of_surface("cli"),
    ids=lambda one: one.name,
)
def test_each_option_is_read_from_its_variable_and_the_flag_wins(
    option: Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    RELIABILITY_NAME does what --name does, and gives way to it.
    """
    monkeypatch.setenv(option.variable, OTHER[option.name])

    assert OTHER[option.name] == running.text_of(option, None)
    assert "given" == running.text_of(option, "given")


def test_options_of_the_action_are_not_read_from_the_command_lines_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A variable for an input of the action has no effect on the command.
    """
    for option in OPTIONS:
        if option.where == "action":
            monkeypatch.setenv(option.variable, "nonsense")

            assert running.text_of(option, None) is None


def test_every_default_is_a_value_of_its_option() -> None:
    """
    Defaults pass the parser that is before everybody's values.
    """
    for option in OPTIONS:
        if option.default:
            option.parse(option.default)


def test_other_values_are_kept_under_the_name_of_the_option(tmp_path: Path) -> None:
    """
    What is given for an option arrives in its field, and in none beside it.
    """
    base = Settings.from_text(texts(tmp_path)).public()
    for name in ("loops", "parallel", "quiet", "json", "filename", "delay", "timeout"):
        changed = Settings.from_text(texts(tmp_path) | {name: OTHER[name]}).public()
        field = name.replace("-", "_")

        assert {field} == {key for key in base if base[key] != changed[key]}


def test_packages_declare_what_others_may_use() -> None:
    """
    Each `__all__` is sorted and names things that are there.
    """
    for package in (
        reliability.agents,
        reliability.checks,
        reliability.report,
        reliability.stats,
    ):
        declared = package.__all__

        assert sorted(set(declared)) == sorted(declared)
        assert all(hasattr(package, name) for name in declared)


def test_the_library_call_has_the_parameters_that_callers_rely_on() -> None:
    """
    `run(settings)` is enough; everything else is by keyword and has a default.
    """
    from reliability.run import run

    first, *others = inspect.signature(run).parameters.values()

    assert "settings" == first.name
    assert {"environ", "workspace", "display", "cancellation", "clock"} <= {
        one.name for one in others
    }
    assert all(one.kind is one.KEYWORD_ONLY and one.default is None for one in others)


def test_the_version_is_one(tmp_path: Path) -> None:
    """
    `--version` says what the package says.
    """
    done = command_line("--version", folder=tmp_path)

    assert f"reliability, version {__version__}\n" == done.stdout
