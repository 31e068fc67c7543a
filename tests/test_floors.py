"""
The house stands: imports point down, and what is quick to start loads little.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from fakes.runs import ROOT, own_environ, python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "reliability"

# By unit (a module of the package, or a folder with all that is in it). Inside a floor
# the second number orders those units that stand on each other.
FLOORS: dict[str, tuple[int, int]] = {
    "": (0, 0),  # The package itself: the version.
    "errors": (0, 0),
    "clock": (0, 0),
    "exits": (0, 0),
    "choices": (1, 0),
    "kinds": (1, 0),
    "parsers": (1, 0),
    "template": (1, 0),
    "limits": (1, 0),
    "conditions": (1, 4),
    "transcript": (1, 0),
    "grades": (1, 2),
    "suite": (1, 3),
    "model": (1, 1),
    "run_result": (1, 2),
    "gate": (1, 4),
    "options": (1, 1),
    "settings": (1, 2),
    "redact": (2, 0),
    "escape": (2, 0),
    "process": (3, 0),
    "http": (3, 0),
    "journal": (3, 0),
    "simulator": (3, 0),
    "trials": (3, 0),
    "agents": (4, 0),
    "checks": (4, 0),
    "suites": (4, 1),
    "stats": (4, 0),
    "report": (4, 0),
    "kept": (4, 0),
    "earlier": (4, 2),
    "github": (4, 0),
    "reading": (4, 0),
    "consistency": (4, 0),
    "analysis": (4, 1),
    "results": (4, 1),
    "engine": (5, 0),
    "against": (6, 1),
    "run": (6, 0),
    "compare": (6, 0),
    "bisect": (6, 2),
    "merge": (6, 1),
    "regrade": (6, 1),
    "library": (7, 0),
    "cli": (7, 0),
    "action": (7, 1),
    "__main__": (8, 0),
}

# Who may import what from outside the standard library.
THIRD_PARTY = {
    "click": {"cli"},
    "tenacity": {"engine.retry", "github.transfer"},
    "pythonjsonlogger": {"journal.handler"},
    "yaml": {"agents.agent_file", "suites.document"},
    "pydantic": {"suites.parameters", "suites.shape", "suites.structure"},
    "jsonschema": {"checks.helper"},
    "jsonpath": {"checks.helper"},
}

# None of these may be loaded by `--help`: each costs more than all that is needed.
HEAVY = {
    *("tenacity", "pythonjsonlogger", "yaml", "logging", "hashlib"),
    *("asyncio", "http.client", "ssl", "socket", "concurrent.futures", "subprocess"),
    *("urllib.request", "zipfile", "ctypes", "xml.etree.ElementTree", "email"),
}
# The first are for suites and helper processes alone; the others are no dependency.
NEVER = {
    *("pydantic", "jsonschema", "jsonpath"),
    *("rich", "jinja2", "requests", "httpx", "anthropic", "numpy"),
}


def modules() -> dict[str, Path]:
    """
    Return every module of the package by its name below it.
    """
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts).removesuffix("__init__").removesuffix(".")] = path
    return found


def imported(path: Path, *, running: bool = False) -> Iterator[str]:
    """
    Yield the full name of everything that a file imports, wherever it does.

    Args:
        running: Leave out what only type checkers import.
    """
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if running and isinstance(node, ast.If) and is_for_types(node):
            continue
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_for_types(node: ast.If) -> bool:
    """
    Tell whether a block is `if TYPE_CHECKING:`.
    """
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def unit_of(name: str) -> str:
    """
    Return the unit that a dotted name below the package belongs to.
    """
    head = name.split(".", maxsplit=1)[0]
    return head if head in FLOORS else ""


def test_every_module_has_a_floor() -> None:
    """
    A new module says where it stands.
    """
    homeless = {name for name in modules() if name.split(".")[0] not in FLOORS}

    assert set() == homeless


def test_imports_only_point_down() -> None:
    """
    No module imports one on its own floor or above, save from its own package.
    """
    upward = []
    for name, path in modules().items():
        own = unit_of(name)
        for target in imported(path):
            head, _, rest = target.partition(".")
            other = unit_of(rest)
            if head == "reliability" and other != own and FLOORS[other] >= FLOORS[own]:
                upward.append(f"{name} -> {rest}")

    assert [] == upward


def test_only_listed_modules_import_from_outside() -> None:
    """
    Each library is imported where it is used and nowhere else.
    """
    strangers = []
    for name, path in modules().items():
        for target in imported(path, running=True):
            head = target.partition(".")[0]
            if head in sys.stdlib_module_names or head == "reliability":
                continue
            users = THIRD_PARTY.get(head, set())
            if not {name, name.partition(".")[0]} & users:
                strangers.append(f"{name} -> {target}")

    assert [] == strangers


def test_every_data_file_is_declared_as_package_data() -> None:
    """
    An installed package has every file that it reads.
    """
    import tomllib

    with (ROOT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)["tool"]["setuptools"]["package-data"]
    packed = {
        path for pattern in declared["reliability"] for path in PACKAGE.glob(pattern)
    }
    present = {
        path
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }

    assert set() == present - packed


def loaded_by(code: str, folder: Path) -> set[str]:
    """
    Return the names of all modules that *code* loads in a fresh interpreter.
    """
    watch = (
        "import atexit, os, sys\n"
        "def tell():\n"
        "    with open('modules.txt', 'w') as file:\n"
        "        file.write('\\n'.join(sys.modules))\n"
        "leave = os._exit\n"
        "os._exit = lambda code: (tell(), leave(code))\n"
    )
    done = subprocess.run(
        python("-c", watch + code),
        cwd=folder,
        env=own_environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set((folder / "modules.txt").read_text(encoding="utf-8").split("\n"))


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    """
    `--help` answers in the time that click and the options take.
    """
    code = f"from reliability.cli import main; main({words!r})"

    assert set() == loaded_by(code, tmp_path) & (HEAVY | NEVER)


def test_a_messages_run_loads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    """
    A run through the Messages client needs neither YAML nor any SDK.
    """
    words = ["run", "a", "--backend", "simulated", "--loops", "1"]
    words += ["--simulator", "latency=0,pass-rate=1", "--expect", "Hello"]
    loaded = loaded_by(f"from reliability.cli import main; main({words!r})", tmp_path)

    assert set() == loaded & (NEVER | {"yaml"})
    assert {"tenacity", "pythonjsonlogger", "http.client"} <= loaded
