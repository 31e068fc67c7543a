"""
What can be told of a file before its cases are made, also of cases that are broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.suites.checklist import Checklist
from reliability.suites.document import read_document
from reliability.suites.files import Files
from reliability.suites.problems import Problems
from reliability.suites.variables import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path as FilePath

    from reliability.suite import Weighed
    from reliability.suites.nodes import Node
    from reliability.suites.problems import Path
    from reliability.suites.whole import Whole


def check_statically(whole: Whole) -> None:
    """
    Note what is wrong with variables, folders, and the checks of cases that are broken.

    The checks of the others are read when the variables in them are known.
    """
    root = whole.root
    cases = [("cases", index) for index in range(len(root.at(("cases",)).items or ()))]
    for path in [("defaults",), (), *cases]:
        node = root.find(path)
        if node is None:
            continue
        _check_variables(whole, node.find(("vars",)), (*path, "vars"))
        matrix = node.find(("matrix", "vars"))
        _check_variables(whole, matrix, (*path, "matrix", "vars"))
        _check_folder(whole, node, path)
    is_common_wrong = any(
        whole.problems.are_under((key,)) for key in ("defaults", "matrix")
    )
    for path in cases:
        if is_common_wrong or whole.problems.are_under(path):
            _check_checks(whole, root.at(path), path)


def _check_variables(whole: Whole, node: Node | None, path: Path) -> None:
    for place, one in _values_in(node, path):
        if one.raw is None or one.value is None:
            text = "must have a value: a text or a number"
            whole.problems.add(one.line, place, text)


def _values_in(node: Node | None, path: Path) -> Iterator[tuple[Path, Node]]:
    """
    Yield the values of variables, and where each is.
    """
    for name, one in ((node.keys if node is not None else None) or {}).items():
        if one.items is None or "matrix" not in path:
            yield (*path, name), one
        else:
            yield from (
                ((*path, name, index), item) for index, item in enumerate(one.items)
            )


def _check_folder(whole: Whole, node: Node, path: Path) -> None:
    folder = node.find(("workspace", "folder"))
    if folder is None or not isinstance(folder.value, str) or not folder.value:
        return
    try:
        whole.files.place(folder.value)
    except ValueError as error:
        whole.problems.add(folder.line, (*path, "workspace", "folder"), str(error))


def _check_checks(whole: Whole, node: Node, path: Path) -> None:
    checks = node.child("checks")
    checklist = Checklist(
        classes=whole.classes, files=whole.files, problems=whole.problems
    )
    for index, one in enumerate((checks.items if checks is not None else None) or ()):
        if not names_in(one.data()):
            checklist.read(one, (*path, "checks", index))


def checks_of(
    text: str,
    classes: Mapping[str, type],
    *,
    folder: FilePath,
    may_ask: bool = False,
) -> tuple[Weighed, ...]:
    """
    Return the checks of a YAML list that stands in an option, or in a log.

    Args:
        folder: What the files in it are relative to.
        may_ask: Judges are taken too: their answers are there.

    Raises:
        UsageError: with every problem.
    """
    problems = Problems("checks")
    root = read_document(text.encode(), problems)
    if not root.items:
        problems.add(root.line, (), "must be a list such as `[{contains: Hello}]`")
    checklist = Checklist(classes=classes, files=Files(folder), problems=problems)
    found = [
        checklist.read(one, (index,)) for index, one in enumerate(root.items or ())
    ]
    if not may_ask and any(one is not None and one.asks for one in found):
        problems.add(
            root.line, (), "a judge needs a suite, which says what model it is"
        )
    problems.raise_any()
    return tuple(one.weighed for one in found if one is not None)
