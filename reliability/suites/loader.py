"""
From a suite file to a suite, or to everything that is wrong with it.

What the user gave beside the file wins over it. Nothing is started, and no agent is
looked for: that a name in the file is one of an agent is not known here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.errors import UsageError
from reliability.settings import Settings
from reliability.suite import Suite
from reliability.suites import forms
from reliability.suites.cases import expand
from reliability.suites.decoding import MAX_FILE_BYTES
from reliability.suites.document import read_document
from reliability.suites.files import Files
from reliability.suites.layers import given_layer, layer_of, merged
from reliability.suites.problems import Problems
from reliability.suites.single import single_case
from reliability.suites.statics import check_statically, checks_of
from reliability.suites.structure import validated
from reliability.suites.whole import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.options import Option
    from reliability.suites.layers import Layer
    from reliability.suites.nodes import Node

DEFAULT_FILES = ("reliability.yml", "reliability.yaml")
"""Where a suite is looked for when none is named, in this order."""


def load_suite(
    path: Path,
    given: Mapping[str, str | None],
    *,
    spelling: Callable[[Option], str] = lambda option: f"--{option.name}",
    read_text: Callable[[Path], str] | None = None,
    also: Callable[[Mapping[str, Any]], list[str]] | None = None,
) -> Suite:
    """
    Read a suite file.

    Args:
        given: Texts of the options that the user gave himself, and of no others: they
            win over the file.
        spelling: How the surface at hand writes an option, for the messages.
        read_text: Reads a prompt file that the user gave; by default from the disk.
        also: Finds more problems in a case's parsed options, as in
            `Settings.from_text`.

    Raises:
        UsageError: with every problem found, in the order of the file.
    """
    import hashlib

    from reliability.checks.registry import check_classes

    content = _read(path)
    problems = Problems(str(path))
    root = read_document(content, problems)
    _check_structure(root, problems)
    files = Files(path.absolute().parent)
    whole = Whole(
        root=root,
        file=path.absolute(),
        files=files,
        problems=problems,
        classes=check_classes(),
        defaults=_layer(root, ("defaults",), forms.DEFAULT_OPTIONS, files, problems),
        agents=_agents(root, files, problems),
        given=given_layer(given, spelling, problems),
        variables={},
        read_text=read_text or (lambda named: Files(Path()).text(str(named))),
        also=also,
    )
    whole.variables = _given_variables(whole.given)
    layers = [
        _layer(root, ("cases", index), forms.CASE_OPTIONS, files, problems)
        for index in range(len(root.at(("cases",)).items or ()))
    ]
    check_statically(whole)
    cases = expand(whole, layers)
    judge = _judge(whole)
    rate = merged([whole.defaults], whole.given).get("min-pass-rate")
    problems.raise_any()
    return Suite(
        cases=tuple(cases),
        min_pass_rate=float(rate.text) if rate is not None else 1.0,
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        judge=judge,
    )


SIMULATED_VOTE = 'pass-rate=1,answer={"pass": true}'
"""What a simulated judge says unless its own `simulator` says otherwise: any other
answer is no vote, and every trial would be invalid."""


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"The suite {path} cannot be read: {error.strerror}.",
            remedy="Write one with `reliability init`, or name another.",
        ) from None


def _check_structure(root: Node, problems: Problems) -> None:
    from reliability.suites.shape import keys_of, suite_model

    if root.keys is None:
        problems.add(root.line, (), "must be a mapping with the keys version and cases")
        problems.raise_any()
    validated(
        suite_model(),
        root.data(),
        node=root,
        where=lambda inner: inner,
        problems=problems,
        keys_of=keys_of,
    )


def _layer(
    root: Node,
    path: tuple[str | int, ...],
    options: Mapping[str, Option],
    files: Files,
    problems: Problems,
) -> Layer:
    return layer_of(
        root.find(path), path, options=options, files=files, problems=problems
    )


def _agents(root: Node, files: Files, problems: Problems) -> dict[str, Layer]:
    agents = root.child("agents")
    return {
        name: _layer(root, ("agents", name), forms.AGENT_OPTIONS, files, problems)
        for name in (agents.keys if agents is not None else None) or {}
    }


def _given_variables(given: Layer) -> dict[str, str]:
    if "var" not in given:
        return {}
    return dict(forms.BY_NAME["var"].parse(given["var"].text))


def _judge(whole: Whole) -> Settings | None:
    """
    Return the options of the model that judges ask; None when no check asks one.
    """
    node = whole.root.child("judge")
    problems = whole.problems
    layer = _layer(whole.root, ("judge",), forms.JUDGE_OPTIONS, whole.files, problems)
    if not whole.asks or problems.are_under(("judge",)):
        return None
    # The simulator stands for every service, or a trial run would need a key.
    given = {}
    if "backend" in whole.given and whole.given["backend"].text == "simulated":
        given = {"backend": whole.given["backend"]}
    elif node is None:
        text = "a check asks a model; say which, such as `judge: {model: NAME}`"
        problems.add(1, ("judge",), text)
        return None
    said = merged([layer], given)
    texts = {name: one.text for name, one in said.items()}
    if texts.get("backend") == "simulated":
        texts = {"simulator": SIMULATED_VOTE, **texts}
    try:
        return Settings.from_text(
            {"agent": "judge", "backend": "messages", **texts}, also=whole.also
        )
    except UsageError as error:
        line = node.line if node is not None else 1
        for problem in error.problems:
            problems.add(line, ("judge",), problem.rstrip("."))
        return None


def suite_of(settings: Settings) -> Suite:
    """
    Return the suite of a run without a file: one case, made of the options.

    Raises:
        UsageError: when the checks that the options give are none.
    """
    if not settings.checks:
        return single_case(settings)
    from reliability.checks.registry import check_classes

    checks = checks_of(settings.checks, check_classes(), folder=Path())
    return single_case(settings, checks)
