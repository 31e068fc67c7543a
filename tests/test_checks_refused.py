"""
What no trial could ever satisfy is refused at load, with file and line.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from fakes.evidence import evidence

from reliability.checks.command import Command
from reliability.checks.files import Files
from reliability.checks.json_answer import Json
from reliability.checks.registry import check_classes
from reliability.checks.sandbox import ask
from reliability.checks.text import Regex
from reliability.checks.tools import ToolUsed
from reliability.errors import CheckError, UsageError
from reliability.suites.loader import load_suite
from reliability.suites.statics import checks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = "version: 1\ncases:\n  - name: a\n    prompt: x\n    checks:\n"
BAD = [
    ("files: {exist: [../x]}", "must not lead out"),
    ("files: {exist: [a/../../x]}", "must not lead out"),
    ("files: {exist: [/etc/passwd]}", "must be relative"),
    ("files: {absent: [/x]}", "must be relative"),
    ("files: {changed: [../*]}", "must not lead out"),
    ("files: {unchanged: [/**]}", "must be relative"),
    ("files: {contain: {../x: a}}", "must not lead out"),
    ("files: {contain: {/x: a}}", "must be relative"),
    ("files: {exist: [.]}", "names no file"),
    ("files: {exist: [' ']}", "is no path"),
    ("files: {}", "says nothing"),
    ("json: {schema: {type: strin}}", "no JSON Schema: at $.type"),
    ("json: {schema: {pattern: '(a'}}", "no JSON Schema: at $.pattern"),
    ("json: {schema: {patternProperties: {'(a': {}}}}", "not a 'regex'"),
    ("json: {schema: {$schema: 'http://127.0.0.1/x'}}", "an unknown draft"),
    ("json: {schema: {$ref: '#/nope'}}", "is not in it"),
    ("json: {schema: {$ref: '#'}}", "refers to itself"),
    ("json: {schema: {$ref: 'file:///etc/passwd'}}", "nothing is fetched"),
    ("json: {path: '$['}", "no JSONPath"),
    ("json: '$[?nope(@)]'", "no JSONPath"),
    ("json: {equals: 1}", "equals needs a path"),
    ("regex: '(a'", "not a regular expression"),
    ("tool-used: {tool: a, input-matches: '['}", "not a regular expression"),
    ("tool-used: {tool: a, min: 3, max: 2}", "min is 3"),
    ("tool-order: []", "names no tool"),
    ("tool-not-used: []", "names no tool"),
    ("command: 'sh -c \"open'", "No closing quotation"),
    ("command: {run: '\"\"'}", "names no program"),
    ("command: {run: x, files: [a/grade.py, b/grade.py]}", "different names"),
    ("not: {files: {exist: [/x]}}", "must be relative"),
    ("any: [{json: '$['}]", "no JSONPath"),
]


@pytest.mark.parametrize(("check", "said"), BAD)
def test_what_makes_no_sense_is_told_with_file_and_line(
    check: str, said: str, tmp_path: Path
) -> None:
    """
    Before anything is paid for.
    """
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "grade.py").touch()
    path = tmp_path / "suite.yml"
    path.write_text(f"{HEAD}      - contains: y\n      - {check}\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_suite(path, {})
    (problem,) = caught.value.problems

    assert problem.startswith(f"{path}:7: cases[0].checks[1].")
    assert said in problem


@pytest.mark.parametrize(("check", "said"), BAD)
def test_a_list_in_an_option_is_looked_at_as_well(
    check: str, said: str, tmp_path: Path
) -> None:
    """
    The same checks, without a suite file.
    """
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "grade.py").touch()
    with pytest.raises(UsageError, match=r"checks:1: \[0\]") as caught:
        checks_of(f"- {check}", check_classes(), folder=tmp_path)

    assert said in str(caught.value)


@pytest.fixture
def visitors() -> Iterator[tuple[str, list[object]]]:
    """
    Serve an address, and collect whoever comes.
    """
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    visitor, address = server.accept()
                except OSError:
                    return
                came.append(address)
                visitor.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/schema", came
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize(
    "word", ["$ref", "$dynamicRef", "$id-nested", "$schema", "$recursiveRef"]
)
def test_a_schema_never_fetches_anything(
    word: str, visitors: tuple[str, list[object]]
) -> None:
    """
    Neither when it is loaded nor when an answer is graded, wherever the address is.
    """
    address, came = visitors
    schema = {"properties": {"a": {word: address}}, "not": {word: address}}
    if word == "$id-nested":
        hidden = {"$id": address, "$ref": "#/y"}
        schema = {"hidden": hidden, "$ref": "#/hidden"}  # type: ignore[dict-item]
    with suppress(ValueError):
        Json(schema=schema).grade(evidence('{"a": 1}'))

    assert [] == came


def test_a_helper_itself_fetches_nothing(visitors: tuple[str, list[object]]) -> None:
    """
    Also when nobody has looked at the schema before.
    """
    address, came = visitors
    with pytest.raises(CheckError, match="cannot decide"):
        ask(
            {"work": "json", "text": "{}", "schema": {"$ref": address}},
            what="the check",
            limit_s=10,
        )

    assert [] == came


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"$ref": "https://json-schema.org/draft/2020-12/schema"},
        {"$ref": "#/$defs/n", "$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": "#/definitions/a",
            "definitions": {"a": {}},
        },
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {
            "$id": "https://example.org/a",
            "$ref": "b",
            "$defs": {"b": {"$id": "b", "$anchor": "c"}},
            "items": {"$ref": "b#c"},
        },
    ],
)
def test_a_schema_that_refers_to_what_is_there_is_taken(
    schema: dict[str, object] | bool,
) -> None:
    """
    Published drafts come with the library; the rest is in the schema itself.
    """
    assert Json(schema=schema).grade(evidence("{}")).passed


def test_checks_refuse_without_a_loader_too(tmp_path: Path) -> None:
    """
    Whoever writes Python hears of it where the check is made.
    """
    with pytest.raises(ValueError, match="regular expression"):
        Regex(pattern="(a")
    with pytest.raises(ValueError, match="regular expression"):
        ToolUsed(tool="a", input_matches="(a")
    with pytest.raises(ValueError, match="is no path"):
        Files(exist=("a\0b",))
    with pytest.raises(ValueError, match="is no path"):
        Files(exist=("\ud800",))
    with pytest.raises(ValueError, match="names no program"):
        Command(run="a\0b")
    with pytest.raises(ValueError, match="longer than"):
        Json(path="$" + "[0]" * 10_000)
