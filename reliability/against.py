"""
The suite of a run that holds the working tree against a commit.

Every case becomes two: `base` with agent files, prompt and options as the commit has
them, and `head` with those of the working tree. Both are graded by the checks of the
working tree, or a change of them would look like one of the agent. The rounds of a run
take the two arms in turn and shuffled, so a drift of the service hits both alike.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.agents.checkout import Checkout, find_checkout
from reliability.choices import Backend, Isolation
from reliability.clock import SystemClock
from reliability.compare import baseline_of
from reliability.engine.history import checked_out, checkouts_folder
from reliability.engine.tools import Tools
from reliability.errors import AgentSetupError, UsageError
from reliability.suite import Workspace
from reliability.suites.opening import open_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from reliability.options import Option
    from reliability.suite import Case, Suite

_NAME = "against"
_FILES = ("suite", "prompt-file")
"""Options whose file is another one in another commit."""


@contextmanager
def opened_suite(
    given: Mapping[str, str | None],
    *,
    environ: Mapping[str, str],
    workspace: Path,
    spelling: Callable[[Option], str] = lambda option: f"--{option.name}",
    also: Callable[[Mapping[str, Any]], list[str]] | None = None,
) -> Iterator[Suite]:
    """
    Open the suite that is asked for, in two arms when `against` is.

    Args:
        given, spelling, also: As for `open_suite`.
        workspace: In the repository that `against` names a commit of.

    Raises:
        UsageError: with every problem found, in either state; nothing was called.
        AgentSetupError: when there is no such commit.
        ToolError: when it cannot be checked out.
    """
    head = open_suite(given, spelling=spelling, also=also, folder=workspace)
    ref = head.settings.against
    if head.settings.baseline is not None:
        head = replace(head, baseline=baseline_of(head.settings.baseline, head))
    if not ref:
        yield head
        return
    checkout = _commit(workspace, environ, ref)
    _refuse_without_rooms(head)
    tools = Tools(environ, name=_NAME, clock=SystemClock(), cancel=threading.Event())
    with (
        checkouts_folder(tools) as folder,
        checked_out(checkout, folder, tools) as tree,
    ):
        files = tree / checkout.prefix
        texts = {**given, **_moved(given, workspace, files)}
        base = open_suite(texts, also=also, folder=files)
        yield _in_arms(base, head, files, checkout.commit, ref)


def _commit(workspace: Path, environ: Mapping[str, str], ref: str) -> Checkout:
    """
    Find a commit by its name, or by that of a branch that was only fetched.
    """
    for name in (ref, f"origin/{ref}"):
        try:
            return find_checkout(workspace, environ, ref=name)
        except AgentSetupError as error:
            last = error
    raise AgentSetupError(
        f"The commit to hold against, {ref!r}, is not in this repository: {last}",
        remedy="Fetch it; in a workflow check out with fetch-depth: 0.",
    )


def _refuse_without_rooms(suite: Suite) -> None:
    """
    Refuse agents that work in the workspace itself: there is only one of it.
    """
    with_folder = {Backend.COMMAND, Backend.CLAUDE_CODE}
    for case in suite.cases:
        settings = case.settings
        if settings.backend in with_folder and settings.isolation is Isolation.NONE:
            raise UsageError(
                "against needs a folder for each arm, and the isolation is none.",
                remedy="Choose isolation copy or worktree.",
            )


def _moved(
    given: Mapping[str, str | None], workspace: Path, files: Path
) -> dict[str, str]:
    """
    Return the options that name a file of the workspace, as the commit has it.
    """
    moved = {}
    for name in _FILES:
        text = (given.get(name) or "").strip()
        if not text:
            continue
        path = (workspace / text).resolve()
        if path.is_relative_to(workspace.resolve()):
            there = files / path.relative_to(workspace.resolve())
            if there.is_file():
                moved[name] = str(there)
    return moved


def _in_arms(base: Suite, head: Suite, files: Path, commit: str, ref: str) -> Suite:
    before = {case.name: case for case in base.cases}
    cases: list[Case] = []
    warnings = list(head.warnings)
    for case in head.cases:
        if case.name not in before:
            text = f"Case {case.name} is not in {ref}, so it is not compared."
            warnings.append(text)
            continue
        cases += _two(before.pop(case.name), case, files, commit)
    warnings += [f"Case {name} is only in {ref}: not compared." for name in before]
    if not cases:
        raise UsageError(
            f"No case of the suite is in {ref} too, so there is nothing to compare.",
            remedy="Name an older state that has them, or run without against.",
        )
    return replace(head, cases=tuple(cases), warnings=tuple(warnings))


def _two(base: Case, head: Case, files: Path, commit: str) -> tuple[Case, Case]:
    """
    Return both arms of a case.
    """
    shared = head.settings
    # What concerns the run as a whole is head's.
    settings = replace(
        base.settings,
        loops=shared.loops,
        suite=shared.suite,
        output_dir=shared.output_dir,
        against=shared.against,
    )
    return (
        replace(
            head,
            name=f"{head.name} [base]",
            settings=settings,
            variables=base.variables,
            workspace=Workspace(folder=files, ref=commit),
            arm="base",
            pair=head.name,
            files=files,
        ),
        replace(head, name=f"{head.name} [head]", arm="head", pair=head.name),
    )
