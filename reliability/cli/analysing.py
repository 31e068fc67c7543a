"""
The command `analyze`: how consistent the trials of a log are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reliability.cli.output import echo_json

if TYPE_CHECKING:
    from reliability.analysis import CaseAnalysis

_MOST_MODES = 8
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def analyze(log: Path, as_json: bool) -> None:
    """
    Say how alike the answers, the tools and the expenses of LOG's trials are.

    Agreement, groups of similar answers and how often each passes, the most unusual
    trials, how even time and cost are, and how alike the tools' order is. None of it
    says that an answer is right, and none of it judges: exit code 0.
    """
    from dataclasses import asdict

    from reliability.analysis import analyse

    found = analyse(log)
    if as_json:
        echo_json(_named(asdict(found)))
        return
    if found.simulated:
        click.echo("Simulated: every answer came from the built-in simulator.\n")
    for case in found.cases:
        for line in _lines(case):
            click.echo(line)


def _named(value: object) -> object:
    """
    Turn named tuples into objects with names, at every depth.
    """
    if isinstance(value, dict):
        return {name: _named(one) for name, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _named(value._asdict())
    if isinstance(value, list | tuple):
        return [_named(one) for one in value]
    return value


def _lines(case: CaseAnalysis) -> list[str]:
    from reliability.escape import console_text
    from reliability.report.words import counted

    left = f", {case.left_out} not measured" if case.left_out else ""
    lines = [f"{console_text(case.name)}: {counted(case.trials, 'trial')}{left}"]
    rows = [*_answers(case), *_modes(case), *_expenses(case), *_tools(case)]
    lines += [f"  {label:<12} {console_text(text)}" for label, text in rows]
    return lines


def _answers(case: CaseAnalysis) -> list[tuple[str, str]]:
    found = case.agreement
    if found is None:
        return [("Agreement", "needs two trials at least")]
    error = "" if found.error is None else f", give or take {found.error:.1%}"
    answers = (
        f"{found.distinct} distinct; the most frequent one {found.modal_share:.1%}; "
        f"entropy {found.entropy_bits:.2f} bits"
    )
    rows = [
        (
            "Agreement",
            f"two trials give the same answer with {found.rate:.1%}{error}",
        ),
        ("Answers", answers),
    ]
    if case.mean_similarity is not None:
        rows.append(("Similarity", f"{case.mean_similarity:.3f} in the mean of pairs"))
    if case.outliers and found.distinct > 1:
        shown = ", ".join(f"{number} ({value:.2f})" for number, value in case.outliers)
        rows.append(("Unusual", f"trials {shown}; mean similarity to the others"))
    return rows


def _modes(case: CaseAnalysis) -> list[tuple[str, str]]:
    rows = []
    for letter, mode in zip(_LETTERS, case.modes[:_MOST_MODES], strict=False):
        fate = f"{mode.passed} pass"
        if mode.passed in {0, mode.trials}:
            fate = "all pass" if mode.passed else "all fail"
        typical = f"such as trial {mode.typical}: {mode.sample[:60]!r}"
        text = f"{mode.trials} of {case.trials}, {fate}; {typical}"
        rows.append((f"Mode {letter}", text))
    if len(case.modes) > _MOST_MODES:
        rows.append(("", f"and {len(case.modes) - _MOST_MODES} more modes"))
    return rows


def _expenses(case: CaseAnalysis) -> list[tuple[str, str]]:
    spread = [
        f"{name} {one.variation:.0%}"
        for name, one in case.resources.items()
        if one.variation is not None
    ]
    if not spread or case.evenness is None:
        return []
    return [("Variation", f"{', '.join(spread)}; evenness {case.evenness:.2f}")]


def _tools(case: CaseAnalysis) -> list[tuple[str, str]]:
    rows = []
    found = case.tools
    if found.by_order is not None and found.by_frequency is not None:
        sampled = ", by a sample of pairs" if found.sampled else ""
        kind, order = f"{found.by_frequency:.2f}", f"{found.by_order:.2f}"
        text = f"alike by {kind} in kind and {order} in order, over what passed"
        rows.append(("Tools", text + sampled))
    if case.delegated is not None:
        rows.append(("Delegation", f"{case.delegated:.1%} of the trials"))
    if case.relayed is not None:
        text = f"{case.relayed:.1%} of what subagents returned is in the answers"
        rows.append(("Relayed", text))
    return rows
