"""
A suite: the cases of a run, each with its agent, its prompt and its checks.

A run without a suite file has one case, made of the options. Everything of a case that
is an option too (prompt, model, timeout, ...) stands in its `settings`, so there is one
meaning and one validation of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reliability.grades import Check
    from reliability.settings import Settings

DEFAULT_CASE = "prompt"
"""Name of the only case of a run without a suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """
    A check and what it weighs among the checks of its case.

    Args:
        weight: Above 0; of the mean score.
        required: The trial fails when this check does, whatever the mean is.
    """

    check: Check
    weight: float = 1.0
    required: bool = False

    def spec(self) -> dict[str, Any]:
        """
        Return the check as a suite file has it, JSON-like, with its weight.
        """
        spec = dict(self.check.spec())
        if self.weight != 1:
            spec["weight"] = self.weight
        if self.required:
            spec["required"] = True
        return spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """
    What an agent's folder is made from.

    Args:
        folder: Copied instead of the workspace; None for the workspace itself.
        ref: A commit of the folder's repository, checked out; empty for the files as
            they are.
    """

    folder: Path | None = None
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One case of a run.

    Args:
        name: Unique in the run; a matrix adds its values, as in `greets [model=x]`.
        settings: Every option as it is for this case; `settings.loops` is its own.
        checks: All must pass when `pass_mark` is 1.
        pass_mark: The weighted mean score from which a trial passes, above 0 to 1.
        variables: What replaced the names in the prompt.
        tags: In the order of the file.
        hidden: Files of its checks, as absolute paths, which no agent may see.
        arm: `base` or `head` when two states of a repository are compared; else empty.
        pair: The name that both arms of the case have in common.
        files: Where its agent's files are looked for; None for the workspace.
    """

    name: str
    settings: Settings
    checks: tuple[Weighed, ...] = ()
    pass_mark: float = 1.0
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    workspace: Workspace = field(default_factory=Workspace)
    hidden: tuple[Path, ...] = ()
    arm: str = ""
    pair: str = ""
    files: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """
        Return what the log keeps of the case: all that could change an outcome.
        """
        settings = self.settings
        arm = {"arm": self.arm, "pair": self.pair} if self.arm else {}
        # The checkout of an arm is made anew each time; its commit says what it is.
        folder = None if self.files else self.workspace.folder
        return {
            "name": self.name,
            **arm,
            "agent": settings.agent,
            "backend": settings.backend.value,
            "model": settings.model,
            "loops": settings.loops,
            "min_pass_rate": settings.min_pass_rate,
            "prompt": settings.prompt,
            "variables": dict(self.variables),
            "tags": list(self.tags),
            "pass_mark": self.pass_mark,
            "checks": [weighed.spec() for weighed in self.checks],
            "workspace": {
                "folder": str(folder or ""),
                "ref": self.workspace.ref,
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """
    The cases of a run, in the order of the file; never empty.

    Args:
        path: The file; None when the options alone made the case.
        sha256: Of the file; empty without one.
        judge: The options of the model that judges ask; None when no check asks one.
        given: Texts of the options that were given beside the file, and its path: what
            leads to this suite again. Empty without a file.
        min_pass_rate: Of the run as a whole; a case may have its own.
        baseline: As in `Gate`.
        warnings: Sentences for the user that are no reason to stop.
    """

    cases: tuple[Case, ...]
    path: Path | None = None
    sha256: str = ""
    judge: Settings | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    min_pass_rate: float = 1.0
    warnings: tuple[str, ...] = ()
    baseline: Mapping[str, Sequence[int]] | None = None

    @property
    def settings(self) -> Settings:
        """
        The options that concern the run as a whole, which all cases share.
        """
        return self.cases[0].settings

    @property
    def trials(self) -> int:
        """
        How many trials it plans.
        """
        return sum(case.settings.loops for case in self.cases)
