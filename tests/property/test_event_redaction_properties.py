"""
An event that is looked at once as a whole is redacted as if each field were looked at.

The quick look decides for nearly every line of a log that nothing has to be done, so it
must never differ from the walk, whatever a secret and an event are made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hypothesis import example, given, settings, strategies as st

from reliability.engine.events import redact_event
from reliability.kinds import ErrorKind
from reliability.redact import Redactor

AWKWARD = 'aZ09"\\/\n\r\t &<é日😀\ud83d\ude00\0-_+='
SECRETS = st.text(AWKWARD, min_size=8, max_size=24).filter(
    lambda secret: len(secret.strip()) >= 8
)
NAMES = st.sampled_from(
    ["kind", "outcome", "reason", "answer", "usage", "evidence", "checks", "troubles"]
)


def texts_about(secret: str) -> st.SearchStrategy[str]:
    """
    Return texts, some with the secret in them: plain, escaped, broken into lines.
    """
    forms = [
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        "\n".join(secret),
        "\\n".join(secret),
        secret[:-1],
    ]
    around = st.text(AWKWARD, max_size=6)
    planted = st.tuples(around, st.sampled_from(forms), around).map("".join)
    kinds = st.sampled_from([*ErrorKind])
    return st.one_of(st.text(AWKWARD, max_size=12), planted, kinds)


def values_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """
    Return JSON-like values that hold such texts, as keys too, at some depth.
    """
    leaves = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(texts, inner, max_size=3),
            st.dictionaries(texts, inner, max_size=3).map(MappingProxyType),
        ),
        max_leaves=6,
    )


@st.composite
def redactors_and_events(draw: st.DrawFn) -> tuple[Redactor, dict[str, Any]]:
    """
    Return a redactor and an event that may hold what it looks for.
    """
    secret = draw(SECRETS)
    texts = texts_about(secret)
    event = draw(st.dictionaries(NAMES, values_of(texts), max_size=4))
    event["checks"] = draw(st.lists(st.dictionaries(texts, texts, max_size=2)))
    return Redactor([secret]), event


def walked(redactor: Redactor, event: Mapping[str, Any]) -> dict[str, Any]:
    """
    Redact field by field, without the look at the whole.
    """
    return redact_event(
        lambda value: None if value is event else redactor.value(value), event
    )


@settings(max_examples=30, deadline=None)
@given(redactors_and_events())
@example((Redactor(["a secret\nof two lines"]), {"answer": "a secretof two lines"}))
@example((Redactor(['quo"ted-secret']), {"evidence": {'quo\\"ted-secret': 1}}))
def test_one_look_at_an_event_redacts_what_a_walk_through_its_fields_redacts(
    made: tuple[Redactor, dict[str, Any]],
) -> None:
    """
    The quick look and the walk give equal events for any secret and any event.
    """
    redactor, event = made

    assert repr(redact_event(redactor.value, event)) == repr(walked(redactor, event))


@settings(max_examples=30, deadline=None)
@given(redactors_and_events())
def test_event_comes_through_the_quick_look_only_if_each_of_its_texts_is_clean(
    made: tuple[Redactor, dict[str, Any]],
) -> None:
    """
    A value is handed back as it is only when no text in it, key or value, holds a form.
    """
    redactor, event = made
    is_clean = all(redactor.text(text) is text for text in every_text(event))

    assert (redactor.value(event) is event) == is_clean


def every_text(value: object) -> list[str]:
    """
    Return each text in a value by plain recursion: the model for the quick look.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [
            text for pair in value.items() for one in pair for text in every_text(one)
        ]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in every_text(item)]
    return []
