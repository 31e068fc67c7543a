"""
How the trials are run: how many, how fast, for how much, and where.
"""

from __future__ import annotations

from reliability.choices import Isolation
from reliability.options.option import Option
from reliability.parsers import (
    argv,
    choice,
    flag,
    integer,
    number,
    plain_text,
    seconds,
    variable_names,
)

MAX_LOOPS = 100_000
MAX_WORKERS = 1_000

ENGINE_OPTIONS: tuple[Option, ...] = (
    Option(
        name="loops",
        help="How many trials to run of each case; auto plans as many as pass an agent "
        "of expected-rate in 8 of 10 runs.",
        parse=integer(1, MAX_LOOPS),
        default="10",
        metavar="N",
    ),
    Option(
        name="parallel",
        help="Run trials at the same time instead of one after another.",
        parse=flag,
        default="false",
    ),
    Option(
        name="max-workers",
        help="Most trials at once with parallel. Default: the least of the loops, what "
        "the backend bears (messages and simulated 50; command the cores; claude-code "
        "8 a core) and what memory allows (300 MiB for each Claude Code process).",
        parse=integer(1, MAX_WORKERS),
        metavar="N",
    ),
    Option(
        name="requests-per-minute",
        help="Most attempts started in a minute, spaced evenly; what the service "
        "says can only lower it. An attempt of claude-code makes several "
        "requests. Default: no bound of ours.",
        parse=integer(1, 1_000_000),
        metavar="N",
    ),
    Option(
        name="seed",
        help="Of the order in which the cases of a suite are run: in each round every "
        "case once, shuffled.",
        parse=integer(0, 999_999_999),
        default="1",
        metavar="N",
    ),
    Option(
        name="delay",
        help="Seconds between loops in sequential mode; ignored with parallel.",
        parse=seconds(0, 3600),
        default="1",
        metavar="SECONDS",
    ),
    Option(
        name="timeout",
        help="Most seconds for one attempt. An agent that has begun to answer and is "
        "not done by then has failed.",
        parse=seconds(0.1, 86_400),
        default="300",
        metavar="SECONDS",
    ),
    Option(
        name="max-attempts",
        help="Most attempts a trial when infrastructure fails (rate limit, overload, "
        "network). A wrong answer is never tried again.",
        parse=integer(1, 100),
        default="5",
        metavar="N",
    ),
    Option(
        name="max-cost-usd",
        help="Start no attempt that could bring the run's cost above this, by the "
        "mean of those before it. Needs a backend that tells its price.",
        parse=number(0, 1_000_000),
        metavar="USD",
    ),
    Option(
        name="max-tokens",
        help="Start no attempt that could bring the run's tokens, in and out and "
        "cached, above this, by the mean of those before it.",
        parse=integer(1, 999_999_999),
        metavar="N",
    ),
    Option(
        name="max-minutes",
        help="End the run within this time: no attempt is started that would "
        "probably not end in it, what is left then is cancelled, and "
        "everything is written. In a workflow keep it below the job's "
        "timeout-minutes.",
        parse=number(0, 100_000),
        metavar="MINUTES",
    ),
    Option(
        name="isolation",
        help="Where the agent of command and claude-code works: copy (a fresh copy "
        "of the workspace for each attempt), worktree (a fresh checkout of "
        "the commit at hand) or none (the workspace itself, whose changes "
        "stay).",
        parse=choice(Isolation),
        default="copy",
        metavar="WHAT",
    ),
    Option(
        name="run-as",
        help="User that the agent's processes run as when we are root, by name or "
        "number; root keeps our rights. Default: nobody. Without root they "
        "always run as we do.",
        parse=plain_text,
        metavar="USER",
    ),
    Option(
        name="pass-env",
        help="Environment variable that the agent's processes may see besides the "
        "harmless ones; NAME* is for all that begin so. Several times on the "
        "command line, one a line in a workflow. The job's own tokens and "
        "inputs are refused.",
        parse=variable_names,
        metavar="NAME",
        repeat=True,
    ),
    Option(
        name="setup",
        help="Command to run in the agent's folder before each attempt, split into "
        "words as a shell would but never run by one. When it fails, the "
        "attempt is invalid.",
        parse=argv,
        metavar="ARGV",
    ),
    Option(
        name="teardown",
        help="Command to run in the agent's folder after each attempt, whatever "
        "came of it.",
        parse=argv,
        metavar="ARGV",
    ),
)
