"""
Options in a log lead back to the settings that they are of.
"""

from __future__ import annotations

import json
import shlex

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, reject

from reliability.choices import (
    Context,
    GateRule,
    Isolation,
    OnInconclusive,
    OnStop,
    PermissionMode,
)
from reliability.errors import UsageError
from reliability.options import OPTIONS
from reliability.options.texts import texts_of
from reliability.settings import Settings

WORDS = st.lists(st.text(), min_size=1, max_size=3).map(shlex.join)
NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: not name.startswith("INPUT_")
)
TEXT = st.text().map(lambda text: text.replace("\0", ""))
NUMBERS = st.decimals(0, 99_999, places=9, allow_nan=False).map("{:f}".format)
VALUES = {
    "agent": st.text(st.characters(categories=["L", "N", "P", "S"])),
    "loops": st.integers(1, 100_000).map(str),
    "max-workers": st.integers(1, 1_000).map(str),
    "requests-per-minute": st.integers(1, 1_000_000).map(str),
    "backend": st.sampled_from(["claude-code", "messages", "command", "simulated"]),
    "model": TEXT,
    "command": WORDS,
    "prompt": TEXT,
    "expect": st.sampled_from(["", "contains:", "equals:", "x:"]).flatmap(
        lambda mode: TEXT.map(lambda text: mode + text)
    ),
    "min-pass-rate": st.sampled_from(["1", "1.0", "0.95"]),
    "expected-rate": st.sampled_from(["0.9", "1"]),
    "against": TEXT,
    "baseline": TEXT,
    "margin": st.sampled_from(["0", "0.1"]),
    "confidence": st.sampled_from(["0.9", "0.999"]),
    "gate": st.sampled_from(list(GateRule)),
    "on-stop": st.sampled_from(list(OnStop)),
    "max-invalid": st.sampled_from(["0", "1", "0.25"]),
    "suite": TEXT,
    "case": TEXT,
    "tag": TEXT,
    "checks": TEXT,
    "seed": st.integers(0, 999_999_999).map(str),
    "on-inconclusive": st.sampled_from(list(OnInconclusive)),
    "permission-mode": st.sampled_from(list(PermissionMode)),
    "context": st.sampled_from(list(Context)),
    "isolation": st.sampled_from(list(Isolation)),
    "claude-args": WORDS,
    "setup": WORDS,
    "teardown": WORDS,
    "max-output-tokens": st.integers(1, 1_000_000).map(str),
    "prices": TEXT,
    "simulator": TEXT,
    "delay": st.sampled_from(["0", "0.1", "7ms", "59m", "0.000001s"]) | NUMBERS,
    "timeout": st.sampled_from(["0.1", "100ms", "24h", "33.3"]) | NUMBERS,
    "max-attempts": st.integers(1, 100).map(str),
    "max-cost-usd": NUMBERS,
    "max-tokens": st.integers(1, 999_999_999).map(str),
    "max-minutes": NUMBERS,
    "run-as": TEXT,
    "pass-env": st.lists(NAMES, min_size=1, max_size=3).map(", ".join),
    "output-dir": TEXT,
    "filename": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True),
    "artifact-name": TEXT,
    "retention-days": st.integers(1, 400).map(str),
    **{
        name: st.sampled_from(["true", "false"])
        for name in (
            *("parallel", "dry-run", "quiet", "json", "artifact"),
            *("early-stop", "allow-unreachable"),
        )
    },
    "artifact-required": st.sampled_from(["true", "FALSE"]),
}


def without_conflicts(texts: dict[str, str]) -> dict[str, str]:
    """
    Leave out what would be refused beside the others, so that most are accepted.
    """
    backend = texts.get("backend", "claude-code")
    unfit = {
        *(["command"] if backend != "command" else []),
        *(["simulator"] if backend != "simulated" else []),
        *(["checks"] if texts.get("expect", "").strip() else []),
        *(["context"] if backend != "claude-code" else []),
        *(["setup", "teardown"] if backend not in {"claude-code", "command"} else []),
    }
    kept = {name: text for name, text in texts.items() if name not in unfit}
    needed = {"agent": "a"}
    needed |= {"command": "true"} if backend == "command" else {}
    needed |= {"model": "m"} if backend == "messages" else {}
    return needed | {name: text for name, text in kept.items() if text.strip()}


GIVEN = st.fixed_dictionaries({}, optional=VALUES).map(without_conflicts)


def there_and_back(settings: Settings) -> Settings:
    """
    Go through a log's JSON and through texts.
    """
    public = json.loads(json.dumps(settings.public()))
    return Settings.from_text(
        {**texts_of(public)}, read_text=lambda _path: "{{NAME}} {{agent}}"
    )


@given(GIVEN)
@example({"agent": "a", "prices": "./ x /"})
@example({"agent": "a", "max-cost-usd": "0.000000001"})
@example({"agent": "a", "backend": "command", "command": "'' 'a\n'\"'\" $x"})
def test_public_options_lead_back_to_the_settings(texts: dict[str, str]) -> None:
    """
    Whatever was accepted once is accepted again, and is the same.
    """
    try:
        settings = Settings.from_text(texts)
    except UsageError:
        reject()

    assert settings == there_and_back(settings)
    assert settings.public() == there_and_back(settings).public()


@given(
    values=st.lists(TEXT.map(lambda text: " ".join(["v", *text.split()])), max_size=3)
)
def test_a_prompt_file_is_read_again_with_its_variables(values: list[str]) -> None:
    """
    The prompt comes from the file, and every var is in its place.
    """
    pairs = "\n".join(f"N{at}={value}" for at, value in enumerate(values))
    template = " ".join(f"{{{{N{at}}}}}" for at in range(len(values)))
    given_texts = {"agent": "a", "prompt-file": "p.md", "var": pairs}

    def read(_path: object) -> str:
        return f"Say {template}"

    settings = Settings.from_text(given_texts, read_text=read)
    texts = texts_of(json.loads(json.dumps(settings.public())))

    assert "prompt" not in texts
    assert settings == Settings.from_text({**texts}, read_text=read)


def test_every_option_is_tried_here() -> None:
    """
    A new option needs a strategy, so that its way back is tested.
    """
    assert {option.name for option in OPTIONS} - set(VALUES) == {"prompt-file", "var"}


@pytest.mark.parametrize(
    "wrong", [{"command": [1]}, {"var": [["a"]]}, {"var": [1]}, {"pass_env": [{}]}]
)
def test_values_of_another_form_are_an_error(wrong: dict[str, object]) -> None:
    """
    A log may be crafted: what no settings wrote is refused.
    """
    with pytest.raises((LookupError, TypeError, ValueError)):
        texts_of(wrong)
