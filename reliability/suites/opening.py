"""
From what the user gave to the suite to run, whichever surface it came from.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability.choices import GateRule
from reliability.errors import UsageError
from reliability.options import OPTIONS
from reliability.parsers import lines
from reliability.settings import Settings
from reliability.suites.loader import DEFAULT_FILES, load_suite, suite_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reliability.options import Option
    from reliability.suite import Suite

AUTO = "auto"
"""Of `loops`: as many as the gate needs."""

AUTO_POWER = 0.8

_MAKE_A_CASE = ("agent", "prompt", "prompt-file", "command", "expect", "checks")
"""Whoever gives one of these does not mean the suite that happens to lie there."""


def open_suite(
    given: Mapping[str, str | None],
    *,
    spelling: Callable[[Option], str] = lambda option: f"--{option.name}",
    also: Callable[[Mapping[str, Any]], list[str]] | None = None,
    folder: Path | None = None,
) -> Suite:
    """
    Return the suite that is named, that lies there, or that the options describe.

    Args:
        given: Texts by option name; blank ones and those that are the default of their
            option count as not given.
        spelling, also: As for `Settings.from_text`.
        folder: Where a suite file is looked for; None for the current folder.

    Raises:
        UsageError: with every problem found; nothing was called.
    """
    if (given.get("loops") or "").strip() == AUTO:
        return _planned(given, spelling=spelling, also=also, folder=folder)
    typed = _typed(given)
    path = _path(typed, folder or Path())
    if path is None:
        _refuse_selection(typed, spelling)
        return suite_of(Settings.from_text(given, spelling=spelling, also=also))
    from reliability.suites.selection import select

    suite = load_suite(path, typed, spelling=spelling, also=also)
    cases, tags = lines(typed.get("case", "")), lines(typed.get("tag", ""))
    chosen = [
        replace(case, settings=replace(case.settings, suite=path, case=cases, tag=tags))
        for case in select(suite, cases, tags).cases
    ]
    leads_here = {**typed, "suite": str(path)}
    return replace(suite, cases=tuple(chosen), given=leads_here)


def _planned(
    given: Mapping[str, str | None],
    *,
    spelling: Callable[[Option], str],
    also: Callable[[Mapping[str, Any]], list[str]] | None,
    folder: Path | None,
) -> Suite:
    """
    Return the suite with as many loops as its gate needs.
    """
    from reliability.gate import Gate
    from reliability.options.engine import MAX_LOOPS
    from reliability.stats import trials_for

    def opened(loops: int) -> Suite:
        """
        Open it with a number.
        """
        texts = {**given, "loops": str(loops)}
        return open_suite(texts, spelling=spelling, also=also, folder=folder)

    suite = opened(1)
    rate, expected = suite.min_pass_rate, suite.settings.expected_rate
    option = next(one for one in OPTIONS if one.name == "loops")
    if rate >= 1 or expected is None or expected <= rate:
        raise UsageError(
            f"{spelling(option)} is auto: that needs a min-pass-rate below 1 and an "
            "expected-rate above it.",
            remedy="Say both, or a number of loops; 'reliability plan' shows what "
            "numbers bring.",
        )
    cases = len(suite.cases)
    is_mean = suite.settings.gate is GateRule.MEAN
    gate, most = Gate.of(suite), MAX_LOOPS * (cases if is_mean else 1)
    trials = trials_for(rate, expected, gate=gate, power=AUTO_POWER, most=most)
    if trials is None:
        raise UsageError(
            f"No number of loops up to {MAX_LOOPS:,} tells {expected:g} from "
            f"{rate:g} with a chance of {AUTO_POWER:.0%}.",
            remedy="Ask for a lower rate, or give a number of loops.",
        )
    return opened(-(-trials // cases) if is_mean else trials)


def _typed(given: Mapping[str, str | None]) -> dict[str, str]:
    """
    Return what differs from the defaults: a workflow hands those over as well.
    """
    texts = {option.name: (given.get(option.name) or "") for option in OPTIONS}
    return {
        option.name: texts[option.name]
        for option in OPTIONS
        if texts[option.name].strip() not in {"", option.default}
    }


def _path(typed: Mapping[str, str], folder: Path) -> Path | None:
    if "suite" in typed:
        return Path(typed["suite"])
    if any(name in typed for name in _MAKE_A_CASE):
        return None
    found = (folder / name for name in DEFAULT_FILES)
    return next((path for path in found if path.is_file()), None)


def _refuse_selection(
    typed: Mapping[str, str], spelling: Callable[[Option], str]
) -> None:
    wrong = [
        f"{spelling(option)} chooses from a suite, and there is none."
        for option in OPTIONS
        if option.name in {"case", "tag"} and option.name in typed
    ]
    if wrong:
        raise UsageError(wrong, remedy="Name one with suite, or write reliability.yml.")
