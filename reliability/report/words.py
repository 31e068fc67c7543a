"""
The facts of a run in words: one list that terminal, Markdown and HTML all show.

Everything here is plain text, some of it from the agent or the user: who shows it,
escapes it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from reliability.kinds import KIND_RULES
from reliability.model import Outcome, RunStatus, Verdict
from reliability.report.arms import arm_rows
from reliability.report.cases import case_rows
from reliability.report.stopping import stop_row
from reliability.suite import DEFAULT_CASE
from reliability.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.run_result import RunResult, TrialResult

SIMULATED = (
    "Simulated: every answer came from the built-in simulator, not from a model."
)
ANSWER_CUT = "Cut here; the whole answer is in the log."

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
    rows = case_rows(result) or [("Agent", _agent(result))]
    command = result.options.get("command")
    if command and isinstance(command, list):
        rows.append(("Command", shlex.join(map(str, command))))
    if not result.options.get("suite"):
        rows.append(("Check", _check(result.options)))
    rows.append(("Mode", _mode(result.options)))
    rows.append(("Trials", _trials(result)))
    if result.reused:
        rows.append(("Reused", _reused(result)))
    rows += stop_row(result, duration)
    if result.comparison is None:
        rows.append(("Pass rate", pass_rate(result)))
    rows += arm_rows(result.comparison)
    if result.tally.missing and result.tally.measured:
        rows.append(("If all were known", _bounds(result)))
    rows.append(("Attempts", _attempts(result)))
    rows.append(("Time", _time(result)))
    rows.append(("Cost", cost(result)))
    return rows


def _check(options: Mapping[str, Any]) -> str:
    given = options.get("expect") or options.get("checks")
    return str(given or "any answer that is not empty")


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
    Return passed of measured with its exact bounds; says so when nothing was measured.

    A bound that holds for every agent, as it is shown, is left out.
    """
    rate = result.tally.pass_rate
    if rate is None:
        return "not known: nothing was measured"
    lower, upper = f"{result.lower:.1%}", f"{result.upper:.1%}"
    bounds = [f"at least {lower}"] if lower != "0.0%" else []
    bounds += [f"at most {upper}"] if upper != "100.0%" else []
    claims = ", ".join(f"{result.confidence:.0%} sure of {bound}" for bound in bounds)
    measured = f"{rate:.1%} of {result.tally.measured} measured"
    return f"{measured} ({claims})" if claims else measured


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
    details = []
    if result.simulated:
        amount = "nothing, being simulated"
    elif result.cost_usd is None:
        amount = "not known"
    else:
        amount = f"${result.cost_usd:.4f}"
        if result.priced < result.attempts:
            details.append(f"known for {result.priced} of {result.attempts} attempts")
    tokens_in, tokens_out = result.usage.input_tokens, result.usage.output_tokens
    if tokens_in or tokens_out:
        details.append(f"{tokens_in:,} tokens in, {tokens_out:,} out")
    return f"{amount} ({'; '.join(details)})" if details else amount


def counted(count: int, word: str) -> str:
    """
    Return a number of things: "1 trial", "2 trials".
    """
    return f"1 {word}" if count == 1 else f"{count} {word}s"


def trouble_list(result: RunResult) -> str:
    """
    Return the kinds of infrastructure trouble by how often they came: "3 rate-limit".

    What the agent did wrong is no trouble: it is counted as failed trials.
    """
    found = {
        str(kind): result.troubles[kind]
        for kind, rule in KIND_RULES.items()
        if rule.infrastructure and kind in result.troubles
    }
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {kind}" for kind, count in ranked)


def noteworthy(result: RunResult) -> Sequence[TrialResult]:
    """
    Return the trials that did not pass, in their order.
    """
    trials = result.trials
    if isinstance(trials, Trials):
        return trials.of(set(Outcome) - {Outcome.PASS})
    return [trial for trial in trials if trial.outcome is not Outcome.PASS]


def remark(trial: TrialResult) -> str:
    """
    Return where a trial's measurement is from; empty when it is this run's own.
    """
    if not trial.reused_from:
        return ""
    label = ", measured under other conditions" if trial.changed else ""
    return f"reused from run {trial.reused_from}{label}"


def why(trial: TrialResult) -> str:
    """
    Return why a trial did not pass, and where its measurement is from.
    """
    case = "" if trial.case == DEFAULT_CASE else trial.case
    failed = [check.check for check in trial.checks if not check.passed]
    check = failed if len(trial.checks) > 1 and len(failed) == 1 else []
    return ": ".join(filter(None, (case, *check, remark(trial), trial.reason)))


def notes(result: RunResult) -> list[str]:
    """
    Return what a reader must know besides the numbers, as sentences.
    """
    lines = list(result.warnings)
    if result.reused_changed:
        lines.append(
            f"{_trials_that(result.reused_changed, 'was', 'were')} measured under "
            f"other conditions than this run's. {' '.join(result.changed)}".rstrip()
        )
    if result.retried:
        lines.append(
            f"{_trials_that(result.retried, 'needed', 'needed')} more than one "
            "attempt: infrastructure trouble is tried again, a wrong answer never."
        )
    if result.status is RunStatus.STARTED:
        lines.append(
            "One of the logs that were merged has no end: its run was killed."
            if result.log_sha256
            else "The log has no end: the run was killed, and the log is not locked."
        )
    return lines


def _agent(result: RunResult) -> str:
    """
    Return what was tested and how it was reached.
    """
    parts = [result.agent] if result.agent else []
    parts += [f"backend {result.backend}"]
    parts += [f"model {result.model}"] if result.model else ["model not named"]
    if result.backend == "claude-code":
        parts.append(f"context {result.context}")
    return ", ".join(parts)


def _mode(options: Mapping[str, Any]) -> str:
    """
    Return how the trials were run; what another version's log does not say is left out.
    """
    parts = ["one after another"]
    if options.get("parallel"):
        workers = options.get("max_workers")
        count = "workers as the machine allows"
        parts = ["parallel", f"{workers} workers at most" if workers else count]
    timeout_s, attempts = options.get("timeout"), options.get("max_attempts")
    if isinstance(timeout_s, int | float):
        parts.append(f"{timeout_s:g} s an attempt")
    if attempts:
        parts.append(f"{counted(attempts, 'attempt')} at most")
    return ", ".join(parts)


def _trials(result: RunResult) -> str:
    tally = result.tally
    parts = [f"{tally.passed} passed", f"{tally.failed} failed"]
    if tally.invalid > tally.cut:
        parts.append(f"{tally.invalid - tally.cut} invalid")
    if tally.cut:
        parts.append(f"{tally.cut} cut off")
    if tally.unknown:
        parts.append(f"{tally.unknown} unknown")
    if tally.not_run:
        parts.append(f"{tally.not_run} not run")
    return f"{tally.planned} planned: {', '.join(parts)}"


def _trials_that(count: int, singular: str, plural: str) -> str:
    """
    Return the beginning of a sentence on some trials.
    """
    return f"{counted(count, 'trial')} {singular if count == 1 else plural}"


def _reused(result: RunResult) -> str:
    """
    Return how many trials are from earlier runs, and from which.
    """
    runs = "run" if len(result.earlier) == 1 else "runs"
    parts = [f"{result.reused} of the trials"]
    parts += [f"from {runs} {', '.join(result.earlier)}"] if result.earlier else []
    if result.reused_changed:
        parts.append(f"{result.reused_changed} of them under other conditions")
    return ", ".join(parts)


def _time(result: RunResult) -> str:
    """
    Return how long the run took, and apart from that what agents worked and waited.
    """
    work = f"agents at work {duration(result.worked_s)}"
    waits = f", waits for another attempt {duration(result.waited_s)}"
    took = f"{duration(result.duration_s)}; {work}"
    return took + waits if result.waited_s else took


def _bounds(result: RunResult) -> str:
    """
    Return the pass rates that the trials without a result leave possible.
    """
    tally = result.tally
    low = tally.passed / tally.planned
    high = (tally.passed + tally.missing) / tally.planned
    return f"between {low:.1%} and {high:.1%}, as the missing ones had failed or passed"


def _attempts(result: RunResult) -> str:
    troubles = trouble_list(result)
    return f"{result.attempts}" + (f" (trouble: {troubles})" if troubles else "")
