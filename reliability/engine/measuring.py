"""
A suite as it is measured at a commit: the same questions, the commit's files.

What the suite's file names below the repository means the same place of the checkout:
folders that agents work in, and files that no agent may see. A workspace that names a
commit of its own has nothing to do with the one at hand and stays what it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reliability.agents.agent_file import find_agent_file
from reliability.choices import Backend
from reliability.errors import AgentSetupError, MeasureError
from reliability.kinds import ErrorKind

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.run_result import RunResult
    from reliability.suite import Case, Suite, Workspace

_COMMITS_OWN = {
    ErrorKind.SETUP_FAILED,
    ErrorKind.MISSING_PROGRAM,
    ErrorKind.CONFIGURATION,
}
"""What keeps every attempt from beginning and may well be otherwise at the next."""


def suite_at(
    suite: Suite, *, top: Path, tree: Path, workspace: Path, **changes: Any
) -> Suite:
    """
    Return *suite* for a checkout, without gate or early stop: all trials are counted.

    Args:
        top: Top folder of the user's work tree.
        tree: That of the checkout.
        workspace: The user's own.
        changes: Other options of every case, by field name.
    """
    always = {"early_stop": False, "min_pass_rate": 1.0, "dry_run": False}
    cases = [
        replace(
            case,
            settings=replace(case.settings, **{**always, **changes}),
            workspace=_workspace_at(case, top, tree, workspace),
            hidden=(*case.hidden, *(_moved(path, top, tree) for path in case.hidden)),
        )
        for case in suite.cases
    ]
    return replace(suite, cases=tuple(cases), min_pass_rate=1.0)


def agents_with_file(suite: Suite, workspace: Path) -> set[str]:
    """
    Return those agents of Claude Code that have their file in *workspace*.

    Raises:
        UsageError: when a file that is meant cannot be read.
    """
    names = {
        case.settings.agent
        for case in suite.cases
        if case.settings.backend is Backend.CLAUDE_CODE and case.settings.agent
    }
    return {name for name in names if find_agent_file(name, [workspace]) is not None}


def why_not(result: RunResult) -> MeasureError:
    """
    Return why no trial was measured: AgentSetupError when that is the commit's own.
    """
    why = Counter((trial.kind, trial.reason) for trial in result.trials)
    ((kind, reason), _), *_ = why.most_common(1) or [(("", "none began"), 0)]
    text = f"No trial could be measured: {reason.rstrip('.')}."
    if kind in _COMMITS_OWN:
        return AgentSetupError(text)
    remedy = f"The log is {result.log}; when that is mended, --resume goes on."
    return MeasureError(text, remedy=remedy)


def _workspace_at(case: Case, top: Path, tree: Path, workspace: Path) -> Workspace:
    own = case.workspace
    if own.ref:
        return replace(own, folder=own.folder or workspace)
    if own.folder is None:
        return own
    return replace(own, folder=_moved(own.folder, top, tree))


def _moved(path: Path, top: Path, tree: Path) -> Path:
    """
    Return the place of the checkout that a path below *top* means; else the path.
    """
    for one in (path, path.resolve()):
        if one.is_relative_to(top):
            return tree / one.relative_to(top)
    return path
