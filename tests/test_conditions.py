"""
What differs between two runs is told in one sentence each, and nothing else is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reliability import __version__
from reliability.conditions import Conditions, described
from reliability.model import Setup
from reliability.options import OPTIONS
from reliability.options.shape import NOT_COMPARED, RUN_SHAPE
from reliability.settings import Settings
from reliability.suites.single import single_case

SETTINGS = Settings.from_text({"agent": "reviewer", "prompt": "Go."})
SETUP = Setup(
    versions={"claude-code": "2.1.0"},
    fingerprint={"cli_version": "2.1.0", "agent_file_sha256": "1a2b" * 16},
)


def conditions(
    settings: Settings = SETTINGS, setup: Setup = SETUP, **changes: Any
) -> Conditions:
    """
    Return the conditions of a run; *changes* replace members of the whole.
    """
    found = Conditions.of(
        settings, described(single_case(settings), setup), lambda value: value
    )
    return replace(found, **changes)


def test_equal_conditions_have_no_difference() -> None:
    """
    A run like the one before can be counted with it.
    """
    assert () == conditions().differences(conditions())


@pytest.mark.parametrize(
    ("member", "now", "said"),
    [
        ("agent_file_sha256", "3c4d" * 16, "was 1a2b1a2b1a2b..., is 3c4d3c4d3c4d..."),
        ("agent_file_sha256", None, "was 1a2b1a2b1a2b..., is nothing"),
        ("cli_version", "2.2.0", "was '2.1.0', is '2.2.0'"),
        ("tools", "x", "was nothing, is 'x'"),
    ],
)
def test_each_member_of_the_fingerprint_counts(
    member: str, now: str | None, said: str
) -> None:
    """
    One that changed, one that is gone and one that is new.
    """
    members = {**SETUP.fingerprint, member: now}
    kept = {name: value for name, value in members.items() if value is not None}
    other = conditions(setup=replace(SETUP, fingerprint=kept))

    assert (f"{member}: {said}.",) == conditions().differences(other)


def test_a_new_program_is_told_once() -> None:
    """
    Its version is in the versions and in the fingerprint.
    """
    other = Setup(
        versions={"claude-code": "2.2.0"},
        fingerprint={**SETUP.fingerprint, "cli_version": "2.2.0"},
    )

    assert 1 == len(conditions().differences(conditions(setup=other)))


def test_a_new_series_of_this_program_counts_and_a_patch_does_not() -> None:
    """
    Major and minor version may change what is measured; Python's version may not.
    """
    major, minor, patch = __version__.split(".")
    for version, count in (
        (f"{major}.{minor}.{patch}1", 0),
        (f"{major}.{minor}1.{patch}", 1),
        (f"{major}1.{minor}.{patch}", 1),
    ):
        versions = {"reliability": version, "python": "3.99.0", "claude-code": "2.1.0"}
        found = conditions().differences(conditions(versions=versions))

        assert count == len(found), version
        assert all(text.startswith("reliability: was '") for text in found)


def test_answers_of_a_simulator_are_not_those_of_a_model() -> None:
    """
    The same options can reach either.
    """
    found = conditions().differences(conditions(simulated=True))

    assert ("simulated: was False, is True.",) == found


@pytest.mark.parametrize("option", OPTIONS, ids=lambda one: one.name)
def test_an_option_counts_unless_it_is_of_the_runs_shape(option: Any) -> None:
    """
    Every option is on one side or the other.
    """
    options = {**SETTINGS.public(), option.field: "other"}
    found = conditions().differences(conditions(options=options))

    assert (option.name not in NOT_COMPARED) == bool(found)


def test_loops_may_differ_when_shards_are_joined() -> None:
    """
    Nothing else may then.
    """
    options = {**SETTINGS.public(), "loops": 99, "timeout": 1.0}
    found = conditions().differences(conditions(options=options), same_loops=False)

    assert ("timeout: was 300.0, is 1.0.",) == found


def test_a_prompt_is_told_once_and_where_it_differs() -> None:
    """
    A long text is shown from shortly before the first difference.
    """
    same = "The same beginning of a long prompt, " * 9
    one = replace(SETTINGS, prompt=f"{same}then this.")
    other = replace(SETTINGS, prompt=f"{same}then that.")

    (said,) = conditions(one).differences(conditions(other))

    assert said.startswith("prompt: was ...")
    assert "then this.'" in said
    assert "then that.'" in said
    assert len(said) < 150


def test_what_is_hidden_in_both_logs_still_counts() -> None:
    """
    Two prompts that differ only in a secret look alike, but their hashes do not.
    """
    one, other = (replace(SETTINGS, prompt=f"Use {word}.") for word in ("abc", "xyz"))
    found = [
        Conditions.of(
            settings,
            described(single_case(settings), SETUP),
            lambda value: "[redacted]" if str(value).startswith("Use") else value,
        )
        for settings in (one, other)
    ]

    (said,) = found[0].differences(found[1])

    assert said.startswith("prompt_sha256: was ")


def test_every_name_of_a_runs_shape_is_an_option() -> None:
    """
    A renamed option is noticed.
    """
    names = {option.name for option in OPTIONS}

    assert set(RUN_SHAPE) <= NOT_COMPARED <= names
