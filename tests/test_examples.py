"""
What people copy must work: examples and workflows agree with action and image.

Linters check the syntax of these files; none of them knows an input that does not
exist.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
OWN: dict[str, Any] = yaml.safe_load(
    (ROOT / "examples/own-toolchain/action.yml").read_text()
)
WORKFLOWS = sorted(
    [
        *ROOT.glob(".github/workflows/*.yml"),
        *ROOT.glob("examples/**/*.yml"),
        ROOT / "tests/docker/workflow.yml",
    ]
)
# Ours are named by tag or path: the commit of a release is not known before it.
OURS = ("./", "./.github/actions/reliability", "org/reliability-action@v1")


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """
    Yield every step of a workflow; an action's own file has none.
    """
    for job in yaml.safe_load(path.read_text()).get("jobs", {}).values():
        yield from job["steps"]


def named(paths: list[Path]) -> list[Any]:
    """
    Return the paths as parameters whose ids a person can read.
    """
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


@pytest.mark.parametrize("path", named(WORKFLOWS))
def test_workflows_name_only_inputs_and_outputs_that_exist(path: Path) -> None:
    """
    GitHub only warns of an unknown input and leaves an unknown output empty.
    """
    ours = [step for step in steps(path) if step.get("uses") in OURS]
    inputs = {name for step in ours for name in step.get("with", {})}
    ids = {step["id"] for step in ours if "id" in step}
    outputs = {
        name
        for step_id, name in re.findall(
            r"steps\.([\w-]+)\.outputs\.([\w-]+)", path.read_text()
        )
        if step_id in ids
    }

    assert set() == inputs - set(ACTION["inputs"])
    assert set() == outputs - set(ACTION["outputs"])


@pytest.mark.parametrize("path", named(WORKFLOWS))
def test_actions_of_others_are_pinned_by_commit(path: Path) -> None:
    """
    A tag of somebody else's action can be moved to other code.
    """
    uses = [step["uses"] for step in steps(path) if "uses" in step]
    loose = [
        name
        for name in uses
        if name not in OURS and not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)
    ]

    assert [] == loose


def test_no_example_leaves_the_jobs_token_to_the_agent() -> None:
    """
    An agent can read what actions/checkout keeps, unless it is told to keep nothing.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    found = [step for block in blocks for step in _steps_of(yaml.safe_load(block))]
    for path in ROOT.glob("examples/**/*.yml"):
        found += steps(path)
    kept = [
        step.get("with", {}).get("persist-credentials")
        for step in found
        if str(step.get("uses", "")).startswith("actions/checkout@")
    ]

    assert kept
    assert {False} == set(kept)


def _steps_of(block: object) -> list[dict[str, Any]]:
    """
    Return the steps of a piece of a workflow that is nothing but steps.
    """
    return block if isinstance(block, list) else []


def test_own_action_declares_what_ours_has() -> None:
    """
    The wrapped action passes its inputs through by name, with the same defaults.
    """
    defaults = {
        name: ACTION["inputs"][name].get("default")
        for name in OWN["inputs"]
        if name not in {"agent", "parallel"}
    }

    assert set() == set(OWN["inputs"]) - set(ACTION["inputs"])
    assert set() == set(OWN["outputs"]) - set(ACTION["outputs"])
    assert defaults == {name: OWN["inputs"][name].get("default") for name in defaults}


def test_release_finds_the_line_that_it_replaces() -> None:
    """
    The release workflow writes the image's digest over one exact line of action.yml.
    """
    script = (ROOT / ".github/workflows/release.yml").read_text()
    pattern = re.search(r'sed -i "s\|\^(.*?)\\\$\|', script)

    assert pattern is not None
    assert 1 == (ROOT / "action.yml").read_text().splitlines().count(pattern[1])


def test_one_base_image_everywhere() -> None:
    """
    The image that a release pins is the one that the Dockerfile and the tests name.
    """
    (base,) = re.findall(
        r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    others = {
        found
        for name in (".github/workflows/release.yml", ".github/workflows/ci.yml")
        for found in re.findall(r"python:3[\w.-]+", (ROOT / name).read_text())
    }

    assert {base} == others
    assert f'"{base}"' in (ROOT / "tests/docker/containers.py").read_text()
