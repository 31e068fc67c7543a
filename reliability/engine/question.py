"""
What a search asks, written down beside its logs, so that only the same is gone on with.

Hashes alone are kept: a prompt or an option may hold a secret.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reliability.errors import JournalError, UsageError
from reliability.options.shape import NOT_COMPARED

if TYPE_CHECKING:
    from pathlib import Path

    from reliability.suite import Suite

_FILE = "question.json"
_FREE = frozenset(
    {
        *(name.replace("-", "_") for name in NOT_COMPARED),
        *("loops", "min_pass_rate", "on_inconclusive", "classic"),
    }
)
"""Fields that decide nothing about the outcome of a trial."""


def remember_question(suite: Suite, folder: Path, *, has_logs: bool) -> None:
    """
    Write down what is asked; with logs there, refuse to ask them something else.

    Args:
        folder: Of the search; made when it is not there.
        has_logs: There are logs of it already.

    Raises:
        UsageError: naming all that differs.
        JournalError: when it cannot be read or written.
    """
    question, path = _question(suite), folder / _FILE
    try:
        if has_logs:
            asked = json.loads(path.read_text(encoding="utf-8"))
            _require_same(asked, question, path)
            return
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(question, indent=1), encoding="utf-8")
    except (OSError, TypeError, ValueError) as error:
        raise JournalError(
            f"What the search in {str(folder)!r} asks cannot be kept: {error}.",
            remedy="Name another --output-dir.",
        ) from None


def _require_same(asked: object, question: dict[str, str], path: Path) -> None:
    if not isinstance(asked, dict):
        raise TypeError(f"{path.name} holds no mapping")
    names = sorted(asked.keys() | question.keys())
    other = [name for name in names if asked.get(name) != question.get(name)]
    if other:
        raise UsageError(
            [f"The search in {str(path.parent)!r} asked something else:"]
            + [f"{name} is another one now." for name in other],
            remedy="Put that back, or name another --output-dir.",
        )


def _question(suite: Suite) -> dict[str, str]:
    """
    Return a hash for everything that could change an outcome.
    """
    found = {}
    for case in suite.cases:
        told = case.as_json() | case.settings.public()
        for name, value in told.items():
            if name not in _FREE:
                found[f"{case.name}: {name}"] = _hash(value)
    if suite.judge is not None:
        found["judge"] = _hash(suite.judge.public())
    return found


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
