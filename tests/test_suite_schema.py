"""
The JSON Schema of suite files: published, current, and of one mind with the loader.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fakes.runs import ROOT
from fakes.suites import DATA, GOOD, written
from jsonschema import Draft202012Validator

from reliability.checks.registry import check_classes
from reliability.options import OPTIONS
from reliability.suites import forms
from reliability.suites.schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = json_schema()


def test_the_published_schema_is_current() -> None:
    """
    What editors fetch is what `reliability schema` prints.
    """
    text = (ROOT / "schema" / "suite.schema.json").read_text(encoding="utf-8")

    assert json.dumps(SCHEMA, indent=2) + "\n" == text


def test_the_schema_is_a_schema() -> None:
    """
    It is valid draft 2020-12, and all its references lead somewhere.
    """
    Draft202012Validator.check_schema(SCHEMA)
    references = {one.rpartition("/")[2] for one in _references(SCHEMA)}

    assert set() == references - SCHEMA["$defs"].keys()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


@pytest.mark.parametrize("name", GOOD)
def test_good_files_fit_the_schema(name: str) -> None:
    """
    What the loader takes, an editor does not underline.
    """
    data = yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
    for case in data["cases"]:
        # To YAML 1.1 these are a number and a date; editors read YAML 1.2.
        case["prompt"] = str(case.get("prompt", "x"))
        case["checks"] = json.loads(json.dumps(case["checks"], default=str))
    found = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)]

    assert [] == found


def test_wrong_structure_does_not_fit_the_schema() -> None:
    """
    Of the files that people get wrong, an editor shows all that a schema can know.
    """
    known = [one for one in written() if not one.fits_schema]
    fitting = [
        one.name
        for one in known
        if Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(one.content))
    ]

    assert [] == fitting
    assert len(known) > 60


def test_every_check_and_every_option_is_explained() -> None:
    """
    Completion shows what a key is for.
    """
    checks = SCHEMA["$defs"]["WeighedCheck"]["properties"]
    case = SCHEMA["$defs"]["Case"]["properties"]

    assert {*check_classes(), "weight", "required"} == checks.keys()
    assert all(one["description"] for one in checks.values())
    assert [] == [
        name
        for name, option in forms.CASE_OPTIONS.items()
        if case[name]["description"] != option.help
    ]


def test_every_option_of_the_file_is_an_option() -> None:
    """
    The names that a file may have are those of flags, so neither can drift.
    """
    names = {option.name for option in OPTIONS}
    listed = {*forms._OF_CASES, *forms._OF_RUNS, *forms._OF_JUDGES}

    assert set() == listed - names
    assert {"run-as", "output-dir", "dry-run", "json", "artifact"} & listed == set()


def test_bounds_of_options_come_from_their_parsers() -> None:
    """
    The schema refuses the numbers and words that the flag refuses.
    """
    forms_of = {one.name: forms.json_form(one) for one in OPTIONS}

    assert (1, 100_000) == (
        forms_of["loops"]["minimum"],
        forms_of["loops"]["maximum"],
    )
    assert {"command", "simulated"} <= set(forms_of["backend"]["enum"])
    assert "boolean" == forms_of["parallel"]["type"]
    assert "anyOf" in forms_of["command"]
