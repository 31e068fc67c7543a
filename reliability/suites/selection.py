"""
Some of a suite's cases, by name and by tag.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reliability.errors import UsageError
from reliability.simulator.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reliability.suite import Case, Suite


def select(suite: Suite, cases: Sequence[str] = (), tags: Sequence[str] = ()) -> Suite:
    """
    Return the suite with the cases that have one of the names and one of the tags.

    Args:
        cases: Names or patterns with `*` and `?`; a name without what the matrix added
            means all that it made. Empty for every name.
        tags: Empty for every case.

    Raises:
        UsageError: when a name, a tag or all together match nothing.
    """
    problems = []
    for pattern in cases:
        if not any(_is_called(case, pattern) for case in suite.cases):
            names = [name for case in suite.cases for name in _names(case)]
            hint = did_you_mean(pattern, list(dict.fromkeys(names)))
            problems.append(f"There is no case {pattern!a}. {hint}")
    known = list(dict.fromkeys(tag for case in suite.cases for tag in case.tags))
    for tag in tags:
        if tag not in known:
            hint = did_you_mean(tag, known) if known else "No case has a tag."
            problems.append(f"No case has the tag {tag!a}. {hint}")
    if problems:
        raise UsageError(problems)
    chosen = tuple(
        case
        for case in suite.cases
        if (not cases or any(_is_called(case, pattern) for pattern in cases))
        and (not tags or set(tags) & set(case.tags))
    )
    if not chosen:
        raise UsageError("No case has one of these names and one of these tags.")
    return replace(suite, cases=chosen)


def _names(case: Case) -> tuple[str, ...]:
    """
    Return the case's name, and first what it was in the file.
    """
    base, bracket, _ = case.name.partition(" [")
    return (base, case.name) if bracket and case.name.endswith("]") else (case.name,)


def _is_called(case: Case, pattern: str) -> bool:
    """
    Tell whether a pattern, or the very name, is the case's.
    """
    # A bracket in a pattern is a bracket: names are full of them.
    glob = pattern.replace("[", "[[]")
    return any(name == pattern or fnmatchcase(name, glob) for name in _names(case))
