"""
A kind of check that another package brings: the example of docs/checks.md, installed.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from fakes.evidence import evidence
from fakes.runs import ROOT, command_line

from reliability.checks.registry import check_classes
from reliability.errors import UsageError
from reliability.suites.statics import checks_of

if TYPE_CHECKING:
    from pathlib import Path

DOC = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
SUITE = """
version: 1
cases:
  - name: mirror
    prompt: x
    checks:
      - palindrome: {least: 5}
"""


def block(language: str, text: str) -> str:
    """
    Return the first block of the documentation in a language that has a text.
    """
    blocks = re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
    return next(one for one in blocks if text in one)


def install(folder: Path, point: str, code: str) -> None:
    """
    Put a distribution into a folder, as installers do.
    """
    about = folder / "my_checks-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "my_checks.py").write_text(code, encoding="utf-8")
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: my-checks\nVersion: 1.0\n"
    )
    (about / "entry_points.txt").write_text(f"[reliability.checks]\n{point}\n")


def documented() -> tuple[str, str]:
    """
    Return the entry point and the module of the documentation.
    """
    toml = block("toml", "reliability.checks")
    found = re.search(r'^(\w+) = "(.+)"$', toml, re.MULTILINE)
    assert found is not None
    return f"{found[1]} = {found[2]}", block("python", "BaseCheck")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Return a folder that Python finds packages in, for the time of a test.
    """
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "my_checks", raising=False)
    return folder


def test_the_documented_example_is_a_check(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With its parameters, its label, its reason; in both forms and inside groups.
    """
    install(site, *documented())
    classes = check_classes()
    one, two = checks_of(
        "[{palindrome: 5}, {not: {palindrome: {least: 5}}}]", classes, folder=site
    )
    monkeypatch.delitem(sys.modules, "my_checks")
    wrong = one.check.grade(evidence("Hello"))

    assert {"palindrome": 5} == one.spec()
    assert "palindrome:5" == one.check.label
    assert one.check.grade(evidence("Never odd or even")).passed
    assert not two.check.grade(evidence("Never odd or even")).passed
    assert "expected a palindrome of 5 or more characters" == wrong.reason


def test_a_run_grades_by_it(site: Path, tmp_path: Path) -> None:
    """
    In a process of its own, from a suite file to the exit code.
    """
    install(site, *documented())
    path = tmp_path / "reliability.yml"
    path.write_text(SUITE, encoding="utf-8")
    environ = {"PYTHONPATH": f"{site}:{ROOT}"}
    words = ("run", "--suite", path, "--backend", "simulated", "--loops", 1)
    ends = [
        command_line(
            *words,
            "--simulator",
            f"latency=0,answer={answer}",
            folder=tmp_path,
            environ=environ,
        )
        for answer in ("racecar", "Hello")
    ]

    assert [0, 1] == [end.returncode for end in ends], ends[0].stdout + ends[0].stderr
    assert "expected a palindrome" in ends[1].stdout + ends[1].stderr


def test_the_schema_knows_it(site: Path, tmp_path: Path) -> None:
    """
    Editors complete it where the package is installed.
    """
    install(site, *documented())
    environ = {"PYTHONPATH": f"{site}:{ROOT}"}

    assert '"palindrome"' in (
        command_line("schema", folder=tmp_path, environ=environ).stdout
    )


GOOD = documented()[1]
BARE = """
from dataclasses import dataclass
@dataclass
class Bare:
    KIND = 'bare'
    SHORT = 'a'
    a: int = 1
"""


@pytest.mark.parametrize(
    ("point", "code", "said"),
    [
        ("contains = my_checks:Palindrome", GOOD, "exists already"),
        ("palindrome = my_checks:Nothing", GOOD, "cannot be loaded: AttributeError"),
        ("palindrome = my_checks", GOOD, "is no dataclass"),
        ("palindrome = my_checks:evil", "def evil(): ...", "is no dataclass"),
        ("other = my_checks:Palindrome", GOOD, "another KIND: 'palindrome'"),
        (
            "palindrome = my_checks:Palindrome",
            GOOD.replace('"least"', '"most"'),
            "SHORT that is none of its fields",
        ),
        ("palindrome = my_checks:Palindrome", "raise OSError('no')", "OSError: no"),
        ("palindrome = my_checks:Palindrome", "raise SystemExit(0)", "SystemExit: 0"),
        ("palindrome = my_checks:Palindrome", "(", "SyntaxError"),
        (
            "bare = my_checks:Bare",
            BARE,
            "lacks grade, questions, spec",
        ),
    ],
)
def test_a_package_that_brings_no_check_is_named(
    point: str, code: str, said: str, site: Path
) -> None:
    """
    Before any call, and with what is wrong with it.
    """
    install(site, point, code)
    with pytest.raises(UsageError) as caught:
        check_classes()

    assert said in str(caught.value)
    assert repr(point.partition(" ")[0]) in str(caught.value)
