"""
The facts of a run in words: one list that terminal, Markdown and HTML all show.

Everything here is plain text, some of it from the agent or the user: who shows it,
escapes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.model import Outcome, RunStatus, Verdict

if TYPE_CHECKING:
    from reliability.model import RunResult, TrialResult

SIMULATED = (
    "Simulated: every answer came from the built-in simulator, not from a model."
)

SYMBOLS = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.INVALID: "?",
    Outcome.UNKNOWN: "?",
}

VERDICT_WORDS = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.INCONCLUSIVE: "INCONCLUSIVE",
    Verdict.INVALID: "INVALID",
}


def facts(result: RunResult) -> list[tuple[str, str]]:
    """
    Return label and value of everything that a reader needs first, in reading order.
    """
    rows = [("Agent", _agent(result)), ("Trials", _trials(result))]
    rows.append(("Pass rate", pass_rate(result)))
    if result.tally.missing and result.tally.measured:
        rows.append(("With the missing", _bounds(result)))
    rows.append(("Attempts", _attempts(result)))
    rows.append(("Time", duration(result.duration_s)))
    rows.append(("Cost", cost(result)))
    return rows


def headline(result: RunResult) -> str:
    """
    Return the verdict and its reason, with the label if the run was simulated.
    """
    label = " (simulated)" if result.simulated else ""
    return f"{VERDICT_WORDS[result.verdict]}{label}: {result.reason}"


def title(result: RunResult) -> str:
    """
    Return what was tested, in a few words.
    """
    return result.agent or result.model or result.backend


def pass_rate(result: RunResult) -> str:
    """
    Return passed of measured with both exact bounds; says so when nothing was measured.
    """
    rate = result.tally.pass_rate
    if rate is None:
        return "not known: nothing was measured"
    sure = f"{result.confidence:.0%} sure"
    return (
        f"{rate:.1%} of {result.tally.measured} measured "
        f"({sure} of at least {result.lower:.1%}, {sure} of at most {result.upper:.1%})"
    )


def duration(seconds: float) -> str:
    """
    Return a duration as a person would say it.
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest_s} s"


def cost(result: RunResult) -> str:
    """
    Return what the run cost, and for how much of it the price is known.
    """
    tokens = (
        f"{result.usage.input_tokens:,} tokens in, {result.usage.output_tokens:,} out"
    )
    if result.simulated:
        return f"nothing, being simulated ({tokens})"
    if result.cost_usd is None:
        return f"not known ({tokens})"
    known = ""
    if result.priced < result.attempts:
        known = f"known for {result.priced} of {result.attempts} attempts; "
    return f"${result.cost_usd:.4f} ({known}{tokens})"


def trouble_list(result: RunResult) -> str:
    """
    Return the kinds of trouble by how often they came, such as "3 rate-limit".
    """
    ranked = sorted(result.troubles.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {kind}" for kind, count in ranked)


def noteworthy(result: RunResult) -> list[TrialResult]:
    """
    Return the trials that did not pass, in their order.
    """
    return [trial for trial in result.trials if trial.outcome is not Outcome.PASS]


def notes(result: RunResult) -> list[str]:
    """
    Return what a reader must know besides the numbers, as sentences.
    """
    lines = list(result.warnings)
    if any(trial.attempts > 1 for trial in result.trials):
        lines.append(
            "Some trials needed more than one attempt: infrastructure trouble is tried "
            "again, a wrong answer never."
        )
    if result.status is RunStatus.STARTED:
        lines.append(
            "The log has no end: the run was killed, and the log is not locked."
        )
    return lines


def _agent(result: RunResult) -> str:
    parts = [result.agent] if result.agent else []
    parts += [f"backend {result.backend}"]
    parts += [f"model {result.model}"] if result.model else ["model not named"]
    if result.backend == "claude-code":
        parts.append(f"context {result.context}")
    return ", ".join(parts)


def _trials(result: RunResult) -> str:
    tally = result.tally
    parts = [f"{tally.passed} passed", f"{tally.failed} failed"]
    if tally.invalid:
        parts.append(f"{tally.invalid} invalid")
    if tally.unknown:
        parts.append(f"{tally.unknown} unknown")
    not_run = tally.missing - tally.invalid - tally.unknown
    if not_run:
        parts.append(f"{not_run} not run")
    return f"{tally.planned} planned: {', '.join(parts)}"


def _bounds(result: RunResult) -> str:
    tally = result.tally
    low = tally.passed / tally.planned
    high = (tally.passed + tally.missing) / tally.planned
    return f"between {low:.1%} and {high:.1%}, if all of them had failed or passed"


def _attempts(result: RunResult) -> str:
    troubles = trouble_list(result)
    return f"{result.attempts}" + (f" (trouble: {troubles})" if troubles else "")
