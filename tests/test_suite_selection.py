"""
Some cases of a suite: by name, by pattern, by tag.
"""

from __future__ import annotations

import pytest

from reliability.errors import UsageError
from reliability.settings import Settings
from reliability.suite import Case, Suite
from reliability.suites.selection import select

SETTINGS = Settings.from_text({"agent": "a", "backend": "simulated"})
NAMES = {
    "greets [agent=a, lang=en]": ("quick",),
    "greets [agent=b, lang=en]": ("quick", "text"),
    "greets loudly": ("text",),
    "works": (),
}
SUITE = Suite(
    cases=tuple(
        Case(name=name, settings=SETTINGS, tags=tags) for name, tags in NAMES.items()
    )
)


@pytest.mark.parametrize(
    ("cases", "tags", "chosen"),
    [
        ([], [], [0, 1, 2, 3]),
        (["works"], [], [3]),
        (["greets"], [], [0, 1]),
        (["greets*"], [], [0, 1, 2]),
        (["greets [agent=b, lang=en]"], [], [1]),
        (["*agent=?*"], [], [0, 1]),
        (["*[agent=a*"], [], [0]),
        (["works", "greets loudly"], [], [2, 3]),
        ([], ["quick"], [0, 1]),
        ([], ["quick", "text"], [0, 1, 2]),
        (["greets"], ["text"], [1]),
    ],
)
def test_names_and_tags_choose_in_the_order_of_the_file(
    cases: list[str], tags: list[str], chosen: list[int]
) -> None:
    """
    One of the names and one of the tags is enough; brackets are no pattern.
    """
    names = [case.name for case in select(SUITE, cases, tags).cases]

    assert [[*NAMES][index] for index in chosen] == names


@pytest.mark.parametrize(
    ("cases", "tags", "said"),
    [
        (["work"], [], "There is no case 'work'. Did you mean 'works'?"),
        ([], ["quik"], "No case has the tag 'quik'. Did you mean 'quick'?"),
        (["works"], ["quick"], "one of these names and one of these tags"),
    ],
)
def test_what_matches_nothing_is_refused(
    cases: list[str], tags: list[str], said: str
) -> None:
    """
    A run never has fewer cases than its user believes.
    """
    with pytest.raises(UsageError) as caught:
        select(SUITE, cases, tags)

    assert said in str(caught.value)


def test_a_suite_without_tags_says_so() -> None:
    """
    There is then no nearest tag to name.
    """
    suite = Suite(cases=(Case(name="a", settings=SETTINGS),))
    with pytest.raises(UsageError, match="No case has a tag"):
        select(suite, (), ("quick",))
