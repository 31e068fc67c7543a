"""
A profile or a script that exists is valid, and a wrong one names all that is wrong.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from reliability.errors import UsageError
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step, load_script

if TYPE_CHECKING:
    from pathlib import Path


def problems_of(text: str) -> tuple[str, ...]:
    """
    Return the problems that parsing *text* names.
    """
    with pytest.raises(UsageError) as caught:
        Profile.parse(text)
    return caught.value.problems


def test_every_setting_can_be_written_as_text() -> None:
    """
    Each key sets its field, with units left out of the keys.
    """
    text = (
        "pass-rate=0.5, latency=0.1,latency-sigma=0.3,rate-429=0.05,rate-529=0.1,"
        "rate-500=0.02,rate-drop=0.01,retry-after=none,requests-per-minute=60,"
        "burst=5,input-tokens-per-minute=900,output-tokens-per-minute=300,"
        "token-burst=100,seed=7,answer=Yes\\, hello"
    )
    expected = Profile(
        pass_rate=0.5,
        latency_s=0.1,
        latency_sigma=0.3,
        rate_429=0.05,
        rate_529=0.1,
        rate_500=0.02,
        rate_drop=0.01,
        retry_after_s=None,
        requests_per_minute=60,
        burst=5,
        input_tokens_per_minute=900,
        output_tokens_per_minute=300,
        token_burst=100,
        seed=7,
        answer="Yes, hello",
    )

    assert expected == Profile.parse(text)


def test_empty_text_is_the_default_profile() -> None:
    """
    Nothing given means the defaults.
    """
    assert Profile() == Profile.parse("")


def test_all_problems_of_a_text_are_named_at_once() -> None:
    """
    Syntax, unknown keys and ranges are reported together.
    """
    text = "pass-rat=0.9,latency=-1,seed=x,burst,rate-429=2,seed=1,seed=2"

    assert problems_of(text) == (
        "There is no simulator setting 'pass-rat'. Did you mean 'pass-rate'?",
        "seed is 'x', which is not a whole number.",
        "'burst' has no value. Write burst=VALUE.",
        "'seed' is given twice.",
        "rate-429 is 2.0, which is not a number from 0 to 1.",
        "latency is -1.0, which is not a number from 0 to 1000000.",
    )


def test_key_like_no_other_lists_the_valid_ones() -> None:
    """
    Where no key is near, all of them are shown.
    """
    (problem,) = problems_of("zzzzzz=1")

    assert "Valid keys: seed, pass-rate, latency," in problem


@pytest.mark.parametrize(
    "text",
    [
        "pass-rate=nan",
        "latency=inf",
        "latency-sigma=nan",
        "burst=0",
        "input-tokens-per-minute=-1",
        "output-tokens-per-minute=-1",
        "token-burst=-1",
        "rate-drop=1.1",
        "latency=1e7",
    ],
)
def test_value_out_of_range_is_refused(text: str) -> None:
    """
    A value that is no sensible number is named by its key.
    """
    (problem,) = problems_of(text)

    assert problem.startswith(text.partition("=")[0])


def test_fault_rates_above_one_together_are_refused() -> None:
    """
    Rates that are each fine may not add up to more than 1.
    """
    assert problems_of("rate-429=0.6,rate-500=0.6") == (
        "rate-429, rate-500 add up to more than 1.",
    )


def test_fault_rates_of_exactly_one_are_accepted_despite_rounding() -> None:
    """
    Tenths that add up to 1 on paper are accepted.
    """
    profile = Profile.parse("rate-429=0.7,rate-529=0.1,rate-500=0.1,rate-drop=0.1")

    assert profile.rate_429 == 0.7


def test_script_and_random_faults_exclude_each_other() -> None:
    """
    A rate that a script would silence is refused instead of ignored.
    """
    with pytest.raises(UsageError, match="exclude each other"):
        Profile(script=(Step(),), rate_500=0.1)


@given(text=st.text(max_size=60))
def test_any_text_is_a_profile_or_a_usage_error(text: str) -> None:
    """
    No text makes the parser fail in any other way.
    """
    try:
        parsed = Profile.parse(text)
    except UsageError as error:
        assert error.problems  # noqa: PT017 - both outcomes are fine
    else:
        assert isinstance(parsed, Profile)


def test_script_file_becomes_steps(tmp_path: Path) -> None:
    """
    The keys of the file are the fields of a step.
    """
    path = tmp_path / "script.json"
    path.write_text(
        '[{"status": 429, "retry_after_s": 2},'
        ' {"tool": "Bash", "input": {"command": "ls"}}, {"text": ""}]'
    )
    expected = (
        Step(status=429, retry_after_s=2),
        Step(tool="Bash", input={"command": "ls"}),
        Step(text=""),
    )

    assert expected == Profile.parse(f"script={path}").script


def test_all_problems_of_a_script_are_named_at_once(tmp_path: Path) -> None:
    """
    Each problem says in which step it is.
    """
    path = tmp_path / "script.json"
    path.write_text('[{"statuscode": 429, "hang": 1}, 7, {"status": 302}]')
    with pytest.raises(UsageError) as caught:
        load_script(path)

    assert caught.value.problems == (
        f"{path}: step 1: there is no key 'statuscode'. Did you mean 'status'?",
        f"{path}: step 1: 'hang' is 1, not true or false.",
        f"{path}: step 2: is 7, not an object.",
        f"{path}: step 3: 'status' is 302, not 200 or a number from 400 to 599.",
    )


@pytest.mark.parametrize("content", ["", "{}", "[]", "[" * 100_000, "\x00"])
def test_file_that_is_no_script_is_a_usage_error(tmp_path: Path, content: str) -> None:
    """
    Anything but a JSON list with a step is refused by name.
    """
    path = tmp_path / "script.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"script\.json is not"):
        load_script(path)


def test_missing_script_is_a_usage_error_beside_the_others(tmp_path: Path) -> None:
    """
    A file that cannot be read is one problem among the rest.
    """
    problems = problems_of(f"script={tmp_path / 'none.json'},burst=x")

    assert [p.partition(" ")[0] for p in problems] == ["The", "burst"]


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 429, "text": "x"},
        {"retry_after_s": 1},
        {"error_type": "api_error"},
        {"input": {"a": 1}},
        {"hang": True, "drop": "before"},
        {"stop_reason": "tired"},
        {"status": True},
        {"delay_s": float("nan")},
    ],
)
def test_step_that_contradicts_itself_is_refused(fields: dict[str, object]) -> None:
    """
    Fields that cannot both be meant are one named problem.
    """
    with pytest.raises(UsageError) as caught:
        Step.from_json(fields)

    assert len(caught.value.problems) == 1


_json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=6,
)


@given(
    value=st.dictionaries(
        st.sampled_from([*Step.__dataclass_fields__, "other"]), _json_values
    )
    | _json_values
)
def test_any_json_is_a_step_or_a_usage_error(value: object) -> None:
    """
    No JSON value makes a step fail in any other way.
    """
    decoded = json.loads(json.dumps(value))
    try:
        step = Step.from_json(decoded)
    except UsageError as error:
        assert error.problems  # noqa: PT017 - both outcomes are fine
    else:
        assert step.status == 200 or 400 <= step.status <= 599
