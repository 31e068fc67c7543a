"""
What the trials must show, and when they have shown enough.
"""

from __future__ import annotations

from reliability.choices import GateRule, OnInconclusive, OnStop
from reliability.options.option import Option
from reliability.parsers import choice, flag, number, path, plain_text, share

GATE_OPTIONS: tuple[Option, ...] = (
    Option(
        name="min-pass-rate",
        help="The pass rate that the agent must have: pass when the trials show that "
        "it is at least this, fail when they show that it is below. 1 is the plain "
        "rule: every trial must pass.",
        parse=number(0, 1),
        default="1",
        metavar="RATE",
    ),
    Option(
        name="expected-rate",
        help="The pass rate that the agent is thought to have, above the one asked; "
        "for loops auto.",
        parse=number(0, 1),
        metavar="RATE",
    ),
    Option(
        name="confidence",
        help="How sure each verdict must be: an agent just at the rate gets a wrong "
        "pass, or a wrong fail, in no more than the rest of the runs.",
        parse=number(0.5, 0.9999),
        default="0.95",
        metavar="SHARE",
    ),
    Option(
        name="gate",
        help="What a rate below 1 is asked of in a suite: mean (the mean over all "
        "trials; a case with a rate of its own must have that too) or all-cases "
        "(each case by itself).",
        parse=choice(GateRule),
        default="mean",
        metavar="WHAT",
    ),
    Option(
        name="against",
        help="A commit to hold the working tree against, such as origin/main: agent "
        "files, prompts and suite of both run in turn, and the verdict is whether "
        "the newer one is worse. Neither min-pass-rate nor early-stop applies then.",
        parse=plain_text,
        metavar="REF",
    ),
    Option(
        name="baseline",
        help="Log, or results.json beside one, of a run of the same cases to hold this "
        "one against; the verdict is whether it is worse, as for against.",
        parse=path,
        metavar="PATH",
    ),
    Option(
        name="margin",
        help="How much lower the pass rate may be and still count as not worse. "
        "Default: 0.1 under 200 trials a side, else 0.05.",
        parse=share,
        metavar="SHARE",
    ),
    Option(
        name="early-stop",
        help="Stop as soon as the verdict is certain; the error rates stay exact. "
        "Default: on when a rate below 1 is asked.",
        parse=flag,
    ),
    Option(
        name="on-stop",
        help="What becomes of trials under way when the verdict is certain: cancel "
        "or drain (they end, and are kept).",
        parse=choice(OnStop),
        default="cancel",
        metavar="WHAT",
    ),
    Option(
        name="max-invalid",
        help="Share of the trials that may be invalid; with more of them the verdict "
        "is invalid.",
        parse=share,
        default="0.2",
        metavar="SHARE",
    ),
    Option(
        name="allow-unreachable",
        help="Run even when so few loops can never show the rate, whatever comes.",
        parse=flag,
        default="false",
    ),
    Option(
        name="on-inconclusive",
        help="What an inconclusive verdict does: fail (exit code 4) or warn (0).",
        parse=choice(OnInconclusive),
        default="fail",
        metavar="WHAT",
    ),
)
