"""
For programs: measure an agent that is a Python function.

    from reliability.library import measure

    result = measure(answer, prompt="Say hello.", loops=20, expect="Hello")
    assert result.verdict == "pass", result.reason

Everything else of this package that a program needs is in `reliability.run`,
`reliability.settings` and `reliability.results`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reliability.choices import Backend
from reliability.errors import UsageError
from reliability.options import OPTIONS
from reliability.run import run
from reliability.settings import Settings
from reliability.suites.loader import suite_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reliability.run_result import RunResult


def measure(
    function: Callable[[str], str], *, prompt: str, **options: object
) -> RunResult:
    """
    Call *function* as often as `loops` says, grade every answer, and judge.

    Args:
        function: Takes the prompt and returns the answer; an exception is a failed
            trial. In a parallel run it is called from several threads at once.
        options: Options of a run by their names with `_` for `-`, such as `loops=20`,
            `parallel=True`, `expect="Hello"`, `checks="[{max-seconds: 5}]"`.

    Raises:
        UsageError: when an option is none, or has a value that it cannot have.
        JournalError: when the log can no longer be written.
    """
    texts = {name.replace("_", "-"): _text(one) for name, one in options.items()}
    named = {"agent": getattr(function, "__name__", "function"), "prompt": prompt}
    if unknown := sorted(texts.keys() - {option.name for option in OPTIONS}):
        raise UsageError([f"There is no option {name!r}." for name in unknown])
    known = Settings.from_text({"delay": "0", **named, **texts})
    settings = replace(known, backend=Backend.FUNCTION)
    return run(settings, suite=suite_of(settings), function=function)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
