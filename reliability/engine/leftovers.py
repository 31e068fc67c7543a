"""
What an agent left behind in its folder, as evidence for the log: names and a diff.

Lines are compared by diff(1), in a child with a limit, since hostile text can make a
comparison in Python take hours. Secrets are redacted before anything is cut.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from reliability.engine.tools import ToolError
from reliability.escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reliability.engine.survey import Survey
    from reliability.engine.tools import Tools
    from reliability.process import Capture

MAX_NAMES = 200
DIFF_CAP_BYTES = 64 * 1024
_NAME_CAP_CHARACTERS = 500
_DIFF_TIMEOUT_S = 5.0
"""For all of them together: a pair can be made that takes minutes."""

_REST = "[the rest is left out]\n"


def describe_leftovers(
    survey: Survey, origin: Path, *, tools: Tools, redact: Callable[[str], str]
) -> Mapping[str, Any]:
    """
    Return the evidence for the log; empty when nothing is different.

    Args:
        redact: Replaces every secret in a text; called before any cut.
    """
    total = len(survey.added) + len(survey.changed) + len(survey.removed)
    if not total and not survey.incomplete:
        return {}
    evidence: dict[str, Any] = {}
    left = MAX_NAMES
    for kind, paths in (
        ("added", survey.added),
        ("changed", survey.changed),
        ("removed", survey.removed),
    ):
        shown = sorted(paths)[:left]
        left -= len(shown)
        evidence[kind] = [printable(path, redact) for path in shown]
    evidence["left_out"] = max(total - MAX_NAMES, 0)
    evidence["diff"] = _diff(survey, origin, tools, redact)
    if survey.incomplete:
        evidence["incomplete"] = survey.incomplete
    return evidence


def printable(path: bytes, redact: Callable[[str], str] = str) -> str:
    r"""
    Return a path as one line of text.

    Bytes that are no UTF-8 are shown as `\xff`, newlines and tabs as in C, other
    characters that would act or hide as `\u001b`.
    """
    text = path.decode("utf-8", "backslashreplace")
    text = redact(visible(text.replace("\n", "\\n").replace("\t", "\\t")))
    if len(text) <= _NAME_CAP_CHARACTERS:
        return text
    return f"{text[:_NAME_CAP_CHARACTERS]}..."


def _diff(
    survey: Survey, origin: Path, tools: Tools, redact: Callable[[str], str]
) -> str:
    """
    Return a unified diff of the texts that were changed or added, up to the cap.
    """
    pieces: list[str] = []
    left_bytes = DIFF_CAP_BYTES
    deadline_mono_s = tools.clock.monotonic_s() + _DIFF_TIMEOUT_S
    for path, new in sorted(survey.texts.items()):
        if left_bytes <= 0:
            pieces.append(_REST)
            break
        old = os.devnull
        if path in survey.changed:
            old = os.fsdecode(os.path.join(os.fsencode(origin), path))  # noqa: PTH118 - bytes
        name = printable(path, redact)
        try:
            left_s = deadline_mono_s - tools.clock.monotonic_s()
            printed = _diff_file(name, old, new, tools, max(left_s, 0.0))
            text = printed.text(redact, left_bytes)
        except ToolError as error:
            text = f"[no diff of {name}: {error}]\n"
        pieces.append(text)
        left_bytes -= len(text.encode("utf-8", "replace"))
    return "".join(pieces)


def _diff_file(
    name: str, old: str, new: bytes, tools: Tools, limit_s: float
) -> Capture:
    """
    Return what diff(1) says of one file.

    Args:
        name: For the heading.
        old: Path of what it was.

    Raises:
        ToolError: when it takes longer than *limit_s*.
    """
    a_name = "/dev/null" if old == os.devnull else f"a/{name}"
    labels = ("--label", a_name, "--label", f"b/{name}")
    report = tools.run(
        *("diff", "-u", "-a", *labels, "--", old, "-"),
        stdin=new,
        timeout_s=limit_s,
        cap_bytes=DIFF_CAP_BYTES,
    )
    return report.stdout
